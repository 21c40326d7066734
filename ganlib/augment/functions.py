"""Augmentations that every image passes, and `DiffAugment`, which names some of them.

Each takes ``images``, ``(n, height, width, channels)`` float32 in ``[-1, 1]``, and ``rng``, a
`ganlib.training.RandomStream`, and returns images of the same shape, through which gradients pass.
"""

import math

import keras
import tensorflow as tf

from ganlib.augment.sampling import sampled
from ganlib.errors import choose
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
    """Shifts each image by up to ``ratio`` of its size along each axis; zeros come in."""
    return _resampled(images, lambda count, size: _shift(rng, count, size, ratio))


def shift(images, rng, ratio=0.07):
    """Shifts each image by up to ``ratio`` of its size along each axis; the border is repeated.

    For classifiers: unlike `translation` it leaves an image that could be one of the data.
    """

    def matrices(count, size):
        source = tf.range(size)[None, :] + _offset(rng, count, size, ratio)[:, :, 0]
        return tf.one_hot(tf.clip_by_value(source, 0, size - 1), size)

    return _resampled(images, matrices)


def flip(images, rng):
    """Mirrors half of the images, each by chance, left to right."""
    mirrored = rng.uniform((tf.shape(images)[0], 1, 1, 1)) < 0.5
    return tf.where(mirrored, tf.reverse(images, axis=[2]), images)


def affine(images, rng, amount=0.15):
    """Maps each image about its center by I + E, with the four entries of E from U(-amount, amount): it turns, stretches
    and slants a little. The border is repeated. For classifiers, as `shift` is."""
    count, height, width = tf.unstack(tf.shape(images)[:3])
    sizes = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    rows, columns = (tf.range(size) - (size - 1.0) / 2.0 for size in sizes)
    rows = rows[:, None]
    e = rng.uniform((count, 2, 2, 1, 1), -amount, amount)
    return _displaced(images, e[:, 0, 0] * rows + e[:, 0, 1] * columns, e[:, 1, 0] * rows + e[:, 1, 1] * columns)


def elastic(images, rng, amount=0.05, smoothness=0.14):
    """Bends each image: every pixel is moved by its own, smooth, random distance. The border is repeated.

    The elastic deformation of Simard et al. 2003, "Best practices for convolutional neural networks applied to visual
    document analysis". For classifiers of drawn shapes.

    Args:
        images: as always.
        rng: as always.
        amount: the deviation of the distance along each axis, as a share of the image's size; theirs is 1.4 pixels of 29.
        smoothness: the deviation of the Gaussian that smooths the distances, as a share of the image's size; theirs is 4
            pixels of 29.
    """
    count, height, width = tf.unstack(tf.shape(images)[:3])
    noise = rng.uniform((count, 2, height, width), -math.sqrt(3.0), math.sqrt(3.0))  # of deviation 1
    distances = tf.einsum("ij,nkjl,ml->nkim", _gaussian(height, smoothness), noise, _gaussian(width, smoothness))
    down, right = (amount * tf.cast(size, tf.float32) * distances[:, axis] for axis, size in enumerate((height, width)))
    return _displaced(images, down, right)


def cutout(images, rng, ratio=0.5):
    """Sets a random rectangle of ``ratio`` times the image's sides to zero; it may reach over the border."""
    count, height, width = tf.unstack(tf.shape(images)[:3])
    return images * (1.0 - _rectangle(rng, count, height, width, ratio))


def paste(images, rng, ratio=0.3):
    """Pastes into each image a random rectangle, of ``ratio`` times its sides, of another of the batch.

    CutMix (Yun et al. 2019, arXiv:1905.04899) mixes the labels, too; here the rectangle, at most a tenth of the image,
    leaves the label as it is. For labeled images: a few of them do not show all forms of a class, and a stroke that is
    new must not decide.
    """
    count, height, width = tf.unstack(tf.shape(images)[:3])
    inside = _rectangle(rng, count, height, width, ratio)
    others = whole_batch(images)
    return images + inside * (tf.gather(others, rng.integers((count,), 0, tf.shape(others)[0])) - images)


