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


def test_images_alone_come_in_every_form_that_keras_takes():
    alone = tf.data.Dataset.from_tensor_slices((FLOATS,)).batch(8)
    for data in (PIXELS, FLOATS, FLOATS.astype("float16"), PIXELS.astype("int32"), slices(PIXELS).batch(8), alone):
        assert trained(data) == 2
    assert trained(Batches(FLOATS)) == trained(Batches(PIXELS)) == 2
    assert trained((FLOATS[k : k + 8],) for k in (0, 8)) == 2


@pytest.mark.parametrize("labels", [LABELS, LABELS.astype("uint8"), LABELS.astype("float32"), LABELS > 0])
def test_labels_that_are_whole_numbers_are_taken(labels):
    assert trained(FLOATS, labels, num_classes=3) == 2
    assert trained(slices(FLOATS, labels).batch(8), num_classes=3) == 2


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (FLOATS.transpose(0, 3, 1, 2), r"images of a batch must have the shape \(n, 8, 8, 1\), but they have \(16, 1, 8, 8\)"),
        (FLOATS[..., 0], r"but they have \(16, 8, 8\)"),
        (FLOATS.reshape(16, -1), r"but they have \(16, 64\)"),
        (np.repeat(FLOATS, 3, axis=-1), r"but they have \(16, 8, 8, 3\)"),
        (PIXELS > 127, "images must be numbers, got bool: give uint8"),
        (np.array(["a", "b"]), "images must be numbers, got string"),
        (np.array([FLOATS[0], "b"], object), "images must be numbers, got"),
        (changed(FLOATS, (15, 2, 2, 0), np.nan), "images have values from nan to nan"),
        (changed(FLOATS, 15, 9.0), "images have values from -1 to 9"),
        (list(FLOATS), "images came as a list: give an array"),
        ({"image": FLOATS}, "images came as a dict: give an array"),
        ((FLOATS, LABELS), "images came as a tuple: give an array"),
        (None, "images came as a NoneType"),
        (slices(FLOATS), r"but they have \(8, 8, 1\)"),
        (slices(FLOATS).batch(4).batch(2), r"but they have \(2, 4, 8, 8, 1\)"),
        (tf.data.Dataset.from_tensor_slices({"image": FLOATS}).batch(8), "images came as a dict"),
        (slices(LABELS, FLOATS).batch(8), r"but they have \(8,\)"),
    ],
)  # fmt: skip
def test_what_are_no_images_of_the_gan_is_refused_before_the_first_update(images, told):
    with pytest.raises(ganlib.UserError, match=told):
        trained(images)


def test_a_source_is_not_its_batches():
    with pytest.raises(ganlib.UserError, match="digits/train is a source: give its batches"):
        trained(ganlib.data.open("digits"))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (LABELS - 1, "labels must be whole numbers from 0 to 2, but they go from -1 to 1"),
        (LABELS + 1, "from 1 to 3"),
        (LABELS + 0.5, "labels must be whole numbers"),
        (np.where(LABELS == 1, np.nan, LABELS), "labels must be whole numbers"),
        (np.eye(3)[LABELS], r"labels of a batch must have the shape \(n,\), an integer for each image"),
        (LABELS[:, None], r"labels of a batch must have the shape \(n,\)"),
        (np.array(["a", "b", "c"])[LABELS], "labels must be numbers, got string: number the classes from 0"),
    ],
)
def test_labels_that_are_none_of_the_classes_are_refused_before_the_first_update(labels, told):
    for data in ((FLOATS, labels), (slices(FLOATS, labels).batch(8),)):
        with pytest.raises(ganlib.UserError, match=told):
            trained(*data, num_classes=3)


def test_labels_of_a_dataset_are_refused_before_an_embedding_is_asked_for_them():
    for labels in (LABELS - 1, LABELS + 5):
        with pytest.raises(ganlib.UserError, match="labels must be whole numbers"):
            trained(slices(FLOATS, labels).batch(8), num_classes=3, run_eagerly=False)


def test_labels_that_are_not_there_or_not_as_many_are_one_line():
    with pytest.raises(ganlib.UserError, match=r"this GAN has 3 classes: train it on \(images, labels\)"):
        trained(FLOATS, num_classes=3)
    with pytest.raises(ganlib.UserError, match="16 images need as many labels, got 8"):
        trained(FLOATS, LABELS[:8], num_classes=3)
    with pytest.raises(ganlib.UserError, match="labels came as a list"):
        trained(FLOATS, LABELS.tolist(), num_classes=3)


def test_classifiers_are_told_what_they_are_trained_on():
    sgan = ganlib.SemiSupervisedGAN(mlp.Generator((8, 8, 1)), mlp.Discriminator((8, 8, 1)), num_classes=3)
    sgan.compile(adam(), adam())
    with pytest.raises(ganlib.UserError, match=r"batches of \(labeled images, labels, unlabeled images\)"):
        sgan.fit(slices(FLOATS, LABELS).batch(8), verbose=0)
    supervised = ganlib.SupervisedClassifier(sgan.network)
    supervised.compile(adam())
    with pytest.raises(ganlib.UserError, match="labels must be whole numbers from 0 to 2"):
        supervised.fit(FLOATS, LABELS - 1, verbose=0)
