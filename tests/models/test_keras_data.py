"""Every source of batches that Keras has: it trains rightly, or one line says what to do."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganlib
from tests.helpers import mlp_gan, replicas, slow_beyond

PIXELS = np.random.RandomState(0).randint(0, 256, (16, 8, 8, 1)).astype("uint8")
LABELS = np.arange(16) % 3


@pytest.fixture
def folder(tmp_path):
    """A folder with a subfolder for each of two classes."""
    for index, image in enumerate(PIXELS):
        path = tmp_path / str(index % 2) / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
    return tmp_path


def directory(folder, label_mode="int", **arguments):
    return keras.utils.image_dataset_from_directory(
        folder, label_mode=label_mode, color_mode="grayscale", batch_size=8, image_size=(8, 8), verbose=False, **arguments
    )


def error_line(function):
    with pytest.raises(ganlib.UserError, match="^[^\n]*$") as error:
        function()
    return str(error.value)


@pytest.mark.parametrize("num_classes", [None, 2])
def test_images_of_a_directory_are_refused_with_code_that_works_when_pasted(folder, num_classes):
    dataset = directory(folder)
    message = error_line(lambda: mlp_gan(num_classes).fit(dataset, verbose=0))
    assert message.endswith("such as dataset.map(lambda x, y: (x / 127.5 - 1.0, y)) for pixels in [0, 255]")
    gan = mlp_gan(num_classes)
    gan.fit(eval(message.split("such as ")[1].split(" for ")[0]), epochs=2, verbose=0)
    assert int(gan.step) == 4


def test_a_directory_without_labels(folder):
    dataset = directory(folder, None)
    message = error_line(lambda: mlp_gan().fit(dataset, verbose=0))
    mlp_gan().fit(eval(message.split("such as ")[1].split(" for ")[0]), verbose=0)


@pytest.mark.parametrize(("label_mode", "shape"), [("categorical", "(n, 2)"), ("binary", "(n, 1)")])
def test_labels_of_a_directory_that_are_no_integers(folder, label_mode, shape):
    dataset = directory(folder, label_mode).map(lambda x, y: (x / 127.5 - 1.0, y))
    message = error_line(lambda: mlp_gan(2).fit(dataset, verbose=0))
    assert f"got {shape}" in message
    mlp_gan(2).fit(eval(message.split(" or ")[1]), verbose=0)


def test_arrays_of_pixels_as_floats():
    images = PIXELS.astype(np.float32)
    message = error_line(lambda: mlp_gan().fit(images, verbose=0))
    mlp_gan().fit(eval(message.split("such as ")[1].split(" for ")[0]), verbose=0)


@pytest.mark.parametrize(
    ("images", "advice"),
    [
        (PIXELS.transpose(0, 3, 1, 2), "np.transpose(images, (0, 2, 3, 1))"),
        (PIXELS[..., 0], "images[..., None]"),
        (PIXELS[:, :4], "build the networks for images of (4, 8, 1)"),
        (np.repeat(PIXELS, 3, axis=-1), "build the networks for images of (8, 8, 3)"),
        (PIXELS[0], "dataset.batch(64)"),
    ],
)
def test_images_of_another_shape(images, advice):
    assert advice in error_line(lambda: mlp_gan().fit(images, verbose=0))


@pytest.mark.parametrize(
    ("labels", "advice"), [(np.eye(3)[LABELS], "labels.argmax(axis=-1)"), (LABELS[:, None], "labels[:, 0]")]
)
def test_labels_of_another_shape(labels, advice):
    assert advice in error_line(lambda: mlp_gan(3).fit(PIXELS, labels, verbose=0))
    mlp_gan(3).fit(PIXELS, eval(advice), verbose=0)


class Batches(keras.utils.PyDataset):
    """Batches whose last one is another in later epochs."""

    def __init__(self, images, labels, epoch, images_then, labels_then):
        super().__init__()
        self.data, self.then, self.epochs_left = (images, labels), (images_then, labels_then), epoch

    def __len__(self):
        return 2

    def __getitem__(self, index):
        rows = slice(8 * index, 8 * index + 8)
        return tuple(x[rows] for x in (self.data if self.epochs_left > 0 or index == 0 else self.then))

    def on_epoch_end(self):
        self.epochs_left -= 1


FLOATS = (PIXELS / 127.5 - 1.0).astype(np.float32)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [(FLOATS * 127, LABELS, "images have values"), (FLOATS, LABELS + 1, "labels must be whole")],
)
def test_batches_of_a_later_epoch_are_checked(images, labels, message):
    gan = mlp_gan(3)
    assert message in error_line(lambda: gan.fit(Batches(FLOATS, LABELS, 2, images, labels), epochs=3, verbose=0))
    assert int(gan.step) == 3
    gan.fit(Batches(FLOATS, LABELS, 9, images, labels), epochs=3, verbose=0)


def test_a_later_batch_of_a_dataset_and_of_a_generator_is_checked():
    images = np.concatenate([FLOATS[:8], FLOATS[8:] * 127])
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(8)
    assert "dataset.map(lambda x: x / 127.5 - 1.0)" in error_line(lambda: mlp_gan().fit(dataset, verbose=0))
    assert "images / 127.5 - 1.0" in error_line(lambda: mlp_gan().fit((images[k : k + 8] for k in (0, 8)), verbose=0))


def test_validation_data_is_checked():
    gan = mlp_gan(3, metrics=["kid"])
    for images, labels, message in (
        (FLOATS * 127, LABELS, "images have values"),
        (FLOATS[:, :4], LABELS, "build the networks for images of (4, 8, 1)"),
        (FLOATS, LABELS + 1, "one label each from 0 to 2"),
        (FLOATS, None, "evaluated on images and labels"),
        (FLOATS, np.eye(3)[LABELS], "labels.argmax(axis=-1)"),
    ):
        assert message in error_line(lambda data=(images, labels): gan.fit(FLOATS, LABELS, validation_data=data, verbose=0))
    endless = tf.data.Dataset.from_tensor_slices((FLOATS, LABELS)).batch(8).repeat()
    assert "pass steps (validation_steps in fit)" in error_line(
        lambda: gan.fit(FLOATS, LABELS, validation_data=endless, verbose=0)
    )
    assert "got a generator" in error_line(lambda: gan.fit(FLOATS, LABELS, validation_data=(x for x in [FLOATS]), verbose=0))
    assert int(gan.step) == 0


def test_a_dataset_that_never_ends_needs_steps():
    dataset = tf.data.Dataset.from_tensor_slices(PIXELS).batch(8).repeat()
    assert "pass steps_per_epoch" in error_line(lambda: mlp_gan().fit(dataset, verbose=0))
    mlp_gan().fit(dataset, steps_per_epoch=2, verbose=0)


def test_a_last_batch_with_fewer_images_than_updates_of_the_discriminator():
    """The loss of an update without images would be NaN, and so would all weights after it."""
    gan = mlp_gan(discriminator_steps=4)
    assert "fewer images than the 4 parts" in error_line(lambda: gan.fit(PIXELS[:10], batch_size=8, verbose=0))
    assert np.isfinite(gan.generate(1)).all()
    assert int(gan.step) == 1
    gan.fit(PIXELS[:12], batch_size=8, verbose=0)


def test_a_batch_smaller_than_the_number_of_replicas():
    with replicas(2).scope():
        gan = mlp_gan()
    dataset = tf.data.Dataset.from_tensor_slices(PIXELS[:9]).batch(8)
    assert "drop_remainder=True" in error_line(lambda: gan.fit(dataset, verbose=0))
    gan.fit(dataset.unbatch().batch(8, drop_remainder=True), verbose=0)
    assert np.isfinite(gan.generate(2)).all()


@pytest.mark.parametrize("dtype", slow_beyond(["float64", "float16"], 1))
def test_images_of_another_float_dtype_train_as_float32(dtype):
    """uint8 arrays divided by 127.5 are float64, and a dataset keeps that."""
    images = (PIXELS / 127.5 - 1.0).astype(dtype)
    trained = []
    for dataset in (images, images.astype(np.float32)):
        keras.utils.set_random_seed(0)
        gan = mlp_gan(3, penalties=["wgan_gp"], augment="translation")
        gan.fit(tf.data.Dataset.from_tensor_slices((dataset, LABELS)).batch(8), verbose=0)
        trained.append(gan.generate(3))
    np.testing.assert_array_equal(*trained)


def test_whole_numbers_as_floats_are_labels():
    classifiers = []
    for labels in (LABELS, LABELS.astype(np.float32)):
        keras.utils.set_random_seed(0)
        body = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(4), keras.layers.Dense(3)])
        classifiers.append(ganlib.SupervisedClassifier(body))
        classifiers[-1].compile("adam")
        classifiers[-1].fit(PIXELS, labels, batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_array_equal(classifiers[0].predict(PIXELS), classifiers[1].predict(PIXELS))