POLICIES = {
    "color": (brightness, saturation, contrast), "translation": (translation,), "cutout": (cutout,), "shift": (shift,),
    "flip": (flip,), "affine": (affine,), "elastic": (elastic,), "paste": (paste,),
}  # fmt: skip
"""Name -> what it stands for. The first three are those of `DiffAugment`'s paper."""


@register
class DiffAugment:
    """Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training" (arXiv:2006.10738).

    Args:
        policy: names out of `POLICIES`, joined by commas.

    Attributes:
        mixes_channels: whether it takes the channels for colors.

    Raises:
        UserError: for an unknown name.
    """

    def __init__(self, policy="color,translation,cutout"):
        self.policy = policy
        self.functions = [f for name in policy.split(",") for f in choose("augmentation", name.strip(), POLICIES)]
        self.mixes_channels = saturation in self.functions

    def __call__(self, images, rng):
        for function in self.functions:
            images = function(images, rng)
        return images

    def get_config(self):
        """What `from_config` makes an equal one of."""
        return {"policy": self.policy}

    @classmethod
    def from_config(cls, config):
        """The augmentation that `get_config` describes."""
        return cls(**config)


def none(images, rng):
    """Leaves the images as they are."""
    return images


def _resampled(images, matrices):
    """The images with rows and columns of pixels mixed by ``matrices(count, size)``: ``(count, size, size)``, a row for
    each pixel of the result."""
    count, height, width = tf.unstack(tf.shape(images)[:3])
    rows, columns = matrices(count, height), matrices(count, width)
    # As matrix products, which have gradients of every order and run fast everywhere.
    return tf.einsum("nij,njkc,nlk->nilc", rows, images, columns)


def _displaced(images, down, right):
    """Images that take each pixel from so far below and to the right, ``(n, height, width)`` pixels each, between pixels
    bilinearly; the border is repeated."""
    height, width = tf.unstack(tf.cast(tf.shape(images)[1:3], tf.float32))
    return sampled(images, tf.range(height)[:, None] + down, tf.range(width) + right)


def _gaussian(size, smoothness):
    """A ``(size, size)`` matrix that smooths a vector and keeps the variance of white noise at 1."""
    index = tf.range(tf.cast(size, tf.float32))
    distance = (index[:, None] - index) / (smoothness * tf.cast(size, tf.float32))
    return tf.math.l2_normalize(tf.exp(-0.5 * tf.square(distance)), axis=1)


def _offset(rng, count, size, ratio):
    """``(count, 1, 1)`` integers up to ``ratio * size``, positive or negative."""
    limit = tf.cast(tf.round(tf.cast(size, tf.float32) * ratio), tf.int32)
    return rng.integers((count, 1, 1), -limit, limit + 1)


def _shift(rng, count, size, ratio):
    """``(count, size, size)`` matrices, each of which shifts a vector by its own random offset; zeros come in."""
    index = tf.range(size)
    distance = index[None, None, :] - index[None, :, None]
    return tf.cast(distance == _offset(rng, count, size, ratio), tf.float32)


def _rectangle(rng, count, height, width, ratio):
    """``(count, height, width, 1)`` of ones inside a random rectangle of ``ratio`` times the sides, zeros outside."""
    rows, columns = (_window(rng, count, size, ratio) for size in (height, width))
    return rows[:, :, None, None] * columns[:, None, :, None]


def _window(rng, count, size, ratio):
    """``(count, size)`` of ones inside a window of ``ratio * size`` around a random center, zeros outside."""
    length = tf.cast(tf.round(tf.cast(size, tf.float32) * ratio), tf.int32)
    start = rng.integers((count, 1), 0, size + (1 - length % 2)) - length // 2
    index = tf.range(size)[None, :]
    return tf.cast((index >= start) & (index < start + length), tf.float32)
