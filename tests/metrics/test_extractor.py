import keras
import numpy as np
import pytest
from PIL import Image

import ganlib
from ganlib.metrics import features
from ganlib.metrics.extractor import as_channels, resize
from ganlib.networks import base, dcgan
from tests.helpers import bicubic_by_pillow


@pytest.mark.parametrize(("before", "after"), [(32, 75), (64, 19), (100, 99), (8, 8)])
def test_resizing_matches_pillow(before, after):
    images = np.random.default_rng(0).integers(0, 256, (2, before, before, 3), np.uint8)
    resized = resize(images, after).numpy()
    for image, actual in zip(images, resized, strict=True):
        np.testing.assert_allclose(actual, bicubic_by_pillow(image, after), atol=1e-2)


def test_images_are_stretched_to_the_size_of_a_network():
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), np.uint8)
    for size, width, height in ((8, 8, 8), ((6, 12), 12, 6)):
        extractor = features.from_model(
            keras.Sequential([keras.layers.Input((height, width, 3)), keras.layers.Flatten()]), "flat"
        )
        assert extractor.size == size
        for image, actual in zip(images, extractor(images).features, strict=True):
            channels = [
                Image.fromarray(np.float32(image[..., c])).resize((width, height), Image.Resampling.BICUBIC) for c in range(3)
            ]
            np.testing.assert_allclose(actual, np.stack(channels, axis=-1).ravel(), atol=1e-2)


def test_networks_of_rectangles_are_features():
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), np.uint8)
    discriminator = dcgan.Discriminator((16, 24, 3), width=4)
    expected = np.asarray(discriminator.features(base.rescale(images)))
    np.testing.assert_allclose(features.from_model(discriminator, "d")(images).features, expected, atol=1e-5)


def test_gray_and_color():
    gray, color = np.full((1, 2, 2, 1), 7.0, np.float32), np.array([[[[10.0, 20.0, 30.0]]]], np.float32)
    np.testing.assert_array_equal(as_channels(gray, 3), np.full((1, 2, 2, 3), 7.0))
    assert float(as_channels(color, 1)[0, 0, 0, 0]) == pytest.approx(0.299 * 10 + 0.587 * 20 + 0.114 * 30)
    assert as_channels(gray, None) is gray


@pytest.mark.parametrize("channels", [1, 3])
def test_one_extractor_takes_images_of_all_sizes_and_channels(channels):
    """A graph that was compiled for gray images would repeat the channels of color images too."""
    inputs = keras.layers.Input((4, 4, channels))
    extractor = features.from_model(keras.Model(inputs, keras.layers.Flatten()(inputs)), "flat")
    rng = np.random.default_rng(0)
    for count, size, kind in ((3, 4, 1), (2, 4, 3), (65, 9, 3), (70, 4, 1), (1, 9, 1)):
        images = rng.integers(0, 256, (count, size, size, kind), np.uint8)
        expected = resize(as_channels(images.astype(np.float32), channels), 4).numpy().reshape(count, -1)
        np.testing.assert_allclose(extractor(images).features, expected, rtol=1e-5)


def test_unrounded_images_are_not_rounded():
    extractor = features.from_model(keras.Sequential([keras.layers.Input((2, 2, 1)), keras.layers.Flatten()]), "flat")
    images = np.array([0.25, 1.5, 254.75, 3.0], np.float32).reshape(1, 2, 2, 1)
    assert extractor.unrounded(images).features.tolist() == [[0.25, 1.5, 254.75, 3.0]]


def test_invalid_images_are_rejected():
    extractor = features.from_model(keras.Sequential([keras.layers.Input((4, 4, 1)), keras.layers.Flatten()]), "flat")
    for images in (np.zeros((2, 4, 4, 1), np.float32), np.zeros((2, 4, 4), np.uint8), np.zeros((2, 4, 4, 2), np.uint8)):
        with pytest.raises(ganlib.UserError, match="images must be uint8 of shape"):
            extractor(images)
