import csv
import json
import types

import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments import configs, train_classifier
from ganlib import data, runs
from ganlib.evaluation import unknown
from tests.end_to_end.jobs import run_in_one_process


def run_with(folder, step=7, **result):
    (folder / "classification.json").write_text(json.dumps({"step": step, **result}))
    return types.SimpleNamespace(folder=folder, config=types.SimpleNamespace(validation_per_class=20))


def test_limit_is_the_percentile_of_held_out_images(tmp_path):
    run = run_with(tmp_path, energy_percentiles=np.arange(0.0, 202.0, 2).tolist())
    assert unknown.threshold(run, 7, 0.05) == pytest.approx(190)
    assert unknown.threshold(run, 7, 0.005) == pytest.approx(199)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_share_outside_its_range_is_an_error(tmp_path, share):
    with pytest.raises(ganlib.UserError, match="must be above 0 and below 1"):
        unknown.threshold(run_with(tmp_path, energy_percentiles=[0.0] * 101), 7, share)


def test_energies_of_another_step_or_of_no_images_are_an_error(tmp_path):
    with pytest.raises(ganlib.UserError, match="no energies of held-out images at step 8: run its training command again"):
        unknown.threshold(run_with(tmp_path, energy_percentiles=[0.0] * 101), 8, 0.05)
    run = run_with(tmp_path)
    run.config.validation_per_class = 0
    with pytest.raises(ganlib.UserError, match="because it has no held-out images: train a classifier with"):
        unknown.threshold(run, 7, 0.05)


def test_job_answers_unknown_for_classes_that_were_not_trained(tmp_path):
    """A semi-supervised GAN of three classes of digits, and images of two others."""
    keys = ["classes=0,1,2", "labels_per_class=20", "validation_per_class=50", "steps=400", "test_split="]
    train_classifier.train(configs.load("digits_sgan", keys), tmp_path / "run")
    result = json.loads((tmp_path / "run/classification.json").read_text())
    model = runs.load(tmp_path / "run")
    config = runs.open_run(tmp_path / "run").config
    held_out = runs.few_labels(config, runs.open_data(config)).validation
    energies = -np.log(np.exp(np.float64(model.classifier(held_out.images))).sum(axis=1))
    np.testing.assert_allclose(result["energy_percentiles"], np.percentile(energies, np.arange(101)), rtol=1e-3, atol=1e-3)

    digits = data.open("digits", "test")
    chosen = {name: digits.of_classes([name]).images[:30] for name in "01256"}
    (tmp_path / "images").mkdir()
    for name, images in chosen.items():
        for index, image in enumerate(images):
            Image.fromarray(image[..., 0]).save(tmp_path / f"images/{name}_{index}.png")
    arguments = ("classify", f"--workdir={tmp_path / 'run'}", f"--images={tmp_path / 'images'}")
    (status, text, errors), without = run_in_one_process([
        (*arguments, f"--output={tmp_path / 'a.csv'}", "--unknown=0.05"), (*arguments, f"--output={tmp_path / 'b.csv'}")
    ])  # fmt: skip
    assert (status, without[0]) == (0, 0), errors
    rows, plain = (list(csv.DictReader((tmp_path / name).open())) for name in ("a.csv", "b.csv"))
    limit = unknown.threshold(runs.open_run(tmp_path / "run"), int(model.step), 0.05)
    for row, answer in zip(rows, plain, strict=True):
        assert "energy" not in answer
        expected = "unknown" if float(row["energy"]) > limit else answer["class"]
        assert (row["class"], row["probability"]) == (expected, answer["probability"])
    shares = {name: np.mean([row["class"] == "unknown" for row in rows if row["file"][0] == name]) for name in chosen}
    assert max(shares["0"], shares["1"], shares["2"]) < 0.3
    assert min(shares["5"], shares["6"]) > 0.7
    assert f"unknown{sum(row['class'] == 'unknown' for row in rows):>25}" in text
