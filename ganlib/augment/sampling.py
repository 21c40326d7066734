"""Bilinear sampling of images."""

import tensorflow as tf


def sampled(images, rows, columns):
    """Samples images bilinearly at given positions.

    Args:
        images: ``(n, height, width, channels)``.
        rows: Float32 row positions that broadcast to ``(n, a, b)``. Positions are clipped to ``[0, height - 1]``, which repeats
            the border.
        columns: Float32 column positions, clipped to ``[0, width - 1]``.

    Returns:
        ``(n, a, b, channels)`` images.
    """
    # The gradient of keras.ops.image.affine_transform is not that of bilinear interpolation. Rows and columns are separate
    # tensors and pixels have a flat index, because small last axes are slow.
    count, height, width, channels = tf.unstack(tf.shape(images))
    row, row_weight = _neighbors(rows, height)
    column, column_weight = _neighbors(columns, width)
    pixels = tf.reshape(images, (-1, channels))
    corner = (tf.range(count)[:, None, None] * height + row) * width + column

    def along_row(first):
        return tf.gather(pixels, first) * (1.0 - column_weight) + tf.gather(pixels, first + 1) * column_weight

    return along_row(corner) * (1.0 - row_weight) + along_row(corner + width) * row_weight


def _neighbors(position, size):
    """Returns the pixel before a position along an axis, and the weight of the next pixel, with one more axis."""
    position = tf.clip_by_value(position, 0.0, tf.cast(size - 1, tf.float32))
    previous = tf.minimum(tf.cast(position, tf.int32), size - 2)
    return previous, (position - tf.cast(previous, tf.float32))[..., None]
