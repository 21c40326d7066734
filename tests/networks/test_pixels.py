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
WRONG = {
    "0 to 255": np.float32(IMAGES), "0 to 65535": np.uint16(IMAGES) * 257, "normalized": 2.0 * SIGNED,
    "NaN": np.where(IMAGES == 7, np.nan, SIGNED), "half": np.float16(IMAGES),
}  # fmt: skip


@pytest.mark.parametrize("images", WRONG.values(), ids=WRONG)
def test_images_that_cannot_be_meant_are_refused(images):
    with pytest.raises(
        ganlib.UserError, match="images have values from .* to .*: give uint8 in .0, 255., or floats in .-1, 1."
    ):
        pixels.check(images)


def test_images_that_can_are_taken_without_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for images in (IMAGES, SIGNED, np.float16(SIGNED), np.int64(IMAGES), SIGNED[:0], np.zeros((2, *SHAPE), np.float32)):
            pixels.check(images)
        pixels.check(tf.cast(SIGNED, tf.bfloat16))


def test_a_classifier_says_so():
    classifier = ganlib.Classifier(ganlib.networks.mlp.Discriminator(SHAPE, width=4).body, SHAPE, 3)
    for take in (classifier.classify, classifier.features, classifier.initialize):
        with pytest.raises(ganlib.UserError, match="images have values from 0 to 255: "):
            take(np.float32(IMAGES))
    with pytest.warns(UserWarning, match=r"images have values from 0 to 1, and are taken to be in \[-1, 1\]"):
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
    """All that `fit` takes, the last two of which can be read but once."""
    yield "array", images
    yield "dataset", tf.data.Dataset.from_tensor_slices(images).batch(8)
    yield "pairs", Pairs(images)
    once = iter([images[:8], images[8:]])
    yield "generator", tf.data.Dataset.from_generator(lambda: once, output_signature=tf.TensorSpec((8, *SHAPE), images.dtype))
    yield "distributed", replicas(1).experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices(images).batch(8))


def test_fit_refuses_them_before_the_first_update_in_every_form_and_again_in_a_later_fit():
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
            assert int(gan.step) == 2 * steps  # every batch was trained on, those too that come but once
    with pytest.warns(UserWarning, match="images have values from 0 to 1"):
        gan.fit(np.float32(IMAGES / 255.0), batch_size=8, verbose=0)
    with pytest.raises(ganlib.UserError, match="images have values from 0 to 255: "):
        gan.fit(np.float32(IMAGES), batch_size=8, verbose=0)
