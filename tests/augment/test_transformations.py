import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.augment import transformations
from tests.augment import pillow


def filled(value, count):
    return tf.fill((count,), value)


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("name", ["color", *transformations.FILTERS])
def test_colors_and_filters_are_those_of_pillow(name, gray):
    pixels = pillow.crops(40, 24, 40, gray)
    high = 1.0 if name in ("smooth", "blur") else 2.0
    settings = np.random.default_rng(1).uniform(0.0, high, len(pixels)).astype(np.float32)
    actual = pillow.in_a_graph(lambda x, s: transformations.transformed(x, {name: s}), pixels, tf.constant(settings))
    expected = pillow.each(pillow.BY_PILLOW[name], pixels, [float(value) for value in settings])
    assert np.abs(expected - pixels).mean() > 1.0 or (gray and name == "color")
    np.testing.assert_array_equal(actual, expected)


def test_every_name_is_applied():
    pixels = tf.constant(pillow.crops(2), tf.float32)
    others = {"posterize": 2.0, "solarize": 100.0, "rotate": 20.0, "translate_x": 3.0, "translate_y": 3.0, "cutout": 4.0}
    for name, identity in transformations.IDENTITY.items():
        kernel, center = tf.zeros((2,), tf.int32), filled(0.5, 2)[:, None] * tf.ones((2, 2))
        unchanged = transformations.transformed(pixels, {name: filled(identity, 2)}, kernel, center)
        np.testing.assert_array_equal(unchanged, pixels)
        changed = transformations.transformed(pixels, {name: filled(others.get(name, 0.2), 2)}, kernel, center)
        assert np.any(changed != pixels), name


def test_all_identities_together_change_nothing():
    pixels = pillow.crops(6)

    def transformed(x, *identities):
        settings = dict(zip(transformations.IDENTITY, identities, strict=True))
        return transformations.transformed(x, settings, tf.range(6), tf.fill((6, 2), 0.3))

    result = pillow.in_a_graph(transformed, pixels, *(filled(value, 6) for value in transformations.IDENTITY.values()))
    np.testing.assert_array_equal(result, pixels)


def test_chosen_settings():
    names, number = ["identity", "rotate", "invert"], tf.constant([0, 1, 2])
    values = {"rotate": tf.constant([5.0, 6.0, 7.0]), "invert": tf.constant([0.5, 0.6, 0.7])}
    settings = transformations.chosen(names, number, values)
    np.testing.assert_allclose(settings["rotate"], [0.0, 6.0, 0.0])
    np.testing.assert_allclose(settings["invert"], [0.0, 0.0, 0.7])


def test_cutout_by_hand():
    """As in the authors' loop: from the center minus half to the center plus half, within the image."""
    pixels = tf.zeros((3, 6, 8, 1))
    centers = tf.constant([[0.5, 0.5], [0.0, 0.99], [0.5, 0.5]])
    result = transformations.cut(pixels, tf.constant([2.0, 2.0, 0.0]), centers)[..., 0]
    expected = np.zeros((3, 6, 8))
    expected[0, 1:5, 2:6] = 127
    expected[1, 0:2, 5:8] = 127
    np.testing.assert_array_equal(result, expected)


def test_levels_of_images_and_back():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    images = pixels / np.float32(127.5) - 1
    np.testing.assert_array_equal(transformations.to_pixels(images), pixels)
    np.testing.assert_allclose(transformations.to_images(transformations.to_pixels(images)), images, atol=1e-6)
    np.testing.assert_array_equal(transformations.to_pixels(np.float32([[[[-1.2]], [[1.2]]]])).numpy().ravel(), [0, 255])


def test_images_without_colors_or_gray_levels_are_rejected():
    with pytest.raises(ganlib.UserError, match="takes images with 1 or 3 channels, got 2"):
        transformations.to_pixels(np.zeros((1, 4, 4, 2), np.float32))


def test_an_image_smaller_than_a_filter_is_not_filtered():
    pixels = tf.constant(pillow.crops(2, 2, 2), tf.float32)
    for name in transformations.FILTERS:
        result = transformations.transformed(pixels, {name: filled(0.5, 2)})
        np.testing.assert_array_equal(result, pillow.each(pillow.BY_PILLOW[name], np.uint8(pixels), [0.5, 0.5]))
