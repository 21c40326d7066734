"""The CSV file of the job, for images of any layout."""

import csv
import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

from experiments import configs, train_classifier
from tests.data.test_archives import zip_of
from tests.end_to_end.jobs import run_in_one_process

PATHS = ["a/train/0.png", "a/val/1.jpg", "b.png", "test/cat/3.webp", "test/dog/4.tif"]


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """The folder of a classifier of the digits."""
    workdir = tmp_path_factory.mktemp("run")
    train_classifier.train(configs.load("digits_cnn", ["smoke=True"]), workdir)
    return workdir


def written(root):
    """Writes an image for each of `PATHS`, and returns the images."""
    images = np.random.default_rng(0).integers(0, 256, (len(PATHS), 8, 8), np.uint8)
    for path, image in zip(PATHS, images, strict=True):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(root / path, quality=100, lossless=True)
    return images[..., None]


def rows(output):
    with pathlib.Path(output).open(newline="") as file:
        return list(csv.DictReader(file))


def test_all_images_of_a_folder_and_of_a_zip_file_are_classified(tmp_path, workdir):
    images = written(tmp_path / "images")
    (tmp_path / "images/notes.txt").write_text("words")
    archive = zip_of(tmp_path / "images", "images")
    outputs = [tmp_path / "a.csv", tmp_path / "b.csv"]
    commands = [
        ("classify", f"--workdir={workdir}", f"--images={path}", f"--output={output}")
        for path, output in zip((tmp_path / "images", archive), outputs, strict=True)
    ]
    for status, text, errors in run_in_one_process(commands):
        assert (status, errors) == (0, [])
        assert "5 images, mean confidence" in text
    expected = keras.saving.load_model(workdir / "classifier.keras").classify(images)
    found = rows(outputs[0])
    assert [row["file"] for row in found] == PATHS
    probabilities = np.array([[float(row[str(label)]) for label in range(10)] for row in found])
    lossless = [0, 2, 4]
    np.testing.assert_allclose(probabilities[lossless], expected[lossless], atol=1e-4)
    assert [int(row["class"]) for row in found] == probabilities.argmax(axis=1).tolist()
    assert rows(outputs[1]) == found


def test_unreadable_images_are_refused_or_skipped(tmp_path, workdir):
    written(tmp_path / "images")
    content = (tmp_path / "images/b.png").read_bytes()
    (tmp_path / "images/b.png").write_bytes(content[:-60])  # its header is whole
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/b.png").write_bytes(content[:-60])
    commands = [
        ("classify", f"--workdir={workdir}", f"--images={tmp_path / folder}", f"--output={tmp_path / name}", *arguments)
        for folder, name, arguments in (
            ("images", "a.csv", []),
            ("images", "b.csv", ["--skip_corrupt"]),
            ("bad", "c.csv", ["--skip_corrupt"]),
        )
    ]
    refused, skipped, all_skipped = run_in_one_process(commands)
    assert (refused[0], skipped[0], all_skipped[0]) == (2, 0, 2)
    assert "b.png': corrupt image" in refused[2][0]
    assert "none of the 1 images, such as" in all_skipped[2][0]
    assert [row["file"] for row in rows(tmp_path / "b.csv")] == [PATHS[0], PATHS[1], *PATHS[3:]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.csv", "bad", "images"]
