"""Simple descriptions of images: colors, contrast and the directions and scales of edges. They need no network."""

import numpy as np
import tensorflow as tf

LARGEST_SIZE = 64
"""The largest height and width at which images are described."""
SMALLEST_SIZE = 4
"""The smallest height and width at which edges are described."""
SCALES = 3
DIRECTIONS = 4
BATCH = 256


def describe(images):
    """Describes the appearance of images.

    Args:
        images: ``(n, height, width, channels)`` uint8, gray or RGB.

    Returns:
        ``(n, F)`` float32: the mean color, the saturation, quantiles of the gray levels, and for each scale of at least 4
        pixels the strength of the edges, how unequal they are, and the share of each direction.
    """
    size = [min(LARGEST_SIZE, side) for side in images.shape[1:3]]
    blocks = [_of_batch(images[start : start + BATCH], size) for start in range(0, len(images), BATCH)]
    return np.concatenate(blocks)


def _of_batch(images, size):
    colors = tf.image.resize(tf.cast(images, tf.float32) / 255.0, size, method="area").numpy()
    gray = colors.mean(axis=-1)
    columns = [
        np.broadcast_to(colors.mean(axis=(1, 2)), (len(images), 3)),
        np.ptp(colors, axis=-1).mean(axis=(1, 2))[:, None],
        np.percentile(gray, [5, 25, 50, 75, 95], axis=(1, 2)).T,
    ]
    for _ in range(SCALES):
        if min(gray.shape[1:]) < SMALLEST_SIZE:
            break
        columns.append(_edges(gray))
        gray = _halved(gray)
    return np.concatenate(columns, axis=1).astype(np.float32)


def _edges(gray):
    """Returns the strength of edges on a logarithmic scale, their variation, and the shares of directions: ``(n, 6)``."""
    across, down = np.diff(gray, axis=2)[:, :-1], np.diff(gray, axis=1)[:, :, :-1]
    strength = np.hypot(across, down)
    mean = strength.mean(axis=(1, 2)) + 1e-3
    angle = np.arctan2(down, across) % np.pi
    direction = np.floor(angle * DIRECTIONS / np.pi + 0.5) % DIRECTIONS
    shares = [(strength * (direction == k)).mean(axis=(1, 2)) / mean for k in range(DIRECTIONS)]
    variation = strength.std(axis=(1, 2)) / mean
    return np.stack([np.log(mean), np.log(variation + 0.01), *shares], axis=1)


def _halved(gray):
    height, width = (side // 2 * 2 for side in gray.shape[1:])
    even = gray[:, :height, :width]
    return even.reshape(len(gray), height // 2, 2, width // 2, 2).mean(axis=(2, 4))
