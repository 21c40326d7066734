import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data
from ganlib.data import pipeline
from ganlib.data import source as source_module


def test_the_digits_are_complete():
    train, test = data.open("digits"), data.open("digits", "test")
    assert train.image_shape == (8, 8, 1)
    assert (train.num_examples, test.num_examples, train.num_classes) == (1297, 500, 10)
    assert train.images.dtype == np.uint8
    assert train.images.max() == 255
    # The sum over both splits is that of scikit-learn's whole set, scaled by 255/16 and rounded.
    from sklearn.datasets import load_digits

    total = np.round(load_digits().images * 255 / 16).sum()
    assert train.images.sum(dtype=np.float64) + test.images.sum(dtype=np.float64) == total
    assert set(np.bincount(test.labels)) == {50}


def test_digits_resized():
    source = data.open("digits", image_size=16)
    assert source.image_shape == (16, 16, 1)
    assert abs(source.images.mean() - data.open("digits").images.mean()) < 3


def test_subset_keeps_images_and_labels_together():
    source = data.open("digits")
    subset = source.subset([5, 3])
    assert subset.num_examples == 2
    np.testing.assert_array_equal(subset.images, source.images[[5, 3]])
    np.testing.assert_array_equal(subset.labels, source.labels[[5, 3]])
    np.testing.assert_array_equal(subset.read(tf.constant([1])), source.images[[3]])


def test_images_in_memory_are_not_copied_into_the_pipelines_graph():
    """A graph is limited to 2 GB, and a constant in it takes many times its size."""
    source = data.from_arrays("zeros", np.zeros((1000, 32, 32, 3), np.uint8))
    graph = tf.function(source.read).get_concrete_function(tf.TensorSpec((4,), tf.int64)).graph
    assert graph.as_graph_def().ByteSize() < 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "mnits"}, "unknown dataset 'mnits'.*Did you mean 'mnist'"),
        ({"name": "digits", "split": "dev"}, "digits has no split 'dev': choose train or test"),
        ({"name": "digits", "image_size": 0}, "image_size must be one positive integer, .* got 0"),
    ],
)
def test_unknown_datasets_are_rejected(arguments, message):
    with pytest.raises(ganlib.UserError, match=message):
        data.open(**arguments)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 4, 4, 1), np.float32), "must be uint8 .* got float32"),
        (np.zeros((2, 4, 4), np.uint8), r"must be uint8 .* got uint8 \(2, 4, 4\)"),
        (np.zeros((2, 0, 4, 1), np.uint8), r"got uint8 \(2, 0, 4, 1\)"),
        (np.zeros((2, 4, 4, 2), np.uint8), r"1 channel \(gray\) or 3 \(RGB\), got 2: convert them"),
        (np.zeros((2, 4, 4, 4), np.uint8), r"1 channel \(gray\) or 3 \(RGB\), got 4: convert them"),
    ],
)
def test_invalid_arrays_are_rejected(images, message):
    with pytest.raises(ganlib.UserError, match=message):
        data.from_arrays("mine", images)


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0, 0.5], "float64 such as 0.5"), ([1, np.nan], "float64 such as nan"), ([np.inf, 0], "float64 such as inf"),
     (["cat", "dog"], "<U3 such as cat"), ([None, 1], "object such as None")],
)  # fmt: skip
def test_labels_that_are_not_integers_are_rejected(labels, message):
    with pytest.raises(ganlib.UserError, match=f"mine: labels must be integers, got {message}: number the classes from 0"):
        data.from_arrays("mine", np.zeros((2, 4, 4, 1), np.uint8), labels)


def test_whole_floats_are_accepted_as_labels():
    assert data.from_arrays("mine", np.zeros((2, 4, 4, 1), np.uint8), [1.0, 0.0]).labels.tolist() == [1, 0]


