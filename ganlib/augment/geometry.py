"""ADA's flips, shifts, scalings and rotations, applied together as one affine map of each image."""

import functools
import math

import tensorflow as tf

from ganlib.augment import filters
from ganlib.augment.chance import by_chance
from ganlib.augment.sampling import sampled
from ganlib.layers.resampling import product


def transformed(images, rng, probabilities):
    """Maps each image by a random affine map about its center.

    To avoid aliasing, a wavelet filter doubles the resolution, the image is sampled bilinearly at twice the resolution, and
    the reversed filter halves the resolution again (appendix B.2 of the paper). Beyond the border, images are reflected once;
    farther out they are zero. Rotations are about the center and keep distances in pixels, as in the authors' code: a
    rectangle that is rotated by 90 degrees keeps its shape, its long side is cropped, and its short side is extended by
    reflection.

    Args:
        images: ``(n, height, width, channels)`` float32.
        rng: A `ganlib.training.RandomStream`.
        probabilities: The probability of each transformation, a scalar for ``"blit"`` (flips, rotations by multiples of 90
            degrees, shifts by whole pixels), for ``"geometric"`` (all other transformations), or for both.

    Returns:
        Images of the same shape.
    """
    return warped(images, inverse_maps(images.shape[1:3], tf.shape(images)[0], rng, probabilities))


def inverse_maps(size, count, rng, probabilities):
    """Draws ``(count, 2, 3)`` random maps from a pixel (x, y) of the result to a pixel of the image, relative to the center."""
    matrix = tf.eye(3, batch_shape=[count])
    if "blit" in probabilities:
        matrix = _blit(matrix, size, count, rng, probabilities["blit"])
    if "geometric" in probabilities:
        matrix = _geometric(matrix, size, count, rng, probabilities["geometric"])
    return matrix[:, :2]


def _blit(matrix, size, count, rng, probability):
    draw = functools.partial(by_chance, rng, probability)
    flip = draw(tf.floor(rng.uniform((count,), 0.0, 2.0)), 0.0)
    matrix @= _scale(1.0 - 2.0 * flip, tf.ones((count,)))
    matrix @= _rotation(draw(tf.floor(rng.uniform((count,), 0.0, 4.0)), 0.0) * math.pi / 2.0)
    y, x = (tf.round(rng.uniform((count,), -0.125, 0.125) * length) for length in size)
    is_shifted = draw(tf.ones((count,)), 0.0)
    return matrix @ _translation(is_shifted * x, is_shifted * y)


def _geometric(matrix, size, count, rng, probability):
    draw = functools.partial(by_chance, rng, probability)
    scale = draw(2.0 ** (rng.normal((count,)) * 0.2), 1.0)
    matrix @= _scale(scale, scale)
    # There are two rotations. At least one of them is applied with `probability`.
    rotation_probability = 1.0 - tf.sqrt(tf.maximum(1.0 - probability, 0.0))

    def angle():
        is_rotated = rng.uniform((count,)) < rotation_probability
        return tf.where(is_rotated, rng.uniform((count,), -math.pi, math.pi), 0.0)

    matrix @= _rotation(angle())
    stretch = draw(2.0 ** (rng.normal((count,)) * 0.2), 1.0)
    matrix @= _scale(stretch, 1.0 / stretch)
    matrix @= _rotation(angle())
    y, x = (rng.normal((count,)) * 0.125 * length for length in size)
    is_shifted = draw(tf.ones((count,)), 0.0)
    return matrix @ _translation(is_shifted * x, is_shifted * y)


def warped(images, maps):
    """Resamples images by ``(n, 2, 3)`` inverse maps, such as those of `inverse_maps`.

    As in the authors' code, the center of the map is half a sample of the doubled image away from its center, which partly
    makes up for the delay of `filters.SYM6`. An image that is flipped or rotated is shifted by about 0.1 pixels. In their code
    the reflected border ends where no image of the batch needs it; here it always has the size of the image. This differs only
    near the border of an image that is shrunk to less than half its size.
    """
    _, height, width, _ = images.shape
    doubled = product(filters.doubling(height), images, filters.doubling(width))
    x, y = (tf.range(2 * length, dtype=tf.float32) / 2.0 + 0.5 - length / 2.0 for length in _with_margins(width, height))
    x, y = x[None, None, :], y[None, :, None]
    across, down = (maps[:, k, 0, None, None] * x + maps[:, k, 1, None, None] * y + maps[:, k, 2, None, None] for k in (0, 1))
    columns, rows = (2.0 * position + doubled.shape[axis] / 2.0 - 1.0 for position, axis in ((across, 2), (down, 1)))
    return product(filters.halving(height), sampled(doubled, rows, columns), filters.halving(width))


def _with_margins(*lengths):
    return [length + 2 * filters.MARGIN for length in lengths]


def _matrix(*rows):
    """Returns ``(n, 3, 3)`` matrices from three rows of numbers and ``(n,)`` tensors."""
    zeros = tf.zeros_like(next(entry for row in rows for entry in row if tf.is_tensor(entry)))
    return tf.stack([tf.stack([zeros + entry for entry in row], axis=-1) for row in rows], axis=-2)


# These return the inverse of each map, which takes a pixel of the result to its source.
def _scale(x, y):
    return _matrix((1.0 / x, 0.0, 0.0), (0.0, 1.0 / y, 0.0), (0.0, 0.0, 1.0))


def _rotation(angle):
    return _matrix((tf.cos(angle), -tf.sin(angle), 0.0), (tf.sin(angle), tf.cos(angle), 0.0), (0.0, 0.0, 1.0))


def _translation(x, y):
    return _matrix((1.0, 0.0, -x), (0.0, 1.0, -y), (0.0, 0.0, 1.0))
