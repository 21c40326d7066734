import dataclasses

import keras
import numpy as np
import pytest

import ganlib
from ganlib import data
from ganlib.metrics import features, in_domain


def test_the_classifier_learns_the_digits_and_is_cached(tmp_path, caplog, monkeypatch):
    source, test = data.open("digits"), data.open("digits", "test")
    extractor = features.get("in_domain", source, tmp_path)
    result = extractor(test.images)
    assert result.features.shape == (500, 128)
    assert np.mean(result.probabilities.argmax(1) == test.labels) > 0.96
    (path,) = tmp_path.iterdir()
    cached = features.get("in_domain", source, tmp_path)
    assert cached.version == extractor.version
    np.testing.assert_array_equal(cached(test.images).features, result.features)
    monkeypatch.setattr(in_domain, "MIN_STEPS", 1)  # accuracy was checked above
    features.get("in_domain", source, tmp_path)
    (newer,) = set(tmp_path.iterdir()) - {path}
    newer.write_bytes(b"damaged")
    assert features.get("in_domain", source, tmp_path)(test.images).features.shape == (500, 128)
    assert "is damaged" in caplog.text


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((3, 8, 8, 1), np.float32), [0, 1, 0], "expected uint8 images .* got float32"),
        (np.zeros((3, 8, 8, 1), np.uint8), [0, 1], "got uint8 .3, 8, 8, 1. and .2,."),
        (np.zeros((3, 8, 8, 1), np.uint8), [0, 1, 2], "labels must be integers from 0 to 1, got int64 from 0 to 2"),
    ],
)
def test_invalid_training_data_is_rejected(images, labels, message):
    with pytest.raises(ganlib.UserError, match=message):
        in_domain.train(images, labels, 2)


@pytest.mark.parametrize(("count", "epochs"), [(5, 600), (128, 600), (1280, 60), (60_000, 4)])
def test_few_images_are_trained_on_for_as_many_steps(count, epochs, monkeypatch):
    trained = []
    monkeypatch.setattr(keras.Model, "fit", lambda model, *arguments, epochs, **others: trained.append(epochs))
    in_domain.train(np.zeros((count, 8, 8, 1), np.uint8), np.zeros(count, int), 1)
    assert trained == [epochs]


def test_a_class_without_images_is_reported(monkeypatch, caplog):
    monkeypatch.setattr(in_domain, "MIN_STEPS", 1)
    monkeypatch.setattr(in_domain, "EPOCHS", 1)
    in_domain.train(np.zeros((3, 8, 8, 1), np.uint8), [0, 0, 2], 3)
    assert "a classifier is trained on images of only 2 of 3 classes" in caplog.text


def test_a_classifier_that_cannot_be_written_is_one_line(tmp_path):
    """Other workers read it there. The folder is a file."""
    source = data.open("digits")
    (tmp_path / "file").write_text("")
    with pytest.raises(ganlib.UserError, match=r"cannot write .*file/in.domain_digits.*: set GANLIB_CACHE to a folder"):
        in_domain.store(in_domain.untrained(source), source, tmp_path / "file")


def test_labels_are_required():
    source = data.from_arrays("mine", np.zeros((3, 8, 8, 1), np.uint8))
    with pytest.raises(
        ganlib.UserError, match="labels of all images by index, which mine lacks: set other features, such as eff"
    ):
        in_domain.load(source)


def test_images_larger_than_memory_train_it_on_a_subset(monkeypatch, tmp_path):
    digits, trained = data.open("digits"), []
    monkeypatch.setattr("ganlib.data.source.MEMORY_LIMIT", 64 * 200)
    monkeypatch.setattr(in_domain, "train", lambda images, labels, *_, **__: trained.append((images, labels)) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        in_domain.load(dataclasses.replace(digits, images=None), tmp_path)
    ((images, labels),) = trained
    assert images.shape == (200, 8, 8, 1)
    assert len(labels) == 200


@pytest.mark.parametrize(
    ("shape", "first_maps"), [((127, 140, 1), (64, 70)), ((128, 300, 1), (32, 75)), ((300, 300, 1), (38, 38))]
)
def test_large_images_are_averaged(shape, first_maps):
    network = in_domain._network(shape, 2)
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    assert first.output.shape[1:3] == first_maps
    assert (in_domain.version(shape) == in_domain.version((8, 8, 1))) == (shape[0] < 128)


def test_the_test_images_can_train_it(monkeypatch):
    trained = []
    monkeypatch.setattr(in_domain, "load", lambda source, cache_dir: trained.append(source.name) or in_domain.untrained(source))
    source, test = data.open("digits"), data.open("digits", "test")
    for name, expected in (("in_domain", source.name), ("in_domain:test", test.name)):
        assert features.get(name, source, test=test).name == f"in_domain:{expected}"
        assert trained.pop() == expected
