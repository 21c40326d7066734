import keras
import numpy as np
import scipy.signal

from ganlib import layers
from ganlib.layers.resampling import Downsample, Upsample, blur, upsample_bilinear

FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64.0
IMAGES = np.random.default_rng(0).normal(size=(2, 6, 8, 3)).astype(np.float32)


def convolve(image):
    """Convolves with zero padding: ``(h, w)`` -> ``(h + 3, w + 3)``."""
    return scipy.signal.convolve2d(image, FILTER, mode="full")


def test_upsampling_matches_scipys_convolution_of_a_zero_interleaved_image():
    result = np.asarray(Upsample()(IMAGES))
    assert result.shape == (2, 12, 16, 3) == Upsample().compute_output_shape(IMAGES.shape)
    for n, c in np.ndindex(2, 3):
        spread = np.zeros((12, 16))
        spread[::2, ::2] = IMAGES[n, :, :, c]
        np.testing.assert_allclose(result[n, :, :, c], 4 * convolve(spread)[1:13, 1:17], atol=1e-5)


def test_downsampling_matches_every_second_value_of_scipys_convolution():
    result = np.asarray(Downsample()(IMAGES))
    assert result.shape == (2, 3, 4, 3) == Downsample().compute_output_shape(IMAGES.shape)
    for n, c in np.ndindex(2, 3):
        np.testing.assert_allclose(result[n, :, :, c], convolve(IMAGES[n, :, :, c])[2:8:2, 2:10:2], atol=1e-5)


def test_blur_matches_scipy():
    result = np.asarray(blur(IMAGES, 2, 1, gain=2.0))
    assert result.shape == (2, 6, 8, 3)
    for n, c in np.ndindex(2, 3):
        expected = scipy.signal.convolve2d(np.pad(IMAGES[n, :, :, c], (2, 1)), 4 * FILTER, mode="valid")
        np.testing.assert_allclose(result[n, :, :, c], expected, rtol=1e-4, atol=1e-5)


def test_upsample_repeats_each_position():
    maps = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)
    np.testing.assert_array_equal(layers.upsample(maps), maps.repeat(2, axis=1).repeat(2, axis=2))
    assert layers.upsample(keras.KerasTensor((None, 3, 5, 4))).shape == (None, 6, 10, 4)


def test_bilinear_upsampling_matches_tensorflows_resizing():
    """TensorFlow resizes between the centers of pixels and repeats the border, as PyTorch does with align_corners=False."""
    np.testing.assert_allclose(upsample_bilinear(IMAGES), keras.ops.image.resize(IMAGES, (12, 16)), atol=1e-5)
