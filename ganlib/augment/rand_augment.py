"""RandAugment in the form of FixMatch's code: Cubuk et al. 2019 (arXiv:1909.13719), Sohn et al. 2020 (arXiv:2001.07685)."""

import tensorflow as tf

from ganlib.augment import warps
from ganlib.augment.transformations import chosen, cut, to_images, to_pixels, transformed

DEPTH = 2
"""The number of transformations of an image."""
PROBABILITY = 0.5
"""The probability of each of them."""
MAGNITUDES = 10
"""Magnitudes are whole numbers from 1 to 9."""
SIZE = 32
"""The size of the authors' images."""

NAMES = (
    "identity", "autocontrast", "equalize", "rotate", "solarize", "color", "contrast", "brightness", "sharpness", "shear_x",
    "translate_x", "translate_y", "posterize", "shear_y",
)  # fmt: skip
OPAQUE = ("autocontrast", "equalize", "solarize", "posterize")
"""Transformations after which the area beyond the border of a moved image is black. Otherwise it is gray in the end."""


def randaugment(images, rng):
    """Transforms each image by two random transformations, each with a probability of one half, and cuts out a square.

    The transformations are those of Pillow, with random magnitudes. The square has half the size of the image, and is gray. The
    authors' code shifts by up to 9 pixels and cuts out 16, for images of 32x32; here both grow with the image.

    Args:
        images: ``(n, height, width, 1 or 3)`` float32 images in ``[-1, 1]``. They are rounded to 256 levels.
        rng: A `ganlib.training.RandomStream`.
    """
    count, (height, width) = tf.shape(images)[0], images.shape[1:3]
    pixels, is_opaque = to_pixels(images), tf.ones_like(images[..., :1])
    for _ in range(DEPTH):
        number = rng.integers((count,), 0, len(NAMES))
        number = tf.where(rng.uniform((count,)) < PROBABILITY, number, NAMES.index("identity"))
        magnitude = tf.cast(rng.integers((count,), 1, MAGNITUDES), tf.float32)
        sign = 1.0 - 2.0 * tf.cast(rng.integers((count,), 0, 2), tf.float32)
        settings = chosen(NAMES, number, values(magnitude, sign, height, width))
        pixels = transformed(pixels, settings)
        is_opaque = warps.moved(is_opaque, {name: settings[name] for name in warps.MOVES})
        becomes_opaque = tf.reduce_any([number == NAMES.index(name) for name in OPAQUE], axis=0)
        is_opaque = tf.where(becomes_opaque[:, None, None, None], 1.0, is_opaque)
    half = tf.fill((count,), float(min(height, width) // 4))
    return cut(to_images(pixels) * is_opaque, half, rng.uniform((count, 2)), fill=0.0)


randaugment.is_differentiable = False


def values(magnitude, sign, height, width):
    """Returns the settings of all transformations at a magnitude.

    Args:
        magnitude: ``(n,)`` float32 whole numbers from 0 to 10.
        sign: ``(n,)`` float32, the direction of a movement, 1 or -1.
        height: The height of the images, an integer.
        width: Their width.

    Returns:
        A dict from names of `ganlib.augment.transformations.IDENTITY` to ``(n,)`` float32.
    """
    full, factor = tf.ones_like(magnitude), 0.18 * magnitude + 0.1
    settings = {
        "autocontrast": full,
        "equalize": full,
        "rotate": 3.0 * magnitude * sign,
        "solarize": 256.0 - tf.floor(25.6 * magnitude),
        "shear_x": 0.03 * magnitude * sign,
        "shear_y": 0.03 * magnitude * sign,
        "translate_x": tf.round(magnitude * width / SIZE) * sign,
        "translate_y": tf.round(magnitude * height / SIZE) * sign,
        "posterize": 4.0 - tf.floor(0.4 * magnitude),
    }
    return settings | dict.fromkeys(("color", "contrast", "brightness", "sharpness"), factor)
