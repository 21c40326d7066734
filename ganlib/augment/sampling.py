"""Images between their pixels."""

import tensorflow as tf


def sampled(images, rows, columns):
    """Images at given positions, between pixels bilinearly.

    Args:
        images: ``(n, height, width, channels)``.
        rows: ``(n, a, b)`` float32 positions, or what broadcasts to that, in ``[0, height - 1]`` once the border is repeated.
        columns: likewise, in ``[0, width - 1]``.

    Returns:
        ``(n, a, b, channels)``.
    """
    # Not keras.ops.image.affine_transform, whose gradient is that of no such interpolation. Rows and columns stay apart
    # and corners are found by one index, since small last axes are slow.
    count, height, width, channels = tf.unstack(tf.shape(images))
    row, lower = _neighbors(rows, height)
    column, after = _neighbors(columns, width)
    pixels = tf.reshape(images, (-1, channels))
    corner = (tf.range(count)[:, None, None] * height + row) * width + column

    def between(first):
        return tf.gather(pixels, first) * (1.0 - after) + tf.gather(pixels, first + 1) * after

    return between(corner) * (1.0 - lower) + between(corner + width) * lower


def _neighbors(position, size):
    """The pixel before a position along an axis, and, with one axis more, the share of the one after it."""
    position = tf.clip_by_value(position, 0.0, tf.cast(size - 1, tf.float32))
    before = tf.minimum(tf.cast(position, tf.int32), size - 2)
    return before, (position - tf.cast(before, tf.float32))[..., None]


def mirrored(position, size):
    """Positions beyond the first and the last pixel, folded back into the image as often as needed."""
    last = tf.cast(size - 1, tf.float32)
    folded = tf.math.floormod(position, 2.0 * last)
    return tf.minimum(folded, 2.0 * last - folded)
