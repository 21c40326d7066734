"""Affine maps and crops of images, to the pixel as in Pillow.

``pixels`` are ``(n, height, width, channels)`` float32 whole numbers, and each setting is ``(n,)`` float32, one number for each
image.
"""

import math

import tensorflow as tf

FRACTION_BITS = 16
"""The bits after the binary point in positions of pixels."""

KERNELS = ("lanczos", "bicubic", "bilinear", "box", "hamming", "nearest")
"""The kernels of `rescaled`, in the order of their numbers."""


def moved(pixels, settings):
    """Rotates, shears or shifts each image. A pixel is the nearest one of the original, and 0 beyond the border.

    Args:
        pixels: ``(n, height, width, channels)`` float32 whole numbers.
        settings: Name from `MOVES` -> ``(n,)`` float32. Only one of them may change the same image.

    Returns:
        Pixels of the same shape.
    """
    count, height, width = tf.unstack(tf.shape(pixels)[:3])
    matrices = _matrices(count, tf.cast(height, tf.float32), tf.cast(width, tf.float32), settings)
    column, row = (_positions(matrices[name], width, height) for name in ("column", "row"))
    is_inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = tf.where(is_inside, (tf.range(count)[:, None, None] * height + row) * width + column, 0)
    result = tf.where(is_inside[..., None], tf.gather(tf.reshape(pixels, (-1, pixels.shape[-1])), index), 0.0)
    return tf.ensure_shape(result, pixels.shape)


def _matrices(count, height, width, settings):
    """Returns the maps from a column and a row of the result to those of the original: for each of the two, the factors of the
    column and of the row, and an offset, ``(count,)`` each."""

    def setting(name):
        return settings.get(name, tf.zeros((count,)))

    angle = setting("rotate") * (math.pi / 180.0)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    center_column, center_row = width / 2.0, height / 2.0
    return {
        "column": (
            cosine,
            setting("shear_x") - sine,
            setting("translate_x") + center_column - cosine * center_column + sine * center_row,
        ),
        "row": (
            setting("shear_y") + sine,
            cosine,
            setting("translate_y") + center_row - sine * center_column - cosine * center_row,
        ),
    }


def _positions(matrix, width, height):
    """Returns the whole part of a position for each pixel of the result, ``(n, height, width)`` int32.

    Positions have `FRACTION_BITS`, so that they are the same on every device.
    """
    of_column, of_row, offset = matrix
    offset = offset + 0.5 * (of_column + of_row)  # the center of the first pixel
    of_column, of_row, offset = (
        tf.cast(tf.floor(value * 2.0**FRACTION_BITS + 0.5), tf.int32)[:, None, None] for value in (of_column, of_row, offset)
    )
    position = offset + of_column * tf.range(width) + of_row * tf.range(height)[:, None]
    return position // 2**FRACTION_BITS


def rescaled(pixels, share, kernel):
    """Cuts off a margin at all four sides, and resizes the rest to the size of the image.

    Args:
        pixels: ``(n, height, width, channels)`` float32 whole numbers.
        share: ``(n,)`` float32, the margin as a fraction of the image's size, below 0.5. It is rounded to whole pixels.
        kernel: ``(n,)`` int32, the position of the kernel in `KERNELS`.

    Returns:
        Pixels of the same shape.
    """
    height, width = pixels.shape[1:3]
    columns = tf.einsum("nlk,njkc->njlc", _resizing(width, share, kernel), pixels)
    return _rounded(tf.einsum("nij,njlc->nilc", _resizing(height, share, kernel), _rounded(columns)))


def _rounded(values):
    return tf.clip_by_value(tf.floor(values + 0.5), 0.0, 255.0)


def _resizing(size, share, kernel):
    """Returns the ``(n, size, size)`` matrices that crop and resize a vector."""
    share, kernel = share[:, None, None], kernel[:, None, None]
    start = tf.cast(tf.round(share * size), tf.int32)
    extent = tf.cast(tf.round((1.0 - share) * size), tf.int32) - start
    source, center = tf.range(size) - start, (2 * tf.range(size) + 1)[:, None] * extent  # in units of 1 / (2 * size)
    distance = tf.cast((2 * source + 1) * size - center, tf.float32) / (2.0 * size)
    weights = tf.cast(source == center // (2 * size), tf.float32)  # the nearest pixel
    for number, name in enumerate(KERNELS[:-1]):
        weights = tf.where(kernel == number, _kernel(name, distance), weights)
    weights = tf.where((source >= 0) & (source < extent), weights, 0.0)
    return weights / tf.reduce_sum(weights, axis=-1, keepdims=True)


def _kernel(name, distance):
    """Returns the weights of pixels at a distance, in pixels."""
    x = tf.abs(distance)
    if name == "lanczos":
        return tf.where(x < 3.0, _sinc(x) * _sinc(x / 3.0), 0.0)
    if name == "bicubic":
        inner, outer = (1.5 * x - 2.5) * x * x + 1.0, ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
        return tf.where(x < 1.0, inner, tf.where(x < 2.0, outer, 0.0))
    if name == "bilinear":
        return tf.maximum(1.0 - x, 0.0)
    if name == "box":
        return tf.cast((distance > -0.5) & (distance <= 0.5), tf.float32)
    return tf.where(x < 1.0, _sinc(x) * (0.54 + 0.46 * tf.cos(math.pi * x)), 0.0)


def _sinc(x):
    scaled = math.pi * x
    return tf.where(x == 0.0, 1.0, tf.sin(scaled) / tf.where(x == 0.0, 1.0, scaled))


MOVES = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
"""The settings of `moved`: degrees to the left; the columns that a row adds; the rows that a column adds; pixels."""
