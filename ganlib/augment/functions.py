"""Augmentations that are applied to every image, and `DiffAugment`, which combines them by name.

Each function takes ``images``, ``(n, height, width, channels)`` float32 in ``[-1, 1]``, and ``rng``, a
`ganlib.training.RandomStream`, and returns images of the same shape. All but ``randaugment`` are differentiable.
"""

import functools
import math

import keras
import tensorflow as tf

from ganlib.augment.rand_augment import randaugment
from ganlib.augment.sampling import sampled
from ganlib.errors import UserError, choose
from ganlib.training.replicas import whole_batch

register = keras.saving.register_keras_serializable("ganlib.augment")


def brightness(images, rng):
    """Adds U(-0.5, 0.5) to each image."""
    return images + rng.uniform((tf.shape(images)[0], 1, 1, 1), -0.5, 0.5)


def saturation(images, rng):
    """Scales each pixel's distance from its gray value by U(0, 2)."""
    gray = tf.reduce_mean(images, axis=3, keepdims=True)
    return gray + (images - gray) * rng.uniform((tf.shape(images)[0], 1, 1, 1), 0.0, 2.0)


def contrast(images, rng):
    """Scales each image's distance from its mean by U(0.5, 1.5)."""
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    return mean + (images - mean) * rng.uniform((tf.shape(images)[0], 1, 1, 1), 0.5, 1.5)


def translation(images, rng, ratio=0.125):
    """Shifts each image randomly along each axis and fills with zeros.

    Args:
        images: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
        rng: A `ganlib.training.RandomStream`.
        ratio: The largest shift as a fraction of the image's size. Defaults to 0.125.
    """
    return _resampled(images, lambda count, size: _shift_matrices(rng, count, size, ratio))


def shift(images, rng, ratio=0.07):
    """Shifts each image randomly along each axis and repeats the border.

    Use it for classifiers: unlike with `translation`, the result looks like an image of the dataset.

    Args:
        images: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
        rng: A `ganlib.training.RandomStream`.
        ratio: The largest shift as a fraction of the image's size. Defaults to 0.07.
    """

    def matrices(count, size):
        return tf.one_hot(tf.clip_by_value(_shifted(rng, count, size, ratio), 0, size - 1), size)

    return _resampled(images, matrices)


def reflected_shift(images, rng, ratio=0.125):
    """Shifts each image randomly along each axis and reflects the border, without repeating the last pixel.

    The weak augmentation of FixMatch's code (Sohn et al. 2020, arXiv:2001.07685).

    Args:
        images: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
        rng: A `ganlib.training.RandomStream`.
        ratio: The largest shift as a fraction of the image's size. Defaults to 0.125.
    """

    def matrices(count, size):
        source = tf.abs(_shifted(rng, count, size, ratio))
        return tf.one_hot(tf.maximum(tf.minimum(source, 2 * (size - 1) - source), 0), size)

    return _resampled(images, matrices)


def flip(images, rng):
    """Mirrors each image left to right with a probability of one half."""
    mirrored = rng.uniform((tf.shape(images)[0], 1, 1, 1)) < 0.5
    return tf.where(mirrored, tf.reverse(images, axis=[2]), images)


def affine(images, rng, amount=0.15):
    """Maps each image about its center by I + E, where the four entries of E are drawn from U(-amount, amount).

    This rotates, stretches and shears the image slightly. The border is repeated. Like `shift`, use it for classifiers.

    Args:
        images: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
        rng: A `ganlib.training.RandomStream`.
        amount: The largest absolute value of an entry of E. Defaults to 0.15.
    """
    count, height, width = tf.unstack(tf.shape(images)[:3])
    sizes = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    rows, columns = (tf.range(size) - (size - 1.0) / 2.0 for size in sizes)
    rows = rows[:, None]
    e = rng.uniform((count, 2, 2, 1, 1), -amount, amount)
    return _displaced(images, e[:, 0, 0] * rows + e[:, 0, 1] * columns, e[:, 1, 0] * rows + e[:, 1, 1] * columns)


