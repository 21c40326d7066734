import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.evaluation import keras_data

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 4, 4, 1), np.uint8)
LABELS = np.arange(10) % 3
FORM = {"images": ((4, 4, 1), None), "labels": ((), 3)}


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return IMAGES[rows], LABELS[rows]


class Endless(Batches):
    @property
    def num_batches(self):
        return None


def sources():
    dataset = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(4)
    return {
        "array": (IMAGES, LABELS),
        "integers": (IMAGES.astype(np.int64), LABELS),
        "floats": ((IMAGES / 127.5 - 1.0).astype(np.float32), LABELS),
        "tensor": (tf.constant(IMAGES), tf.constant(LABELS)),
        "dataset": (dataset,),
        "repeated": (dataset.repeat(), None, 3),
        "py_dataset": (Batches(),),
        "endless": (Endless(), None, 3),
    }


@pytest.mark.parametrize("name", sources())
def test_every_format_gives_the_same_source(name):
    source = keras_data.source_of(*sources()[name], form=FORM)
    np.testing.assert_array_equal(source.images, IMAGES)
    np.testing.assert_array_equal(source.labels, LABELS)
    assert (source.images.dtype, source.num_classes) == (np.uint8, 3)


def test_data_that_cannot_be_read_to_its_end_is_refused():
    dataset = tf.data.Dataset.from_tensor_slices(IMAGES).batch(4)
    for data, message in (
        (dataset.repeat(), "this dataset never ends: pass steps"),
        (Endless(), "this PyDataset never ends: pass steps"),
        (iter([IMAGES]), "got a list_iterator"),
        (None, "got a NoneType"),
        (tf.data.Dataset.zip(dataset, dataset, dataset), "got 3 parts"),
        (dataset.take(0), "there are no images to evaluate on"),
    ):
        with pytest.raises(ganlib.UserError, match=message):
            keras_data.source_of(data, form={"images": ((4, 4, 1), None)})


def test_split_is_that_of_keras():
    images, labels, (rest, rest_labels) = keras_data.split(IMAGES, LABELS, 0.3)
    np.testing.assert_array_equal(images, IMAGES[:7])
    np.testing.assert_array_equal(labels, LABELS[:7])
    np.testing.assert_array_equal(rest, IMAGES[7:])
    np.testing.assert_array_equal(rest_labels, LABELS[7:])
    for fraction in (0.99, 1.0, -0.5, "a", 1):
        with pytest.raises(ganlib.UserError, match="validation_split must leave images for both parts"):
            keras_data.split(IMAGES, LABELS, fraction)
    with pytest.raises(ganlib.UserError, match="validation_split needs an array of images"):
        keras_data.split(Batches(), None, 0.5)
