"""The jobs on a folder of images of 32x48."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.jobs import run_in_one_process

pytestmark = pytest.mark.slow

SHARED = ("--config.image_size=32x48", "--config.validation_per_class=2", "--config.smoke")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with images of two classes, of several sizes, and the outcomes of all jobs."""
    folder = tmp_path_factory.mktemp("rectangles")
    rng = np.random.default_rng(0)
    for index in range(24):
        path = folder / "images" / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 48, 3) if index % 3 else (50, 60, 3), np.uint8)).save(path)
    images, gan, classifier = f"--config.dataset=folder:{folder / 'images'}", folder / "gan", folder / "classifier"
    commands = [
        ("train_gan", "--config=digits_dcgan", f"--workdir={gan}", images, "--config.metrics=", *SHARED),
        ("train_gan", "--config=digits_dcgan", f"--workdir={gan}", images, "--config.metrics=", *SHARED[1:],
         "--config.image_size=[32,48]"),  # the same size in another form
        ("evaluate", f"--workdir={gan}", "--features=in_domain", "--samples=12", "--metrics=fid,swd", "--neighbours=2"),
        ("evaluate", f"--real=folder:{folder / 'images'}", f"--fake=folder:{folder / 'images'}", "--image_size=(16, 24)",
         "--features=in_domain", "--metrics=swd", f"--output={folder / 'result.json'}"),
        ("generate", f"--workdir={gan}", f"--output={folder / 'generated'}", "--count=3"),
        ("train_classifier", "--config=digits_cnn", f"--workdir={classifier}", images, "--config.labels_per_class=4",
         "--config.test_split=", f"--config.features_from={gan}", *SHARED),
        ("classify", f"--workdir={classifier}", f"--images={folder / 'generated'}", f"--output={folder / 'classes.csv'}"),
    ]  # fmt: skip
    for command, (status, output, errors) in zip(commands, run_in_one_process(commands), strict=True):
        assert (status, errors) == (0, []), (command, output)
    return folder


def test_the_gan_has_the_shape_of_the_config(folder):
    assert json.loads((folder / "gan/run.json").read_text())["image_shape"] == [32, 48, 3]
    assert [json.loads(line)["step"] for line in (folder / "gan/metrics.jsonl").read_text().splitlines()][-1] == 2


def test_grids_show_rectangles(folder):
    for path, columns, rows in (("samples/step_00000002.png", 2, 8), ("neighbours.png", 4, 2)):
        grid = np.asarray(Image.open(folder / "gan" / path))
        assert grid.shape == (rows * 34 + 2, columns * 50 + 2, 3)
        gaps = np.arange(0, columns * 50 + 2, 50)
        assert (grid[:, gaps] == 255).all()


def test_generated_files_are_rectangles(folder):
    files = sorted((folder / "generated").glob("*.png"))
    assert len(files) == 3
    assert {Image.open(file).size for file in files} == {(48, 32)}


def test_results_are_finite(folder):
    results = json.loads((folder / "gan/evaluation.json").read_text())["results"]
    assert {"fid", "swd", "swd_32", "swd_16"} <= set(results)
    assert np.isfinite(list(results.values())).all()
    assert "swd_16" in json.loads((folder / "result.json").read_text())["results"]


def test_a_classifier_on_the_features_of_the_gan_classifies_rectangles(folder):
    rows = list(csv.DictReader((folder / "classes.csv").open()))
    assert len(rows) == 3
    assert {row["class"] for row in rows} <= {"a", "b"}
