import json
import types

import pytest

from experiments.common import classifier_comparison
from experiments.configs import digits_sgan
from ganlib.training.callbacks import write_rows


def trial(folder, name, labels, seed, accuracy, roc_auc=0.9):
    workdir = folder / f"{name}{labels}_{seed}"
    workdir.mkdir()
    result = {
        "test_accuracy": accuracy, "expected_calibration_error": 0.02,
        "balanced_accuracy": accuracy - 0.1, "macro_f1": 0.5, "roc_auc": roc_auc,
    }  # fmt: skip
    (workdir / "classification.json").write_text(json.dumps(result))
    write_rows(workdir / "speed.jsonl", [{"step": 120, "steps_per_second": 1.0}])
    return classifier_comparison.ClassifierTrial(name, str(labels), str(seed), digits_sgan.get_config(), workdir)


def test_table_and_plot_of_errors(tmp_path):
    accuracies = {("sgan", 1): (0.8, 0.9), ("sgan", 5): (0.95, 0.97), ("cnn", 1): (0.5, 0.7), ("cnn", 5): (0.85, 0.85)}
    rows = [
        classifier_comparison.summary([trial(tmp_path, name, labels, s, a) for s, a in enumerate(values)])
        for (name, labels), values in accuracies.items()
    ]
    assert rows[0]["values"]["test_error"] == pytest.approx([20, 10])
    assert rows[0]["labels_per_class"] == 1
    lines = classifier_comparison.as_markdown(rows).splitlines()
    assert lines[0] == "| test error, % | steps | 1 labels per class | 5 labels per class | minutes |"
    assert lines[2] == "| sgan | 3000 | 15.00 ± 7.07 | 4.00 ± 1.41 | 2.0 |"
    assert lines[3] == "| cnn | 3000 | 40.00 ± 14.14 | 15.00 ± 0.00 | 2.0 |"
    assert lines[4] == ""
    assert lines[5] == "| % | labels per class | balanced accuracy | mean F1 of the classes | area under the ROC curve |"
    assert lines[7] == "| sgan | 1 | 75.00 ± 7.07 | 50.00 ± 0.00 | 90.00 ± 0.00 |"
    assert lines[10] == "| cnn | 5 | 75.00 ± 0.00 | 50.00 ± 0.00 | 90.00 ± 0.00 |"
    classifier_comparison.draw(rows, tmp_path / "error.png")
    assert (tmp_path / "error.png").stat().st_size > 5000


def test_an_area_that_is_not_defined_has_an_empty_cell(tmp_path):
    row = classifier_comparison.summary([trial(tmp_path, "cnn", 1, seed, 0.5, roc_auc=None) for seed in range(2)])
    assert classifier_comparison.as_markdown([row]).splitlines()[-1] == "| cnn | 1 | 40.00 ± 0.00 | 50.00 ± 0.00 |  |"


def test_a_config_may_use_all_labels(tmp_path, monkeypatch):
    config = digits_sgan.get_config()
    config.labels_per_class, config.label_seed = None, 0
    run = trial(tmp_path, "probe", "all", 3, 0.9)
    run = classifier_comparison.ClassifierTrial("probe", "all", "3", config, run.workdir)
    monkeypatch.setattr(classifier_comparison, "FLAGS", types.SimpleNamespace(set=["image_size=8"]))
    monkeypatch.setattr(classifier_comparison.staleness, "differences", lambda *_: ["not trained"])
    ((*_, size, seed),) = run.commands()
    assert (size, seed) == ("--config.image_size=8", "--config.seed=3")
    assert run.requested["config"]["labels_per_class"] is None
    row = classifier_comparison.summary([run])
    assert "| probe | 3000 | 10.00" in classifier_comparison.as_markdown([row])
    classifier_comparison.draw(
        [row, classifier_comparison.summary([trial(tmp_path, "cnn", 5, 0, 0.5)])], tmp_path / "error.png"
    )
