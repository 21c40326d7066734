import numpy as np
import pytest
import tensorflow as tf

from ganlib.augment import warps
from tests.augment import pillow

RANGES = {"rotate": (-45.0, 46.0), "shear_x": (-0.3, 0.3), "shear_y": (-0.3, 0.3)}


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
@pytest.mark.parametrize("name", warps.MOVES)
def test_moves_are_those_of_pillow(name, size):
    pixels = pillow.crops(40, *size)
    low, high = RANGES.get(name, (-9.0, 9.0))
    settings = np.random.default_rng(1).uniform(low, high, len(pixels)).astype(np.float32)
    settings = np.floor(settings) if name == "rotate" else settings
    actual = pillow.in_a_graph(lambda x, setting: warps.moved(x, {name: setting}), pixels, tf.constant(settings))
    expected = pillow.each(pillow.BY_PILLOW[name], pixels, [float(value) for value in settings])
    assert np.abs(expected - pixels).mean() > 5.0
    assert np.mean(actual != expected) < 1e-3  # a position at the border of two pixels


def test_a_translation_of_a_third_of_a_pixel_is_none():
    """As in FixMatch's code, whose translations are of at most 0.3 pixels."""
    pixels = pillow.crops(2)
    for name in ("translate_x", "translate_y"):
        settings = np.float32([-0.3, 0.3])
        np.testing.assert_array_equal(warps.moved(tf.constant(pixels, tf.float32), {name: tf.constant(settings)}), pixels)
        np.testing.assert_array_equal(pillow.each(pillow.BY_PILLOW[name], pixels, [-0.3, 0.3]), pixels)


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("kernel", range(len(warps.KERNELS)))
def test_crops_are_resized_as_in_pillow(kernel, gray):
    pixels = pillow.crops(30, 32, 64, gray)
    share = np.linspace(0.0, 0.25, len(pixels), dtype=np.float32)
    kernels = tf.fill((len(pixels),), kernel)
    actual = pillow.in_a_graph(warps.rescaled, pixels, tf.constant(share), kernels)
    expected = pillow.each(pillow.rescale, pixels, [float(value) for value in share], [kernel] * len(pixels))
    assert np.abs(expected - pixels).mean() > 5.0
    difference = np.abs(actual - expected)
    assert difference.max() <= 1.0  # half a level is rounded to either side
    assert (difference > 0).mean() < 1e-3


def test_kernels_differ_by_image():
    pixels = tf.constant(np.repeat(pillow.crops(1), 6, axis=0), tf.float32)
    result = np.asarray(warps.rescaled(pixels, tf.fill((6,), 0.2), tf.range(6)))
    assert len({image.tobytes() for image in result}) == 5  # "box" and "nearest" choose the same pixels
