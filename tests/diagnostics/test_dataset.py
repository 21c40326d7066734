"""Each symptom of a dataset is found where it was made, and not in healthy datasets."""

import dataclasses
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganlib import data, diagnostics
from ganlib.data import fitting
from ganlib.diagnostics.finding import confidence

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def digits():
    return data.open("digits")


@pytest.fixture(scope="module")
def photos():
    """Smooth random gray images of 32x32 that all differ."""
    coarse = np.random.default_rng(1).integers(0, 256, (300, 6, 6), np.uint8)
    resized = [Image.fromarray(image).resize((32, 32), Image.Resampling.BICUBIC) for image in coarse]
    return np.stack(resized)[..., None]


def found(images, labels=None, class_names=(), **arguments):
    source = data.from_arrays("made", images, labels, class_names)
    return {finding.symptom: finding for finding in diagnostics.of_dataset(source, is_gan=False, **arguments)}


def test_healthy_digits_have_no_symptom(digits):
    assert diagnostics.of_dataset(digits, data.open("digits", "test")) == []


def test_healthy_images_have_no_symptom(photos):
    assert found(photos) == {}


def jpeg(image):
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0]).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer))[..., None]


def brighter(image):
    return np.clip(image * 1.08, 0, 255).astype(np.uint8)


def resized(image):
    return fitting.fit_array(fitting.fit_array(image, (24, 24)), (32, 32))


