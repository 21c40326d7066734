import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganlib import augment
from ganlib.augment import rand_augment
from ganlib.training import RandomStream
from tests.augment import pillow

OF_LEVEL = {
    "rotate": lambda level, sign: sign * int(level * 30 / 10),
    "solarize": lambda level, sign: 256 - int(level * 256 / 10),
    "posterize": lambda level, sign: 4 - int(level * 4 / 10),
    "shear_x": lambda level, sign: sign * level * 0.3 / 10,
    "shear_y": lambda level, sign: sign * level * 0.3 / 10,
    "translate_x": lambda level, sign: sign * int(level * 10 / 10),
    "translate_y": lambda level, sign: sign * int(level * 10 / 10),
    "autocontrast": lambda level, sign: 1.0,
    "equalize": lambda level, sign: 1.0,
    **dict.fromkeys(("color", "contrast", "brightness", "sharpness"), lambda level, sign: level * 1.8 / 10 + 0.1),
}
"""The authors' settings for a magnitude, written as in their code."""


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_settings_are_those_of_the_authors(sign):
    levels = np.arange(1.0, 10.0, dtype=np.float32)
    settings = rand_augment.values(tf.constant(levels), tf.fill((9,), sign), 32, 32)
    assert set(settings) == set(OF_LEVEL) == set(rand_augment.NAMES) - {"identity"}
    for name, values in settings.items():
        np.testing.assert_allclose(values, [OF_LEVEL[name](float(level), sign) for level in levels], rtol=1e-6)


def test_images_are_those_of_pillow_with_the_same_draws():
    """The authors' code keeps the area beyond the border transparent, and it becomes gray in the end."""
    pixels = pillow.crops(150)
    images = pixels / np.float32(127.5) - 1
    result = np.asarray(tf.function(lambda x: augment.randaugment(x, RandomStream(3)), autograph=False)(images))
    rng, count, draws = RandomStream(3), len(pixels), []
    for _ in range(2):
        number, applied = rng.integers((count,), 0, 14), rng.uniform((count,)) < 0.5
        draws.append([np.asarray(d) for d in (number, applied, rng.integers((count,), 1, 10), rng.integers((count,), 0, 2))])
    center = np.floor(rng.uniform((count, 2)) * 32)
    wrong, used = [], set()
    for index in range(count):
        image = Image.fromarray(pixels[index]).convert("RGBA")
        for number, applied, level, negative in ([d[index] for d in draw] for draw in draws):
            name = rand_augment.NAMES[number]
            if applied and name != "identity":
                used.add(name)
                setting = OF_LEVEL[name](int(level), -1 if negative else 1)
                opaque = image.convert("RGB") if name in rand_augment.OPAQUE else image
                image = pillow.BY_PILLOW[name](opaque, setting).convert("RGBA")
        expected = np.asarray(image)[..., :3] / 127.5 - 1
        expected[np.asarray(image)[..., 3] == 0] = 0.0
        row, column = (int(value) for value in center[index])
        expected[max(0, row - 8) : row + 8, max(0, column - 8) : column + 8] = 0.0
        wrong.append(np.abs(result[index] - expected).max(axis=-1) > 1e-4)
    assert used == set(OF_LEVEL)
    assert np.mean(wrong) < 2e-3  # autocontrast rounds some levels otherwise


def test_half_of_the_transformations_are_applied():
    """A square of a quarter of the area is cut out; 1/4 of the images keep the rest, and those with the identity or without
    effect."""
    pixels = np.repeat(pillow.crops(1), 400, axis=0)
    images = pixels / np.float32(127.5) - 1
    result = np.asarray(augment.get_fixed("randaugment")(images, RandomStream(0)))
    is_same = (np.abs(result - images) < 1e-3) | (result == 0.0)
    unchanged = np.mean(is_same.all(axis=(1, 2, 3)))
    assert unchanged == pytest.approx((0.5 + 0.5 / 14) ** 2, abs=0.06)
    assert np.mean((result == 0.0).all(axis=-1)) == pytest.approx(0.22, abs=0.04)


def test_translations_and_cutout_grow_with_the_image():
    settings = rand_augment.values(tf.constant([8.0]), tf.constant([-1.0]), 64, 128)
    assert (float(settings["translate_y"][0]), float(settings["translate_x"][0])) == (-16.0, -32.0)
    result = np.asarray(augment.randaugment(np.ones((50, 64, 64, 1), np.float32), RandomStream(0)))
    sides = (result == 0.0).any(axis=(2, 3)).sum(axis=1)
    assert np.sort(sides)[len(sides) // 2] == pytest.approx(32, abs=6)
