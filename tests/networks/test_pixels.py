import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.networks import pixels
from tests.helpers import SHAPE, mlp_gan, replicas, same, weights

IMAGES = np.random.default_rng(0).integers(0, 256, (16, *SHAPE), np.uint8)
SIGNED = np.float32(IMAGES / 127.5 - 1.0)
INVALID = {
    "0 to 255": np.float32(IMAGES), "0 to 65535": np.uint16(IMAGES) * 257, "normalized": 2.0 * SIGNED,
    "NaN": np.where(IMAGES == 7, np.nan, SIGNED), "half": np.float16(IMAGES),
}  # fmt: skip


@pytest.mark.parametrize("images", INVALID.values(), ids=INVALID)
def test_impossible_pixel_values_are_rejected(images):
    with pytest.raises(
        ganlib.UserError, match="images have values from .* to .*: pass uint8 in .0, 255., or floats in .-1, 1."
    ):
        pixels.check(images)


def test_valid_pixel_values_are_accepted_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for images in (IMAGES, SIGNED, np.float16(SIGNED), np.int64(IMAGES), SIGNED[:0], np.zeros((2, *SHAPE), np.float32)):
            pixels.check(images)
        pixels.check(tf.cast(SIGNED, tf.bfloat16))


def test_a_classifier_checks_pixel_values():
    classifier = ganlib.Classifier(ganlib.networks.mlp.Discriminator(SHAPE, width=4).body, SHAPE, 3)
    for method in (classifier.classify, classifier.features, classifier.initialize):
        with pytest.raises(ganlib.UserError, match="images have values from 0 to 255: "):
            method(np.float32(IMAGES))
    with pytest.warns(UserWarning, match=r"images have values from 0 to 1 and are interpreted as \[-1, 1\]"):
        classifier.classify(IMAGES / 255.0)


class Pairs(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.images[8 * index :][:8], np.arange(8)


def forms(images):
    """Yields all inputs that `fit` accepts; the last two can be read only once."""
    yield "array", images
    yield "dataset", tf.data.Dataset.from_tensor_slices(images).batch(8)
    yield "pairs", Pairs(images)
    once = iter([images[:8], images[8:]])
    yield "generator", tf.data.Dataset.from_generator(lambda: once, output_signature=tf.TensorSpec((8, *SHAPE), images.dtype))
    yield "distributed", replicas(1).experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices(images).batch(8))


def test_fit_rejects_them_before_the_first_update_for_every_input_and_in_later_calls():
    gan = mlp_gan()
    before = weights(gan)
    for _, data in forms(np.float32(IMAGES)):
        with pytest.raises(ganlib.UserError, match="images have values from 0 to 255: "):
            gan.fit(data, batch_size=8, verbose=0) if isinstance(data, np.ndarray) else gan.fit(data, verbose=0)
    with pytest.raises(ganlib.UserError, match="images have values from nan to nan: "):
        gan.train_on_batch(np.where(IMAGES == 7, np.nan, SIGNED).astype(np.float32)[:8])
    assert same(weights(gan), before)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="images have")
        for steps, (_, data) in enumerate(forms(SIGNED), 1):
            gan.fit(data, batch_size=8, verbose=0) if isinstance(data, np.ndarray) else gan.fit(data, verbose=0)
            assert int(gan.step) == 2 * steps  # every batch was used, even of inputs that can be read only once
    with pytest.warns(UserWarning, match="images have values from 0 to 1"):
        gan.fit(np.float32(IMAGES / 255.0), batch_size=8, verbose=0)
    with pytest.raises(ganlib.UserError, match="images have values from 0 to 255: "):
        gan.fit(np.float32(IMAGES), batch_size=8, verbose=0)