def elastic(images, rng, amount=0.05, smoothness=0.14):
    """Deforms each image by a smooth random displacement of its pixels. The border is repeated.

    The elastic deformation of Simard et al. 2003, "Best practices for convolutional neural networks applied to visual
    document analysis". Use it for classifiers of drawn shapes.

    Args:
        images: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
        rng: A `ganlib.training.RandomStream`.
        amount: The standard deviation of the displacement along each axis, as a fraction of the image's size. The authors use
            1.4 of 29 pixels. Defaults to 0.05.
        smoothness: The standard deviation of the Gaussian that smooths the displacements, as a fraction of the image's size.
            The authors use 4 of 29 pixels. Defaults to 0.14.
    """
    count, height, width = tf.unstack(tf.shape(images)[:3])
    noise = rng.uniform((count, 2, height, width), -math.sqrt(3.0), math.sqrt(3.0))  # with standard deviation 1
    distances = tf.einsum("ij,nkjl,ml->nkim", _gaussian(height, smoothness), noise, _gaussian(width, smoothness))
    down, right = (amount * tf.cast(size, tf.float32) * distances[:, axis] for axis, size in enumerate((height, width)))
    return _displaced(images, down, right)


def cutout(images, rng, ratio=0.5):
    """Sets a random rectangle to zero. The rectangle may extend beyond the border.

    Args:
        images: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
        rng: A `ganlib.training.RandomStream`.
        ratio: The height and width of the rectangle as a fraction of the image's. Projected GAN (Sauer et al. 2021,
            arXiv:2111.01007) uses 0.2. Defaults to 0.5.
    """
    count, height, width = tf.unstack(tf.shape(images)[:3])
    return images * (1.0 - _rectangle(rng, count, height, width, ratio))


def paste(images, rng, ratio=0.3):
    """Pastes into each image a random rectangle from another image of the batch.

    CutMix (Yun et al. 2019, arXiv:1905.04899) also mixes the labels. Here the rectangle covers at most a tenth of the image,
    and the label stays unchanged. Use it for labeled images: a few labeled images do not show all variants of a class, and the
    class must not depend on a single new stroke.

    Args:
        images: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
        rng: A `ganlib.training.RandomStream`.
        ratio: The height and width of the rectangle as a fraction of the image's. Defaults to 0.3.
    """
    count, height, width = tf.unstack(tf.shape(images)[:3])
    inside = _rectangle(rng, count, height, width, ratio)
    sources = whole_batch(images)
    return images + inside * (tf.gather(sources, rng.integers((count,), 0, tf.shape(sources)[0])) - images)


POLICIES = {
    "color": (brightness, saturation, contrast),
    "translation": (translation,),
    "cutout": (cutout,),
    "shift": (shift,),
    "flip": (flip,),
    "affine": (affine,),
    "elastic": (elastic,),
    "paste": (paste,),
    "reflected_shift": (reflected_shift,),
    "randaugment": (randaugment,),
}
"""Name -> functions, applied in this order. The first three policies are those of the `DiffAugment` paper."""

SETTINGS = {
    "translation": "ratio",
    "cutout": "ratio",
    "shift": "ratio",
    "affine": "amount",
    "elastic": "amount",
    "paste": "ratio",
    "reflected_shift": "ratio",
}
"""Name -> the argument of its function that a policy may set, a fraction."""


@register
class DiffAugment:
    """Differentiable augmentation: Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training"
    (arXiv:2006.10738).

    Args:
        policy: Comma-separated names from `POLICIES`. The names in `SETTINGS` may be followed by the value of their setting, as
            in ``"color,translation,cutout:0.2"`` for Projected GAN. Defaults to ``"color,translation,cutout"``.

    Attributes:
        mixes_channels: True if the augmentation treats the channels as colors.
        is_differentiable: True if the images have derivatives.

    Raises:
        UserError: If a name is unknown, or a value does not fit.

    Examples:
        >>> from ganlib.augment import DiffAugment
        >>> len(DiffAugment("color,translation,cutout:0.2").functions)
        5
    """

    def __init__(self, policy="color,translation,cutout"):
        self.policy = policy
        self.functions = [f for term in policy.split(",") for f in _functions(term.strip())]
        self.mixes_channels = saturation in self.functions
        self.is_differentiable = randaugment not in self.functions

    def __call__(self, images, rng):
        for function in self.functions:
            images = function(images, rng)
        return images

    def get_config(self):
        """Returns the config, from which `from_config` recreates the augmentation."""
        return {"policy": self.policy}

    @classmethod
    def from_config(cls, config):
        """Creates the augmentation from a config returned by `get_config`."""
        return cls(**config)