def noisy(image):
    return np.clip(image + RNG.normal(0, 2, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("edit", [np.copy, jpeg, brighter, resized, noisy])
def test_copies_are_found(photos, edit):
    copies = np.stack([edit(image) for image in photos[100:130]])
    finding = found(np.concatenate([photos, copies]))["duplicate_images"]
    assert finding.confidence >= 0.9
    assert set(range(300, 330)) <= set(finding.images) | set(finding.images + 200)
    word = "30 of 330 (9.1 %) images are identical" if edit is np.copy else "nearly identical to another image"
    assert word in finding.evidence


def test_a_single_copy_in_a_large_set_is_not_reported(digits):
    images = np.concatenate([digits.images, digits.images[:1]])
    assert found(images) == {}


def test_test_images_in_the_training_set_are_found(digits):
    test = data.open("digits", "test")
    leaking = data.from_arrays("test", np.concatenate([test.images, digits.images[[7, 8, 9, 10, 11]]]))
    (finding,) = diagnostics.of_dataset(digits, leaking)
    assert finding.symptom == "split_leak"
    assert finding.evidence == "5 of 505 (1.0 %) images are identical to a training image, such as test#500 and digits/train#7."
    assert finding.images.tolist() == [500, 501, 502, 503, 504]


def test_a_test_set_of_training_images_only(digits):
    (finding,) = diagnostics.of_dataset(digits, digits.subset(range(100)))
    assert finding.evidence.startswith("100 of 100 (100 %) images are identical to a training image")


def test_copies_among_a_part_of_the_images_are_extrapolated(photos):
    images = np.concatenate([photos, photos[:3]])
    finding = diagnostics.duplicate_images(images, fraction=0.1)
    assert "3 of 303 (1.0 %)" in finding.evidence
    assert finding.evidence.endswith("Only 10 % of the images were searched for copies: of all, about 10 % have one.")
    assert diagnostics.duplicate_images(images[:-1], fraction=0.1) is None  # two may be chance


@pytest.mark.parametrize("value", [0, 128, 255])
def test_blank_images_are_found(photos, value):
    images = photos.copy()
    images[[3, 50]] = value
    finding = found(images)["blank_images"]
    assert finding.images.tolist() == [3, 50]
    assert "2 of 300 (0.7 %)" in finding.evidence


def test_a_color_without_contrast_is_blank():
    image = np.zeros((1, 8, 8, 3), np.uint8) + np.array([200, 10, 10], np.uint8)
    assert diagnostics.blank_images(image).confidence == 1.0
    stripes = image.copy()
    stripes[:, ::2] = [10, 10, 200]
    assert diagnostics.blank_images(stripes) is None


def test_values_from_0_to_1_are_named(photos):
    finding = found((photos > 128).astype(np.uint8))["blank_images"]
    assert "values from 0 to 1" in finding.advice


@pytest.mark.parametrize("count", [10, 60])
def test_images_of_another_kind_are_found(photos, count):
    noise = RNG.integers(0, 256, (count, 32, 32, 1), np.uint8)
    finding = found(np.concatenate([photos, noise]))["outlier_images"]
    assert set(finding.images) == set(range(300, 300 + count))


def test_inverted_digits_are_another_kind(digits):
    images = digits.images.copy()
    images[:100] = 255 - images[:100]
    members = found(images)["outlier_images"].images
    assert np.mean(members < 100) > 0.95


@pytest.mark.parametrize("count", [20, 60, 100, 300, 600])
def test_random_parts_of_a_healthy_dataset_have_no_outliers(digits, count):
    for seed in range(3):
        images = digits.images[np.random.default_rng(seed).permutation(len(digits.images))[:count]]
        assert diagnostics.outlier_images(images) is None, seed


def test_rare_classes_are_found(digits):
    kept = np.flatnonzero((digits.labels != 3) | (np.arange(len(digits.labels)) < 100))
    finding = found(digits.images[kept], digits.labels[kept])["class_imbalance"]
    counts = np.bincount(digits.labels[kept])
    assert f"Class '3' has {counts[3]} images" not in finding.evidence  # the largest class comes first
    assert f"class '3' {counts[3]}" in finding.evidence
    assert (digits.labels[kept][finding.images] == 3).all()


def test_a_ratio_of_two_to_one_is_no_imbalance():
    assert diagnostics.class_imbalance(np.array([0] * 20 + [1] * 10), ("a", "b")) is None


def test_classes_without_images_are_found(digits):
    kept = digits.labels != 7
    finding = found(digits.images[kept], digits.labels[kept], tuple(map(str, range(10))))["missing_class"]
    assert finding.confidence == 1.0
    assert "have no image: 7" in finding.evidence


def test_a_gap_in_numbered_classes_is_found():
    names = ("0", "1", "2", "3", "5", "6")
    finding = diagnostics.missing_class(np.arange(6), names)
    assert "from 0 to 6, but there is no 4" in finding.evidence
    assert diagnostics.missing_class(np.arange(6), names, is_series=False) is None
    names = tuple(sorted(str(k) for k in range(12) if k != 10))
    assert "from 0 to 11, but there is no 10" in diagnostics.missing_class(np.arange(11), names).evidence
    assert diagnostics.missing_class(np.arange(3), ("3", "7", "9")) is None
    assert diagnostics.missing_class(np.arange(3), ("2021", "2024", "2026")) is None


SPLITS = [("train", "val"), ("Training", "Validation"), ("train2017", "val2017"), ("testset", "trainset")]


@pytest.mark.parametrize("names", SPLITS)
def test_splits_as_classes_are_found(names):
    assert diagnostics.split_named_folders(names).symptom == "split_named_folders"


@pytest.mark.parametrize("names", [("cat", "dog"), ("bus", "train"), ("test_tube", "flask"), ()])
def test_classes_with_similar_names_are_not(names):
    assert diagnostics.split_named_folders(names) is None


def test_the_classes_are_those_of_the_labeled_images(digits):
    balanced = dataclasses.replace(digits, labels=None, class_names=())
    rare = digits.subset(np.flatnonzero((digits.labels > 1) | (np.arange(len(digits.labels)) < 60)))
    (finding,) = diagnostics.of_dataset(balanced, labeled=rare, is_gan=False)
    assert finding.symptom == "class_imbalance"


def test_too_few_images():
    assert diagnostics.too_few_images(150).confidence == 1.0
    assert 0.5 <= diagnostics.too_few_images(900).confidence < 0.6
    assert diagnostics.too_few_images(1000) is not None
    assert diagnostics.too_few_images(1001) is None
    assert diagnostics.too_few_images(100, is_augmented=True) is None
    assert "15 for each of 100 classes" in diagnostics.too_few_images(1500, num_classes=100).evidence


def test_images_on_demand_are_examined(digits):
    copied = data.from_arrays("made", np.concatenate([digits.images, digits.images[:200]]))
    on_demand = dataclasses.replace(copied, images=None)
    assert [finding.symptom for finding in diagnostics.of_dataset(on_demand, is_gan=False)] == ["duplicate_images"]


def test_streams_are_examined(digits):
    copied = data.from_arrays("made", np.concatenate([digits.images[:200], digits.images]))
    dataset = tf.data.Dataset.from_tensor_slices((copied.images, np.zeros(copied.num_examples, np.int64)))
    streamed = dataclasses.replace(copied, images=None, fetch=None, stream=lambda seed, start: dataset)
    (finding,) = diagnostics.of_dataset(streamed, is_gan=False)
    assert finding.symptom == "duplicate_images"
    assert "such as one of made" in finding.evidence


def test_confidence_is_a_half_at_the_threshold():
    assert confidence(4.0, 4.0, 10.0) == 0.5
    assert confidence(7.0, 4.0, 10.0) == 0.75
    assert confidence(99.0, 4.0, 10.0) == 1.0
    assert confidence(3.99, 4.0, 10.0) is None
    assert confidence(100, 1000, 200) == 1.0
    assert confidence(1001, 1000, 200) is None
