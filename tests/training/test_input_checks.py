import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.networks import mlp
from tests.helpers import adam, mlp_gan

PIXELS = np.random.RandomState(0).randint(0, 256, (16, 8, 8, 1)).astype("uint8")
FLOATS = (PIXELS / 127.5 - 1.0).astype("float32")
LABELS = np.arange(16) % 3


class Batches(keras.utils.PyDataset):
    def __init__(self, *arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return 2

    def __getitem__(self, index):
        parts = tuple(x[8 * index : 8 * index + 8] for x in self.arrays)
        return parts if len(parts) > 1 else parts[0]


def trained(*data, num_classes=None, run_eagerly=True):
    gan = mlp_gan(num_classes, run_eagerly=run_eagerly)
    gan.fit(*data, verbose=0, **({"batch_size": 8} if isinstance(data[0], np.ndarray) else {}))
    return gan.step.numpy()


def changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


def slices(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays if len(arrays) > 1 else arrays[0])


def test_images_in_every_format_that_keras_accepts():
    one_tuples = tf.data.Dataset.from_tensor_slices((FLOATS,)).batch(8)
    for data in (PIXELS, FLOATS, FLOATS.astype("float16"), PIXELS.astype("int32"), slices(PIXELS).batch(8), one_tuples):
        assert trained(data) == 2
    assert trained(Batches(FLOATS)) == trained(Batches(PIXELS)) == 2
    assert trained((FLOATS[k : k + 8],) for k in (0, 8)) == 2


@pytest.mark.parametrize("labels", [LABELS, LABELS.astype("uint8"), LABELS.astype("float32"), LABELS > 0])
def test_whole_number_labels_are_accepted(labels):
    assert trained(FLOATS, labels, num_classes=3) == 2
    assert trained(slices(FLOATS, labels).batch(8), num_classes=3) == 2


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (FLOATS.transpose(0, 3, 1, 2), r"images of a batch must have the shape \(n, 8, 8, 1\), got \(16, 1, 8, 8\)"),
        (FLOATS[..., 0], r"got \(16, 8, 8\)"),
        (FLOATS.reshape(16, -1), r"got \(16, 64\)"),
        (np.repeat(FLOATS, 3, axis=-1), r"got \(16, 8, 8, 3\)"),
        (PIXELS > 127, "images must be numbers, got bool: pass uint8"),
        (np.array(["a", "b"]), "images must be numbers, got string"),
        (np.array([FLOATS[0], "b"], object), "images must be numbers, got"),
        (changed(FLOATS, (15, 2, 2, 0), np.nan), "images have values from nan to nan"),
        (changed(FLOATS, 15, 9.0), "images have values from -1 to 9"),
        (list(FLOATS), "images must be an array, got a list: pass an array"),
        ({"image": FLOATS}, "images must be an array, got a dict: pass an array"),
        ((FLOATS, LABELS), "images must be an array, got a tuple: pass an array"),
        (None, "images must be an array, got a NoneType"),
        (slices(FLOATS), r"got \(8, 8, 1\)"),
        (slices(FLOATS).batch(4).batch(2), r"got \(2, 4, 8, 8, 1\)"),
        (tf.data.Dataset.from_tensor_slices({"image": FLOATS}).batch(8), "images must be an array, got a dict"),
        (slices(LABELS, FLOATS).batch(8), r"got \(8,\)"),
    ],
)
def test_invalid_images_raise_before_the_first_update(images, message):
    with pytest.raises(ganlib.UserError, match=message):
        trained(images)


def test_source_instead_of_batches_raises():
    with pytest.raises(ganlib.UserError, match="digits/train is a source: pass its batches"):
        trained(ganlib.data.open("digits"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS - 1, "labels must be whole numbers from 0 to 2, got numbers from -1 to 1"),
        (LABELS + 1, "from 1 to 3"),
        (LABELS + 0.5, "labels must be whole numbers"),
        (np.where(LABELS == 1, np.nan, LABELS), "labels must be whole numbers"),
        (np.eye(3)[LABELS], r"labels of a batch must have the shape \(n,\), an integer for each image"),
        (LABELS[:, None], r"labels of a batch must have the shape \(n,\)"),
        (np.array(["a", "b", "c"])[LABELS], "labels must be numbers, got string: number the classes from 0"),
    ],
)
def test_invalid_labels_raise_before_the_first_update(labels, message):
    for data in ((FLOATS, labels), (slices(FLOATS, labels).batch(8),)):
        with pytest.raises(ganlib.UserError, match=message):
            trained(*data, num_classes=3)


def test_invalid_labels_of_a_dataset_raise_before_the_embedding_lookup():
    for labels in (LABELS - 1, LABELS + 5):
        with pytest.raises(ganlib.UserError, match="labels must be whole numbers"):
            trained(slices(FLOATS, labels).batch(8), num_classes=3, run_eagerly=False)


def test_missing_or_too_few_labels_raise():
    with pytest.raises(ganlib.UserError, match=r"this GAN has 3 classes: train it on \(images, labels\)"):
        trained(FLOATS, num_classes=3)
    with pytest.raises(ganlib.UserError, match="16 images need as many labels, got 8"):
        trained(FLOATS, LABELS[:8], num_classes=3)
    with pytest.raises(ganlib.UserError, match="labels must be an array, got a list"):
        trained(FLOATS, LABELS.tolist(), num_classes=3)


def test_classifiers_with_invalid_batches_raise():
    sgan = ganlib.SemiSupervisedGAN(mlp.Generator((8, 8, 1)), mlp.Discriminator((8, 8, 1)), num_classes=3)
    sgan.compile(adam(), adam())
    with pytest.raises(ganlib.UserError, match=r"batches of \(labeled images, labels, unlabeled images\)"):
        sgan.fit(slices(FLOATS, LABELS).batch(8), verbose=0)
    supervised = ganlib.SupervisedClassifier(sgan.network)
    supervised.compile(adam())
    with pytest.raises(ganlib.UserError, match="labels must be whole numbers from 0 to 2"):
        supervised.fit(FLOATS, LABELS - 1, verbose=0)
