import json
import re

import numpy as np
import pytest
from PIL import Image

import ganlib
from ganlib.runs import report
from ganlib.training.callbacks import write_rows


@pytest.fixture
def workdir(tmp_path):
    folder = tmp_path / "my_run"
    (folder / "samples").mkdir(parents=True)
    config = {"method": "gan", "networks": "dcgan", "batch_size": 64, "seed": 7, "dataset": "<digits>"}
    facts = {"image_shape": [8, 8, 1], "class_names": ["a", "b"], "data": "digits/train", "num_examples": 9}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "run.json").write_text(json.dumps(facts))
    write_rows(folder / "metrics.jsonl", [{"step": s, "generator_loss": 1.0, "validation_accuracy": 0.5} for s in (10, 20)])
    for step in range(8):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / f"samples/step_{step:08d}.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "samples/interpolation.png")
    result = {
        "test_accuracy": 0.625, "test_images": 8, "tested_on": "test", "expected_calibration_error": 0.031, "temperature": 1.5,
        "recall_by_class": {"a": 0.375, "b": None}, "confusion_matrix": [[3, 5], [0, 0]],
    }  # fmt: skip
    (folder / "classification.json").write_text(json.dumps(result))
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "mistakes.png")
    return folder


def test_report_is_one_self_contained_page(workdir):
    table = report.Table("Results", ["method", "accuracy"], [["CNN", "86.5"]], note="all runs")
    text = report.write(workdir / "report.html", [workdir], "My title", [table]).read_text()
    for part in (
        "My title",
        "my_run",
        "Results",
        "86.5",
        "all runs",
        "20 steps",
        "seed 7",
        "digits/train",
        "62.50 %",
        "3.10 %",
        "1.50",
        "37.5",
        "no images",
    ):
        assert part in text
    assert len(re.findall(r'src="data:image/png;base64,', text)) == len(re.findall("src=", text)) == 9
    assert "http" not in text
    assert "&lt;digits&gt;" in text
    assert [int(s) for s in re.findall(r"<figcaption>step (\d+)", text)] == [0, 2, 4, 5]
    assert "after 7 steps" in text


@pytest.mark.parametrize("name", ["evaluation.json", "classification.json"])
@pytest.mark.parametrize(("step", "line"), [(10, True), (20, False), (None, False)])
def test_results_of_an_earlier_step_are_marked(workdir, name, step, line):
    results = {"samples": 5, "real": "digits", "real_images": 9, "features": "f", "seed": 0, "results": {"fid": 1.0}}
    if name == "classification.json":
        results = json.loads((workdir / name).read_text())
    (workdir / name).write_text(json.dumps(results | ({} if step is None else {"step": step})))
    text = report.write(workdir / "report.html", [workdir], "Title").read_text()
    assert ("Measured at step 10; the run has 20 steps." in text) is line


@pytest.mark.parametrize("content", [b"", b'{"step": 1', b"\xff", b"[]"])
def test_damaged_results_are_skipped_with_a_warning(workdir, caplog, content):
    for name in ("evaluation.json", "classification.json"):
        (workdir / name).write_bytes(content)
    text = report.write(workdir / "report.html", [workdir], "Title").read_text()
    assert "after 7 steps" in text
    assert all(
        f"{name}.json is damaged and was skipped: run the evaluation again" in caplog.text
        for name in ("evaluation", "classification")
    )


@pytest.mark.parametrize(
    ("method", "labels_per_class", "expected"),
    [
        ("gan", None, []),
        ("gan", 5, [" 5 images per class, label seed 3"]),
        ("supervised", None, [" all labels"]),
        ("semi_supervised", 5, [" 5 labels per class, label seed 3"]),
    ],
)
def test_number_of_labels(workdir, method, labels_per_class, expected):
    config = json.loads((workdir / "config.json").read_text())
    config |= {"method": method, "labels_per_class": labels_per_class, "label_seed": 3}
    (workdir / "config.json").write_text(json.dumps(config))
    text = report.write(workdir / "report.html", [workdir], "Title").read_text()
    (note,) = re.findall(rf'<p class="note">({method} on .*?)</p>', text)
    assert re.findall("[^;]*(?:labels|per class|label seed)[^;]*", note) == expected


def test_measures_of_a_classifier_and_their_intervals(workdir):
    path = workdir / "classification.json"
    result = json.loads(path.read_text()) | {
        "majority_accuracy": 1.0, "balanced_accuracy": 0.375, "macro_f1": 0.545, "roc_auc": None,
        "f1_by_class": {"a": 0.545, "b": None},
        "intervals": {"test_accuracy": [0.25, 0.875], "balanced_accuracy": [0.125, 0.75], "roc_auc": None},
    }  # fmt: skip
    path.write_text(json.dumps(result))
    cells = re.findall("<td.*?>(.*?)</td>", report.write(workdir / "report.html", [workdir], "Title").read_text())
    assert cells == [
        "always the most frequent class", "100.0", "", "accuracy", "62.5", "25.0 to 87.5", "balanced accuracy", "37.5",
        "12.5 to 75.0", "F1, mean of the classes", "54.5", "", "a", "37.5", "54.5", "b", "no images", "",
    ]  # fmt: skip


def test_run_without_images(workdir):
    for path in [
        *workdir.glob("samples/*"),
        *(workdir / name for name in ("metrics.jsonl", "classification.json", "mistakes.png")),
    ]:
        path.unlink()
    assert "src=" not in report.write(workdir / "report.html", [workdir], "Title").read_text()


def test_folder_without_a_run(tmp_path):
    with pytest.raises(ganlib.UserError, match="no run in"):
        report.write(tmp_path / "report.html", [tmp_path], "Title")
