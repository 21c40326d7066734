"""Augmentations that both real and generated images pass before the discriminator sees them.

All have one signature, ``augment(images, random) -> images``: ``(n, height, width, channels)`` float32 in
``[-1, 1]``, and a `ganlib.training.RandomStream`. They are differentiable, any number of times.
"""

import keras
import tensorflow as tf

from ganlib.errors import choose

register = keras.saving.register_keras_serializable("ganlib.augment")


def brightness(images, random):
    """Adds U(-0.5, 0.5) to each image."""
    return images + random.uniform((tf.shape(images)[0], 1, 1, 1), -0.5, 0.5)


def saturation(images, random):
    """Scales each pixel's distance from its grey value by U(0, 2)."""
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    return grey + (images - grey) * random.uniform((tf.shape(images)[0], 1, 1, 1), 0.0, 2.0)


def contrast(images, random):
    """Scales each image's distance from its mean by U(0.5, 1.5)."""
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    return mean + (images - mean) * random.uniform((tf.shape(images)[0], 1, 1, 1), 0.5, 1.5)


def translation(images, random, ratio=0.125):
    """Shifts each image by up to ``ratio`` of its size along each axis; zeros come in."""
    count, height, width = tf.unstack(tf.shape(images)[:3])
    rows = _shift(random, count, height, ratio)
    columns = _shift(random, count, width, ratio)
    # As matrix products, which have gradients of every order and run fast everywhere.
    return tf.einsum("nij,njkc,nlk->nilc", rows, images, columns)


def cutout(images, random, ratio=0.5):
    """Sets a random rectangle of ``ratio`` times the image's sides to zero; it may reach over the border."""
    count, height, width = tf.unstack(tf.shape(images)[:3])
    rows = _window(random, count, height, ratio)[:, :, None, None]
    columns = _window(random, count, width, ratio)[:, None, :, None]
    return images * (1.0 - rows * columns)


POLICIES = {"color": (brightness, saturation, contrast), "translation": (translation,), "cutout": (cutout,)}


@register
class DiffAugment:
    """Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training" (arXiv:2006.10738).

    Args:
        policy: names out of ``color``, ``translation``, ``cutout``, joined by commas.

    Raises:
        UserError: for an unknown name.
    """

    def __init__(self, policy="color,translation,cutout"):
        self.policy = policy
        self.functions = [f for name in policy.split(",") for f in choose("augmentation", name.strip(), POLICIES)]

    def __call__(self, images, random):
        for function in self.functions:
            images = function(images, random)
        return images

    def get_config(self):
        return {"policy": self.policy}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def none(images, random):
    """Leaves the images as they are."""
    return images


def get(augment):
    """None -> `none`; a policy such as ``"color,translation"`` -> `DiffAugment` of it; anything else unchanged."""
    if not augment:
        return none
    return DiffAugment(augment) if isinstance(augment, str) else augment


def _shift(random, count, size, ratio):
    """``(count, size, size)`` matrices, each of which shifts a vector by its own random offset."""
    limit = tf.cast(tf.round(tf.cast(size, tf.float32) * ratio), tf.int32)
    offset = random.integers((count, 1, 1), -limit, limit + 1)
    index = tf.range(size)
    return tf.cast(index[None, None, :] - index[None, :, None] == offset, tf.float32)


def _window(random, count, size, ratio):
    """``(count, size)`` of ones inside a window of ``ratio * size`` around a random centre, zeros outside."""
    length = tf.cast(tf.round(tf.cast(size, tf.float32) * ratio), tf.int32)
    start = random.integers((count, 1), 0, size + (1 - length % 2)) - length // 2
    index = tf.range(size)[None, :]
    return tf.cast((index >= start) & (index < start + length), tf.float32)
