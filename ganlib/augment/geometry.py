"""ADA's flips, shifts, scalings and rotations, applied together as one affine map of each image."""

import functools
import math

import tensorflow as tf

from ganlib.augment import filters
from ganlib.augment.chance import by_chance
from ganlib.augment.sampling import mirrored, sampled
from ganlib.layers.resampling import product


def transformed(images, rng, probability, categories):
    """Maps each image by a random affine map about its center. Images are reflected beyond the border.

    To avoid aliasing, a wavelet filter doubles the resolution, the image is sampled bilinearly at twice the resolution, and
    the reversed filter halves the resolution again (appendix B.2 of the paper).

    Args:
        images: ``(n, height, width, channels)`` float32.
        rng: A `ganlib.training.RandomStream`.
        probability: The probability of each transformation, a scalar.
        categories: A list with ``"blit"`` (flips, rotations by multiples of 90 degrees, shifts by whole pixels),
            ``"geometric"`` (all other transformations), or both.

    Returns:
        Images of the same shape.
    """
    return warped(images, inverse_maps(images.shape[1:3], tf.shape(images)[0], rng, probability, categories))


def inverse_maps(size, count, rng, probability, categories):
    """Draws ``(count, 2, 3)`` random maps from a pixel (x, y) of the result to a pixel of the image, relative to the center."""
    height, width = size
    draw = functools.partial(by_chance, rng, probability)
    matrix = tf.eye(3, batch_shape=[count])
    if "blit" in categories:
        flip = draw(tf.floor(rng.uniform((count,), 0.0, 2.0)), 0.0)
        matrix @= _scale(1.0 - 2.0 * flip, tf.ones((count,)))
        matrix @= _rotation(draw(tf.floor(rng.uniform((count,), 0.0, 4.0)), 0.0) * math.pi / 2.0)
        shift = rng.uniform((count, 2), -0.125, 0.125)
        matrix @= _translation(draw(tf.round(shift[:, 0] * width), 0.0), draw(tf.round(shift[:, 1] * height), 0.0))
    if "geometric" in categories:
        scale = draw(2.0 ** (rng.normal((count,)) * 0.2), 1.0)
        matrix @= _scale(scale, scale)
        # There are two rotations. At least one of them is applied with `probability`.
        rotation_probability = 1.0 - tf.sqrt(1.0 - probability)

        def angle():
            is_rotated = rng.uniform((count,)) < rotation_probability
            return tf.where(is_rotated, rng.uniform((count,), -math.pi, math.pi), 0.0)

        matrix @= _rotation(angle())
        stretch = draw(2.0 ** (rng.normal((count,)) * 0.2), 1.0)
        matrix @= _scale(stretch, 1.0 / stretch)
        matrix @= _rotation(angle())
        shift = rng.normal((count, 2)) * 0.125
        matrix @= _translation(draw(shift[:, 0] * width, 0.0), draw(shift[:, 1] * height, 0.0))
    return matrix[:, :2]


def warped(images, maps):
    """Resamples images by ``(n, 2, 3)`` inverse maps, such as those of `inverse_maps`.

    As in the authors' code, the delays of the two filters cancel unless an image is rotated. A rotated image is shifted by up
    to twice `filters.DELAY`, 0.4 pixels, along each axis.
    """
    _, height, width, _ = images.shape
    doubled = product(filters.doubling(height), images, filters.doubling(width))
    x, y = (tf.range(2 * (n + 6), dtype=tf.float32) / 2.0 + 0.25 - (n + 6) / 2.0 for n in (width, height))
    x, y = x[None, None, :], y[None, :, None]
    across, down = (maps[:, k, 0, None, None] * x + maps[:, k, 1, None, None] * y + maps[:, k, 2, None, None] for k in (0, 1))
    columns, rows = (
        2.0 * (mirrored(position + (n - 1) / 2.0 + filters.DELAY, n) - filters.DELAY + filters.MARGIN) + 0.5
        for position, n in ((across, width), (down, height))
    )
    return product(filters.halving(height), sampled(doubled, rows, columns), filters.halving(width))


def _matrix(*rows):
    """Returns ``(n, 3, 3)`` matrices from three rows of numbers and ``(n,)`` tensors."""
    zeros = tf.zeros_like(next(entry for row in rows for entry in row if tf.is_tensor(entry)))
    return tf.stack([tf.stack([zeros + entry for entry in row], axis=-1) for row in rows], axis=-2)


# These return the inverse of each map, which takes a pixel of the result to its source.
def _scale(x, y):
    return _matrix((1.0 / x, 0.0, 0.0), (0.0, 1.0 / y, 0.0), (0.0, 0.0, 1.0))


def _rotation(angle):
    return _matrix((tf.cos(angle), tf.sin(angle), 0.0), (-tf.sin(angle), tf.cos(angle), 0.0), (0.0, 0.0, 1.0))


def _translation(x, y):
    return _matrix((1.0, 0.0, -x), (0.0, 1.0, -y), (0.0, 0.0, 1.0))