def none(images, rng):
    """Returns the images unchanged."""
    return images


def _functions(term):
    """Returns the functions of one term of a policy, such as ``"color"`` or ``"cutout:0.2"``."""
    name, has_value, value = term.partition(":")
    functions = choose("augmentation", name, POLICIES)
    if not has_value:
        return functions
    if name not in SETTINGS:
        raise UserError(f"augmentation {name!r} takes no value, got {term!r:.60}: only {', '.join(sorted(SETTINGS))} do")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0.0 < number <= 1.0:
        raise UserError(
            f"the {SETTINGS[name]} of augmentation {name!r} must be a number above 0 and at most 1, as in '{name}:0.2', "
            f"got {value!r:.60}"
        )
    return [functools.partial(function, **{SETTINGS[name]: number}) for function in functions]


def _resampled(images, matrices):
    """Multiplies the rows and columns of pixels by ``matrices(count, size)``: ``(count, size, size)``, with a row for each
    pixel of the result."""
    count, height, width = tf.unstack(tf.shape(images)[:3])
    rows, columns = matrices(count, height), matrices(count, width)
    # Matrix products have derivatives of every order and are fast on every device.
    result = tf.einsum("nij,njkc,nlk->nilc", rows, images, columns)
    return tf.ensure_shape(result, images.shape)  # networks need the static height and width


def _displaced(images, down, right):
    """Resamples images bilinearly, with each pixel taken from ``down`` pixels below and ``right`` pixels to the right. Both
    are ``(n, height, width)``. The border is repeated."""
    height, width = tf.unstack(tf.cast(tf.shape(images)[1:3], tf.float32))
    return tf.ensure_shape(sampled(images, tf.range(height)[:, None] + down, tf.range(width) + right), images.shape)


def _gaussian(size, smoothness):
    """Returns a ``(size, size)`` matrix that smooths a vector and keeps the variance of white noise at 1."""
    index = tf.range(tf.cast(size, tf.float32))
    distance = (index[:, None] - index) / (smoothness * tf.cast(size, tf.float32))
    return tf.math.l2_normalize(tf.exp(-0.5 * tf.square(distance)), axis=1)


def _share(size, ratio):
    """Returns ``ratio * size``, rounded half up as in the authors' code, as an int32 scalar."""
    return tf.cast(tf.floor(tf.cast(size, tf.float64) * ratio + 0.5), tf.int32)


def _offsets(rng, count, size, ratio):
    """Draws ``(count, 1, 1)`` integers from ``-ratio * size`` to ``ratio * size``."""
    limit = _share(size, ratio)
    return rng.integers((count, 1, 1), -limit, limit + 1)


def _shifted(rng, count, size, ratio):
    """Returns the ``(count, size)`` positions of pixels after a random shift. They may lie beyond the border."""
    return tf.range(size)[None, :] + _offsets(rng, count, size, ratio)[:, :, 0]


def _shift_matrices(rng, count, size, ratio):
    """Draws ``(count, size, size)`` matrices, each of which shifts a vector by a random offset and fills with zeros."""
    index = tf.range(size)
    distance = index[None, None, :] - index[None, :, None]
    return tf.cast(distance == _offsets(rng, count, size, ratio), tf.float32)


def _rectangle(rng, count, height, width, ratio):
    """Draws ``(count, height, width, 1)`` masks: 1 inside a random rectangle of ``ratio`` times the image's size, else 0."""
    rows, columns = (_window(rng, count, size, ratio) for size in (height, width))
    return rows[:, :, None, None] * columns[:, None, :, None]


def _window(rng, count, size, ratio):
    """Draws ``(count, size)`` masks: 1 inside a window of length ``ratio * size`` around a random center, else 0."""
    length = _share(size, ratio)
    start = rng.integers((count, 1), 0, size + (1 - length % 2)) - length // 2
    index = tf.range(size)[None, :]
    return tf.cast((index >= start) & (index < start + length), tf.float32)
