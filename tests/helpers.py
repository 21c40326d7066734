"""Small models and comparisons that several tests use."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganlib
from ganlib import data, penalties
from ganlib.networks import dcgan, mlp

SHAPE = (8, 8, 1)


def slow_beyond(values, count):
    """Returns parameters. Those after the first `count` are marked slow."""
    return [pytest.param(*(v if isinstance(v, tuple) else (v,)), marks=pytest.mark.slow if i >= count else ())
            for i, v in enumerate(values)]  # fmt: skip


def slow_but(names, *beginnings):
    """Returns parameters. Those with another beginning are marked slow."""
    return [pytest.param(name, marks=() if name.startswith(beginnings) else pytest.mark.slow) for name in names]


def adam(rate=1e-3):
    return keras.optimizers.Adam(rate, beta_1=0.5)


def sgd():
    return keras.optimizers.SGD(0.05)


@functools.cache
def two_replicas():
    """Returns a strategy with two virtual CPU devices.

    There is one for the whole process: TensorFlow numbers the collectives of each strategy from the start, so those of a second
    strategy would collide with those of the first.
    """
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def replicas(count):
    """Returns the strategy for 1 or 2 replicas."""
    return two_replicas() if count == 2 else tf.distribute.get_strategy()


def mlp_gan(num_classes=None, normalization=None, optimizer=adam, **arguments):
    """Returns a compiled GAN of small MLPs for 8x8 images, with weights drawn from the global seed."""
    gan = ganlib.GAN(
        mlp.Generator(SHAPE, latent_dim=4, width=16, num_classes=num_classes, normalization=normalization),
        mlp.Discriminator(SHAPE, width=16, num_classes=num_classes),
    )
    gan.compile(optimizer(), optimizer(), **arguments)
    return gan


def dcgan_gan(**arguments):
    """Returns a compiled conditional GAN of small DCGAN networks with batch normalization and dropout."""
    gan = ganlib.GAN(
        dcgan.Generator(SHAPE, latent_dim=4, width=8, num_classes=10),
        dcgan.Discriminator(SHAPE, width=8, num_classes=10, dropout=0.3),
    )
    gan.compile(adam(), adam(), **arguments)
    return gan


def trained(count, steps=10, **arguments):
    """Trains a GAN without batch normalization on the digits with SGD, with a global batch of 16 on 1 or 2 replicas."""
    with replicas(count).scope():
        keras.utils.set_random_seed(0)
        gan = mlp_gan(num_classes=10, optimizer=sgd, seed=3, **arguments)
    logs = gan.fit(data.batches(data.open("digits"), 16), steps_per_epoch=steps, verbose=0).history
    return gan, logs


VARIANTS = {
    "plain": {},
    "simultaneous": {"update": "simultaneous"},
    "reuse": {"update": "reuse", "discriminator_steps": 2, "penalties": [penalties.R1(1.0, interval=2, separate=True)]},
    "penalties-augment": {
        "penalties": [penalties.R1(1.0, interval=2), penalties.WGANGP(1.0)],
        "augment": "translation,cutout",
    },
    "relativistic-2-steps": {"loss": "relativistic", "discriminator_steps": 2},
}


def weights(model):
    """Returns copies of all weights of a model."""
    return [np.array(w) for w in model.get_weights()]


def same(first, second):
    """Returns True if two lists of arrays are equal bit for bit."""
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def bicubic_by_pillow(image, size):
    """Resizes a ``(height, width, 3)`` image with Pillow's bicubic filter, channel by channel in floating point."""
    channels = [Image.fromarray(np.float32(image[..., c])).resize((size, size), Image.Resampling.BICUBIC) for c in range(3)]
    return np.stack([np.asarray(c) for c in channels], axis=-1)
