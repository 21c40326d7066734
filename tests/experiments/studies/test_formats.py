import json

import pytest

from experiments import configs, train_classifier, train_gan
from tests.end_to_end.jobs import run


@pytest.mark.slow
def test_rows_of_all_formats_for_a_classifier_and_a_gan(tmp_path):
    train_gan.train(configs.load("digits_dcgan", ["smoke=True"]), tmp_path / "gan")
    train_classifier.train(configs.load("digits_cnn", ["smoke=True"]), tmp_path / "classifier")
    workdirs = f"--workdirs={tmp_path / 'classifier'},{tmp_path / 'gan'}"
    code, output, errors = run("formats", workdirs, "--seconds=1", "--samples=100", f"--output={tmp_path / 'formats.json'}")
    assert (code, errors) == (0, [])
    assert "| run | format | MiB | largest difference | images/s | quality |" in output
    rows = json.loads((tmp_path / "formats.json").read_text())["rows"]
    by_run = {name: [row for row in rows if row["run"] == name] for name in ("classifier", "gan")}
    accuracy = {row["format"]: row["accuracy"] for row in by_run["classifier"]}
    fid = {row["format"]: row["fid"] for row in by_run["gan"]}
    assert accuracy.keys() == fid.keys() >= {"saved_model", "onnx", "litert", "litert, float16", "litert, int8", "keras"}
    for exact in ("onnx", "litert", "keras"):
        assert accuracy[exact] == accuracy["saved_model"]
        assert abs(fid[exact] - fid["saved_model"]) < 0.01 * fid["saved_model"]
    size = {row["format"]: row["mib"] for row in by_run["gan"]}
    assert size["litert, int8"] < size["litert, float16"] < size["litert"]
    assert all(row["images_per_second"] > 0 for row in rows)
    assert all(row["largest_difference"] < 1e-4 for row in rows if row["format"] in ("saved_model", "onnx", "litert", "keras"))
