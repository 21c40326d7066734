"""The job that suggests images to label, and the training with their labels."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments import configs, train_classifier
from experiments.studies import suggested_labels
from ganlib import data, runs
from tests.end_to_end.jobs import run_in_one_process


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """The folder of a classifier of a folder of photos, of which some are held out."""
    workdir = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    for index in range(24):
        path = workdir / "photos" / ("cat", "dog")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8), np.uint8)).save(path)
    train_classifier.train(config_of(workdir), workdir / "run")
    return workdir


def config_of(workdir, *further):
    keys = [f"dataset=folder:{workdir / 'photos'}", "test_split=", "validation_per_class=2", "labels_per_class=2"]
    return configs.load("digits_cnn", [*keys, *further, "smoke=True"])


def rows(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_suggested_images_are_labeled_in_the_next_training(workdir, tmp_path):
    output = tmp_path / "next.csv"
    ((status, text, errors),) = run_in_one_process([
        ("suggest", f"--workdir={workdir / 'run'}", "--count=5", f"--output={output}")
    ])  # fmt: skip
    assert status == 0, errors
    assert "5 of 16 images to label: " in text
    found = rows(output)
    assert len({row["image"] for row in found}) == 5
    assert all((workdir / "photos" / row["image"]).exists() for row in found)
    assert [row["label"] for row in found] == [""] * 5
    uncertainties = [float(row["uncertainty"]) for row in found]
    assert uncertainties == sorted(uncertainties, reverse=True)
    assert output.with_suffix(".png").exists()

    with output.open("w", newline="") as file:
        writer = csv.DictWriter(file, found[0])
        writer.writeheader()
        writer.writerows({**row, "label": "dog"} for row in found)
    ((status, _, errors),) = run_in_one_process([("suggest", f"--workdir={workdir / 'run'}", f"--output={output}")])
    assert (status, len(errors)) == (2, 1)
    assert "has labels or other content that would be lost: choose another --output" in errors[0]
    train_classifier.train(config_of(workdir, f"added_labels={output}"), tmp_path / "run")
    assert json.loads((tmp_path / "run/run.json").read_text())["label_counts"] == [2, 7]
    further = tmp_path / "further.csv"
    ((status, text, errors),) = run_in_one_process([
        ("suggest", f"--workdir={tmp_path / 'run'}", "--count=20", f"--output={further}")
    ])  # fmt: skip
    assert status == 0, errors
    assert "11 of 11 images to label: " in text
    assert not {row["image"] for row in rows(further)} & {row["image"] for row in found}


def test_changed_labels_are_noticed(workdir, tmp_path):
    run = runs.open_run(workdir / "run")
    source, candidates = runs.pool(run.config, runs.open_data_of(run))
    table = tmp_path / "labels.csv"
    table.write_text(f"image,label\n{source.files[candidates[0]]},cat\n")
    train_classifier.train(config_of(workdir, f"added_labels={table}"), tmp_path / "run")
    table.write_text(f"image,label\n{source.files[candidates[1]]},cat\n")  # as many labels of each class
    with pytest.raises(ganlib.UserError, match="was created with other data: labeled_fingerprint"):
        train_classifier.train(config_of(workdir, f"added_labels={table}"), tmp_path / "run")


def test_classifier_on_frozen_features(tmp_path, monkeypatch):
    """It takes features, which the job computes for the images without a label."""
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    config = configs.load("photos_probe", ["smoke=True"])
    config.update(dataset="digits", classes="0,1", image_size=16, labels_per_class=3)
    train_classifier.train(config, tmp_path / "run")
    output = tmp_path / "next.csv"
    ((status, text, errors),) = run_in_one_process([
        ("suggest", f"--workdir={tmp_path / 'run'}", "--count=4", f"--output={output}")
    ])  # fmt: skip
    assert status == 0, errors
    source = data.open("digits", image_size=(16, 16)).of_classes(["0", "1"])
    assert f"4 of {source.num_examples - 6} images to label" in text
    found = rows(output)
    assert all(row["image"].startswith("digits/train[0,1]#") for row in found)
    probabilities = runs.load(tmp_path / "run").classify(source.pick([int(row["image"].split("#")[1]) for row in found]))
    np.testing.assert_allclose([float(row["probability"]) for row in found], probabilities.max(axis=1), atol=1e-3)


def test_images_of_another_folder(workdir, tmp_path):
    for index in range(3):
        (tmp_path / "new/x").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((30, 20, 3), 50 * index, np.uint8)).save(tmp_path / f"new/x/{index}.jpg")
    commands = [
        (
            "suggest",
            f"--workdir={workdir / 'run'}",
            f"--images={tmp_path / 'new'}",
            "--count=2",
            f"--output={tmp_path / 'a.csv'}",
        ),
        ("suggest", f"--workdir={workdir / 'run'}", f"--output={tmp_path / 'a.PNG'}"),
        ("suggest", f"--workdir={workdir / 'run'}", f"--output={workdir / 'photos/a.csv'}"),
        ("suggest", f"--workdir={tmp_path}"),
    ]
    good, picture, inside, empty = run_in_one_process(commands)
    assert good[0] == 0, good
    assert {row["image"] for row in rows(tmp_path / "a.csv")} <= {f"{tmp_path}/new/x/{index}.jpg" for index in range(3)}
    assert (picture[0], inside[0], empty[0]) == (2, 2, 2)
    assert "is in a folder of images" in inside[2][0]
    assert "choose a name that ends in .csv" in picture[2][0]
    assert "no run in" in empty[2][0]


def test_labels_of_another_folder_train_a_classifier_of_labeled_images(workdir, tmp_path):
    """The folder may be spelled in another way in the table."""
    for index in range(4):
        (tmp_path / "new").mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8), 50 * index, np.uint8)).save(tmp_path / f"new/{index}.png")
    table = tmp_path / "a.csv"
    ((status, _, errors),) = run_in_one_process([
        ("suggest", f"--workdir={workdir / 'run'}", f"--images={tmp_path}/new/", "--count=2", f"--output={table}")
    ])  # fmt: skip
    assert status == 0, errors
    table.write_bytes(table.read_bytes().replace(b"png,,", b"png,dog,"))
    config = config_of(workdir, f"added_labels={table}", f"unlabeled_dataset=folder:{tmp_path}/new")
    train_classifier.train(config, tmp_path / "run")
    assert json.loads((tmp_path / "run/run.json").read_text())["label_counts"] == [2, 4]


def test_table_of_the_study_has_all_runs():
    results = [
        [{"test_accuracy": a, "balanced_accuracy": a / 2} for a in accuracies]
        for accuracies in ((0.5, 0.6, 0.7), (0.6, 0.6, 0.9))
    ]
    assert suggested_labels.table_of(results).splitlines()[2:] == [
        "| before | 55.0 ± 7.1 (50.0, 60.0) | 27.5 ± 3.5 (25.0, 30.0) |",
        "| random | 60.0 ± 0.0 (60.0, 60.0) | 30.0 ± 0.0 (30.0, 30.0) |",
        "| suggested | 80.0 ± 14.1 (70.0, 90.0) | 40.0 ± 7.1 (35.0, 45.0) |",
    ]
