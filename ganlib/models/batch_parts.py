"""Parts of a batch, one for each update of a train step. They are the same for any number of replicas."""

import tensorflow as tf

from ganlib.errors import UserError


def check_divisible(images, parts):
    """Raises a `UserError` unless a batch of ``(n, height, width, channels)`` images can be split into equal parts."""
    if images.shape[0] is not None and images.shape[0] % parts:
        raise UserError(
            f"a batch of {images.shape[0]} images cannot be split into {parts} equal parts, one for each update: change the "
            "batch size"
        )


def part_of(values, first, parts, count=1):
    """Returns the rows ``first`` to ``first + count - 1`` of each group of ``parts`` consecutive rows, or None for None.

    Args:
        values: ``(n * parts, ...)`` tensor, or None.
        first: An index from 0.
        parts: The size of a group.
        count: The number of rows to take from each group. Defaults to 1.

    Returns:
        ``(n * count, ...)`` tensor.
    """
    if values is None:
        return None
    if count == 1:
        return values[first::parts]
    rest = values.shape[1:]
    groups = tf.reshape(values, (-1, parts, *rest))[:, first : first + count]
    return tf.reshape(groups, (-1, *rest))