def test_class_names_that_repeat_or_have_no_labels_are_rejected():
    images = np.zeros((2, 4, 4, 1), np.uint8)
    with pytest.raises(ganlib.UserError, match="class names must be unique, got cat, cat"):
        data.from_arrays("mine", images, [0, 1], ["cat", "cat"])
    with pytest.raises(ganlib.UserError, match="there are classes cat, dog, but no labels"):
        data.from_arrays("mine", images, None, ["cat", "dog"])
    with pytest.raises(ganlib.UserError, match="mine has no labels: omit classes=cat"):
        data.from_arrays("mine", images).of_classes(["cat"])


@pytest.mark.parametrize(
    ("indices", "message"),
    [([True, False], "selected by integers, got bool: use np.flatnonzero for a mask"), ([0.5], "by integers, got float64"),
     ([-1], "must be from 0 to 1, got -1 to -1"), ([0, 2], "must be from 0 to 1, got 0 to 2")],
)  # fmt: skip
def test_invalid_indices_are_rejected(indices, message):
    source = data.from_arrays("mine", np.zeros((2, 4, 4, 1), np.uint8))
    for pick in (source.pick, source.subset):
        with pytest.raises(ganlib.UserError, match=message):
            pick(indices)


def test_a_missing_tfds_dataset_that_cannot_be_downloaded(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    def no_network(self, **arguments):
        raise ConnectionError("no route")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", no_network)
    with pytest.raises(ganlib.UserError, match=r"'mnist' is not in .* could not be downloaded \(ConnectionError: no route\)"):
        data.open("mnist", data_dir=str(tmp_path))


def test_mnist_has_the_canonical_mean(tfds_dir):
    source = data.open("mnist", data_dir=tfds_dir)
    assert (source.num_examples, source.image_shape, source.num_classes) == (60_000, (28, 28, 1), 10)
    assert source.images.mean() == pytest.approx(33.318, abs=1e-3)
    assert source.origin == "mnist/3.0.1 train"
    assert np.bincount(source.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_cifar10_resized_from_the_folder_in_the_environment(tfds_dir, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", tfds_dir)
    source = data.open("cifar10", "test", image_size=16)
    assert source.images.shape == (10_000, 16, 16, 3)
    assert source.class_names[0] == "airplane"


def test_a_large_tfds_dataset_is_streamed_in_an_order_determined_by_seed_and_epoch(tfds_dir, monkeypatch):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 1000)
    source = data.open("mnist", "test", data_dir=tfds_dir)
    assert source.images is None
    assert source.fetch is None
    for unsupported in (lambda: source.subset([0]), lambda: source.pick([0]), lambda: source.of_classes(["3"])):
        with pytest.raises(ganlib.UserError, match="mnist/test is streamed.*cannot be selected: write it once with"):
            unsupported()

    def batch(seed, start_step):
        return next(iter(pipeline.batches(source, 64, seed, start_step)))

    images, labels = batch(0, 0)
    assert images.shape == (64, 28, 28, 1)
    assert images.dtype == tf.uint8
    np.testing.assert_array_equal(images, batch(0, 0)[0])
    assert not np.array_equal(images, batch(1, 0)[0])
    assert len(set(labels.numpy())) > 5
    # Batch 3 is the same whether a run starts at step 0 or 3.
    first_batches = list(pipeline.batches(source, 64, 0, 0).take(4))
    np.testing.assert_array_equal(first_batches[3][0], batch(0, 3)[0])
    # The second epoch has another order.
    assert not np.array_equal(images, batch(0, 10_000 // 64 + 1)[0])


@pytest.mark.parametrize("labels", [[0, 1, 3], [-1, 0, 1], [0, 1]])
def test_labels_that_do_not_match_are_rejected(labels):
    with pytest.raises(ganlib.UserError, match="mine: 3 images need one label each from 0 to 2, got"):
        data.from_arrays("mine", np.zeros((3, 8, 8, 1), np.uint8), labels, ("a", "b", "c"))


def test_selected_classes_are_renumbered():
    digits = data.open("digits")
    selected = digits.of_classes(["7", 3])
    assert (selected.name, selected.class_names) == ("digits/train[7,3]", ("7", "3"))
    for new, old in enumerate((7, 3)):
        np.testing.assert_array_equal(selected.images[selected.labels == new], digits.images[digits.labels == old])
    named = data.from_arrays("pets", digits.images[:3], [0, 1, 1], ("cat", "dog")).of_classes(["dog"])
    np.testing.assert_array_equal(named.images, digits.images[1:3])
    with pytest.raises(ganlib.UserError, match="unknown class of digits/train '10': known are 0, 1"):
        digits.of_classes(["10"])
    with pytest.raises(ganlib.UserError, match="classes must be unique, got 3,3"):
        digits.of_classes(["3", "3"])


def test_the_fingerprint_depends_on_images_labels_and_class_names():
    images = np.arange(4 * 8 * 8, dtype=np.uint8).reshape(4, 8, 8, 1)
    fingerprint = data.from_arrays("mine", images, [0, 1, 0, 1], ("a", "b")).fingerprint
    assert len(fingerprint) == 64
    assert data.from_arrays("by another name", images.copy(), np.array([0, 1, 0, 1]), ["a", "b"]).fingerprint == fingerprint
    others = [
        data.from_arrays("mine", images + 1, [0, 1, 0, 1], ("a", "b")),
        data.from_arrays("mine", images[::-1], [0, 1, 0, 1], ("a", "b")),
        data.from_arrays("mine", images.reshape(4, 4, 16, 1), [0, 1, 0, 1], ("a", "b")),
        data.from_arrays("mine", images, [0, 1, 1, 0], ("a", "b")),
        data.from_arrays("mine", images, [0, 1, 0, 1], ("b", "a")),
        data.from_arrays("mine", images, [0, 1, 0, 1], ("a", "b", "c")),
        data.from_arrays("mine", images),
        data.from_arrays("mine", images[:3], [0, 1, 0], ("a", "b")),
    ]
    assert len({fingerprint, *(other.fingerprint for other in others)}) == 9


def test_subsets_have_different_fingerprints():
    digits = data.open("digits")
    seven, three = digits.of_classes(["7", "3"]), digits.of_classes(["3", "7"])
    assert len({source.fingerprint for source in (digits, seven, three, digits.subset([0, 1]), digits.subset([1, 0]))}) == 5
    assert seven.fingerprint == data.open("digits").of_classes(["7", "3"]).fingerprint


def test_the_fingerprint_of_a_tfds_dataset_depends_on_split_and_size(tfds_dir, monkeypatch):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 1000)
    opened = [
        data.open("mnist", *arguments, tfds_dir) for arguments in (("test", 28), ("test", 28), ("test", 27), ("train", 28))
    ]
    fingerprints = [source.fingerprint for source in opened]
    assert fingerprints[0] == fingerprints[1]
    assert len(set(fingerprints)) == 3


@pytest.mark.parametrize("change", [{"num_examples": 12}, {"origin": "mnist/4.0.0 test"}, {"class_names": ("a",)}])
def test_the_fingerprint_of_a_stream_depends_on_its_metadata(change):
    source = data.Source("mnist/test", (8, 8, 1), 10, stream=None, origin="mnist/3.0.1 test")
    assert dataclasses.replace(source).fingerprint == source.fingerprint != dataclasses.replace(source, **change).fingerprint


@pytest.mark.parametrize(
    "arguments", [{"image_size": 8.0}, {"image_size": True}, {"image_size": (8, 8, 1)}, {"name": None}, {"split": 3}]
)
def test_arguments_of_another_type_are_rejected(arguments):
    with pytest.raises(ganlib.UserError, match=r"must be one positive integer|must be a string"):
        data.open(**arguments)
