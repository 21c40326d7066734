"""The transformations of strong augmentation, level by level as in Pillow, each image with settings of its own.

Pillow transforms one image at a time. These functions transform a batch in a graph, on any device and under XLA. Levels are
whole numbers, so the results have no useful derivatives.
"""

import numpy as np
import tensorflow as tf

from ganlib.augment import tables, warps
from ganlib.errors import UserError
from ganlib.layers.resampling import product

IDENTITY = {
    "autocontrast": 0.0,
    "equalize": 0.0,
    "invert": 0.0,
    "brightness": 1.0,
    "contrast": 1.0,
    "posterize": 8.0,
    "solarize": 256.0,
    "color": 1.0,
    "sharpness": 1.0,
    "smooth": 0.0,
    "blur": 0.0,
    "rotate": 0.0,
    "shear_x": 0.0,
    "shear_y": 0.0,
    "translate_x": 0.0,
    "translate_y": 0.0,
    "rescale": 0.0,
    "cutout": 0.0,
}
"""Transformation -> the setting that leaves an image unchanged. See `transformed`."""


def to_pixels(images):
    """Returns the levels of images.

    Args:
        images: ``(n, height, width, 1 or 3)`` float32 images in ``[-1, 1]``.

    Returns:
        Float32 whole numbers from 0 to 255 of the same shape.

    Raises:
        UserError: If the images have another number of channels.
    """
    if images.shape[-1] not in (1, 3):
        raise UserError(f"strong augmentation takes images with 1 or 3 channels, got {images.shape[-1]}")
    return tf.clip_by_value(tf.round((images + 1.0) * 127.5), 0.0, 255.0)


def to_images(pixels):
    """Maps ``(n, height, width, channels)`` levels from 0 to 255 to images in ``[-1, 1]``."""
    return pixels / 127.5 - 1.0


def transformed(pixels, settings, kernel=None, center=None):
    """Applies the named transformations to each image.

    A setting is the share of the transformed image in a blend with the original (``autocontrast``, ``equalize``, ``invert``,
    ``smooth``, ``blur``), the factor of Pillow's `ImageEnhance` (``brightness``, ``contrast``, ``color``, ``sharpness``), the
    bits to keep (``posterize``), the lowest level to invert (``solarize``), degrees (``rotate``), the pixels per pixel of a
    shear, the pixels of a translation, the margin of a crop as a share of the image (``rescale``), or half of a side in pixels
    (``cutout``).

    Args:
        pixels: ``(n, height, width, 1 or 3)`` float32 whole numbers from 0 to 255.
        settings: Name from `IDENTITY` -> ``(n,)`` float32. At most one setting of an image may differ from the identity.
        kernel: ``(n,)`` int32 positions in `ganlib.augment.warps.KERNELS`, for ``rescale``. Defaults to None.
        center: ``(n, 2)`` float32, the row and the column of the center of ``cutout`` as a share of the image, in ``[0, 1)``.
            Defaults to None.

    Returns:
        Pixels of the same shape.
    """
    of_levels, of_moves = (
        {name: settings[name] for name in names if name in settings} for names in (tables.TABLES, warps.MOVES)
    )
    if of_levels:
        pixels = tables.mapped(pixels, of_levels)
    if of_moves:
        pixels = warps.moved(pixels, of_moves)
    if "rescale" in settings:
        pixels = warps.rescaled(pixels, settings["rescale"], kernel)
    if "color" in settings:
        pixels = tables.blended(tables.gray(pixels), pixels, _of_image(settings["color"]))
    if any(name in settings for name in FILTERS):
        pixels = filtered(pixels, settings)
    if "cutout" in settings:
        pixels = cut(pixels, settings["cutout"], center)
    return pixels


def chosen(names, number, values):
    """Returns the settings of `transformed` for one transformation of each image.

    Args:
        names: A list of names from `IDENTITY`, or other names for transformations that do nothing.
        number: ``(n,)`` int32, the position in ``names`` of each image's transformation.
        values: Name -> ``(n,)`` float32, the setting for the images with this transformation.
    """
    return {name: tf.where(number == names.index(name), value, IDENTITY[name]) for name, value in values.items()}


def filtered(pixels, settings):
    """Blends each image with means of neighboring pixels.

    Args:
        pixels: ``(n, height, width, channels)`` float32 whole numbers from 0 to 255.
        settings: Name from `FILTERS` -> ``(n,)`` float32. ``sharpness`` multiplies the distance from the smoothed image,
            ``smooth`` is the share of the smoothed image, and ``blur`` that of the mean of all pixels at a distance of two.

    Returns:
        Pixels of the same shape.
    """
    near = _neighborhood(pixels, 1)
    smoothed = _inside(tf.floor((near + 4.0 * pixels) / 13.0 + 0.5), pixels, 1)
    result = pixels
    if "sharpness" in settings:
        result = tables.blended(smoothed, result, _of_image(settings["sharpness"]))
    if "smooth" in settings:
        result = tables.blended(result, smoothed, _of_image(settings["smooth"]))
    if "blur" in settings:
        ring = _neighborhood(pixels, 2) - near
        blurred = _inside(tf.floor(ring * 2.0**-4 + 0.5), pixels, 2)
        result = tables.blended(result, blurred, _of_image(settings["blur"]))
    return result


FILTERS = ("sharpness", "smooth", "blur")
"""The settings of `filtered`."""


def cut(pixels, half, center, fill=127.0):
    """Sets a square around a center to one level.

    Args:
        pixels: ``(n, height, width, channels)``.
        half: Half of the side in pixels, ``(n,)`` float32 whole numbers.
        center: ``(n, 2)`` float32, the row and the column of the center as a share of the image, in ``[0, 1)``.
        fill: The level. Defaults to 127.0, as in FixMatch's code.

    Returns:
        Pixels of the same shape.
    """

    def window(axis):
        size = pixels.shape[axis + 1]
        middle = tf.floor(center[:, axis] * size)[:, None]
        index = tf.range(size, dtype=tf.float32)
        return (index >= middle - half[:, None]) & (index < middle + half[:, None])

    is_cut = window(0)[:, :, None, None] & window(1)[:, None, :, None]
    return tf.where(is_cut, fill, pixels)


def _of_image(setting):
    """Adds three axes of size 1 to a ``(n,)`` setting."""
    return setting[:, None, None, None]


def _neighborhood(pixels, distance):
    """Returns the sum of the pixels up to a distance along both axes. The image ends at its border."""
    rows, columns = (np.abs(np.arange(size)[:, None] - np.arange(size)) <= distance for size in pixels.shape[1:3])
    return product(rows, pixels, columns)  # much faster on a CPU than average pooling


def _inside(filtered, pixels, border):
    """Returns filtered pixels, with the original ones within ``border`` pixels of the border."""
    _, height, width, _ = pixels.shape
    rows, columns = ((tf.range(size) >= border) & (tf.range(size) < size - border) for size in (height, width))
    return tf.where(rows[:, None, None] & columns[None, :, None], filtered, pixels)
