"""The page that compares runs."""

import json

import pytest
from PIL import Image

import ganlib
from ganlib.runs import comparison
from tests.end_to_end.jobs import run_in_one_process

FACTS = {"image_shape": [8, 8, 1], "class_names": [], "data": "digits", "num_examples": 10}


def run_folder(path, steps, **config):
    """Writes the folder of a run with a curve and a grid."""
    values = {
        "method": "gan",
        "networks": "mlp",
        "batch_size": 8,
        "seed": 0,
        "steps": steps,
        "generator": {"width": 4},
    } | config
    (path / "samples").mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(values))
    (path / "run.json").write_text(json.dumps(FACTS))
    rows = [{"step": step, "discriminator_loss": 1.0 / step, "generator_loss": step} for step in range(1, steps)]
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Image.new("L", (20, 20)).save(path / f"samples/step_{steps:08d}.png")
    return path


def test_page_has_what_differs(tmp_path):
    folders = [run_folder(tmp_path / "a", 5), run_folder(tmp_path / "b", 7, generator={"width": 16}, top_k=0.5)]
    assert comparison.differences(folders) == [["steps", "5", "7"], ["generator.width", "4", "16"], ["top_k", "-", "0.5"]]
    (folders[0] / "evaluation.json").write_text(json.dumps({"results": {"fid": 3.25}}))
    ((status, output, errors),) = run_in_one_process(
        [("report", f"--workdirs={folders[0]},{folders[1]}", "--output=page.html")], tmp_path
    )
    assert (status, errors) == (0, [])
    assert output.strip() == "report: page.html"
    page = (tmp_path / "page.html").read_text()
    for text in ("Config keys that differ", "generator.width", "Results", "3.2500", "Curves", "a, step 5", "b, step 7"):
        assert text in page, text
    assert (
        page.index("Curves") < page.index("Samples of the same latents") < page.index("<h2>a</h2>") < page.index("<h2>b</h2>")
    )


def test_one_run_is_reported_again(tmp_path):
    folder = run_folder(tmp_path / "a", 5)
    ((status, _, errors),) = run_in_one_process([("report", f"--workdirs={folder}", f"--output={tmp_path}/page.html")])
    assert (status, errors) == (0, [])
    assert "Config keys that differ" not in (tmp_path / "page.html").read_text()


def test_errors_are_one_line(tmp_path):
    folder = run_folder(tmp_path / "a", 5)
    with pytest.raises(ganlib.UserError, match="no run in '.*none': it has no config.json"):
        comparison.write(tmp_path / "x.html", [folder, tmp_path / "none"])
    with pytest.raises(ganlib.UserError, match="at least two different runs"):
        comparison.write(tmp_path / "x.html", [folder, tmp_path / "a" / ".." / "a"])


def test_runs_of_one_name_are_told_apart(tmp_path):
    folders = [run_folder(tmp_path / parent / "run", 5) for parent in ("a", "b")]
    assert comparison.names_of(folders) == ["a/run", "b/run"]
    assert comparison.names_of([tmp_path / name / "seed0/run" for name in "ab"]) == ["a/seed0/run", "b/seed0/run"]
