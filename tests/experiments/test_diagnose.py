"""The job that looks for what is wrong with a dataset, and what training jobs say about their data."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import train_classifier, train_gan
from experiments.configs import base, digits_dcgan
from ganlib import data
from ganlib.runs import report
from tests.end_to_end.jobs import run_in_one_process


@pytest.fixture
def folder(tmp_path):
    """A folder of two classes of digits, with test images."""
    for split, count in (("train", 40), ("test", 20)):
        source = data.open("digits", split)
        for label in (0, 1):
            target = tmp_path / "data" / split / "ab"[label]
            target.mkdir(parents=True)
            for index in np.flatnonzero(source.labels == label)[:count]:
                Image.fromarray(source.images[index, ..., 0]).save(target / f"{index}.png")
    return tmp_path / "data"


def symptoms(path):
    """Returns the symptoms that the job finds, a dict of findings."""
    ((status, text, errors),) = run_in_one_process([("diagnose", f"--dataset=folder:{path}", "--format=json")])
    assert status == 0, errors
    return {finding.pop("symptom"): finding for finding in json.loads(text)}


def test_a_folder(folder):
    for path in sorted((folder / "train/a").iterdir())[:5]:
        (folder / "test/a" / f"copy{path.name}").write_bytes(path.read_bytes())
        (folder / "train/a" / f"copy{path.name}").write_bytes(path.read_bytes())
    found = symptoms(folder)
    assert set(found) == {"duplicate_images", "split_leak", "too_few_images"}
    assert found["split_leak"]["evidence"].startswith("5 of 45 (11 %) images are identical to a training image, such as a/copy")
    assert set(found["duplicate_images"]) == {"confidence", "evidence", "advice"}


def test_folders_that_cannot_be_opened(folder):
    (folder / "train/c").mkdir()
    (folder / "test/d").mkdir()
    found = symptoms(folder)
    assert list(found) == ["missing_class"]
    assert "3 class folders have no image or are missing: test/d, train/c, train/d" in found["missing_class"]["evidence"]


def test_a_table_of_labels_replaces_the_folders(folder):
    """The folders are batches of photos, and not the same ones in both splits."""
    (folder / "train/a").rename(folder / "train/batch1")
    (folder / "train/b").rename(folder / "train/batch2")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    rows = [f"{name},{'cat' if index % 2 else 'dog'}" for index, name in enumerate(files)]
    (folder / "labels.csv").write_text("\n".join(["file,label", *rows]))
    assert list(symptoms(folder)) == ["too_few_images"]


def test_leaks_into_the_validation_images(folder):
    (folder / "test").rename(folder / "val")
    for path in sorted((folder / "train/a").iterdir())[:5]:
        (folder / "val/a" / f"copy{path.name}").write_bytes(path.read_bytes())
    assert set(symptoms(folder)) == {"split_leak", "too_few_images"}


def test_splits_as_classes(folder):
    (folder / "train").rename(folder / "train_images")
    (folder / "test").rename(folder / "val_images")
    assert list(symptoms(folder)) == ["split_named_folders"]


def test_text_and_a_run(folder, capsys, tmp_path):
    config = digits_dcgan.get_config()
    config.update(dataset=f"folder:{folder}", steps=1, batch_size=8, image_size=8, conditional=False, metrics="", augment="")
    train_gan.train(config, tmp_path / "run")
    printed = "data: too_few_images (confidence 1.00): There are 80 images."
    assert printed in capsys.readouterr().out
    ((status, text, _),) = run_in_one_process([("diagnose", f"--workdir={tmp_path / 'run'}")])
    assert status == 0
    assert "too_few_images (confidence 1.00)\n  There are 80 images.\n  Set --config.augment=ada" in text
    page = (tmp_path / "run/report.html").read_text()
    assert "What the data shows" in page
    assert "There are 80 images." in page


def test_a_resumed_run_is_examined_again_only_if_its_images_change(folder, capsys, tmp_path):
    config = digits_dcgan.get_config()
    config.update(dataset=f"folder:{folder}", steps=1, batch_size=8, image_size=8, conditional=False, metrics="", augment="")
    train_gan.train(config, tmp_path / "run")
    capsys.readouterr()
    config.steps = 2
    train_gan.train(config, tmp_path / "run")
    assert "too_few_images" not in capsys.readouterr().out
    sorted((folder / "train/a").iterdir())[0].unlink()
    config.steps = 3
    train_gan.train(config, tmp_path / "run", accept_new_config=True)
    assert "There are 79 images" in capsys.readouterr().out


def test_a_classifier_shows_the_test_images_that_it_was_trained_on(folder, capsys, tmp_path):
    for path in sorted((folder / "train/a").iterdir())[:5]:
        (folder / "test/a" / f"copy{path.name}").write_bytes(path.read_bytes())
    config = base.classifier()
    config.update(dataset=f"folder:{folder}", method="supervised", networks="mlp", steps=1, batch_size=8)
    train_classifier.train(config, tmp_path / "run")
    assert "data: split_leak (confidence 1.00): 5 of 45" in capsys.readouterr().out
    assert (tmp_path / "run/diagnosis/split_leak.png").exists()
    assert "images that show split_leak" in (tmp_path / "run/report.html").read_text()


def test_flags_without_effect_are_errors(tmp_path):
    commands = [("diagnose",), ("diagnose", "--dataset=digits", "--workdir=x"), ("diagnose", "--workdir=x", "--fit=pad")]
    answers = run_in_one_process(commands)
    assert [status for status, _, _ in answers] == [2, 2, 2]
    messages = [errors[-1] for _, _, errors in answers]
    assert messages[:2] == ["error: pass either --workdir or --dataset"] * 2
    assert messages[2] == "error: --fit has no effect here: pass it with --dataset, or omit it"


@pytest.mark.parametrize("content", ["[]", '{"data": [{"symptom": "x"}]}', '{"data": [1]}', '{"run": 1}', "{"])
def test_a_damaged_diagnosis_is_not_shown(tmp_path, content):
    (tmp_path / "diagnosis.json").write_text(content)
    assert report._findings(tmp_path) == {}
