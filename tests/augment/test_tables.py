import numpy as np
import pytest
import tensorflow as tf

from ganlib.augment import tables
from tests.augment import pillow

RANGES = {"brightness": (0.1, 2.0), "contrast": (0.1, 2.0), "posterize": (1, 9), "solarize": (0, 257)}


def settings_of(name, count):
    """Draws settings of a transformation. Some blends are complete."""
    low, high = RANGES.get(name, (0.0, 1.0))
    values = np.random.default_rng(1).uniform(low, high, count).astype(np.float32)
    if isinstance(low, int):
        return np.floor(values)
    return np.where(np.arange(count) < 5, 1.0, values).astype(np.float32)


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("name", tables.TABLES)
def test_tables_are_those_of_pillow(name, gray):
    """Pillow's autocontrast rounds in floating point, and is one level lower where the exact result is a whole number."""
    pixels = pillow.crops(60, 32, 48, gray)
    settings = settings_of(name, len(pixels))
    actual = pillow.in_a_graph(lambda x, setting: tables.mapped(x, {name: setting}), pixels, tf.constant(settings))
    expected = pillow.each(pillow.BY_PILLOW[name], pixels, [float(value) for value in settings])
    assert np.abs(expected - pixels).mean() > 5.0
    difference = np.abs(actual - expected)
    if name == "autocontrast":
        assert difference.max() <= 1.0
        assert (difference > 0).mean() < 0.01
    else:
        assert difference.max() == 0.0


@pytest.mark.parametrize("name", ["autocontrast", "equalize"])
@pytest.mark.parametrize("case", ["one level", "two levels", "few pixels", "a ramp"])
def test_tables_of_unusual_histograms_are_those_of_pillow(name, case):
    pixels = np.full((1, 32, 32, 3), 77, np.uint8)
    if case == "two levels":
        pixels[:, :7] = 200
    if case == "few pixels":  # too few to be spread over the levels
        pixels[0, 0, :5, 0] = 10, 20, 30, 40, 250
    if case == "a ramp":  # equalized levels beyond 255, which Pillow limits
        pixels[:] = np.arange(1024).reshape(32, 32, 1) % 230
    actual = pillow.in_a_graph(lambda x, setting: tables.mapped(x, {name: setting}), pixels, tf.ones((1,)))
    np.testing.assert_array_equal(actual, pillow.each(pillow.BY_PILLOW[name], pixels, [1.0]))


def test_each_image_has_a_setting_of_its_own():
    pixels = tf.constant(pillow.crops(3), tf.float32)
    settings = {"invert": tf.constant([0.0, 1.0, 0.0]), "solarize": tf.constant([256.0, 256.0, 0.0])}
    result = tables.mapped(pixels, settings)
    np.testing.assert_array_equal(result, tf.concat([pixels[:1], 255 - pixels[1:]], axis=0))


def test_blends_are_limited_to_levels():
    assert [float(tables.blended(100.0, 200.0, share)) for share in (0.0, 0.5, 1.0, 1.5, 2.0, -2.0)] == [
        100, 150, 200, 250, 255, 0,
    ]  # fmt: skip
