"""Transformations that are made of some images only."""

import tensorflow as tf


def by_chance(rng, probability, value, identity):
    """For each image ``value``, with a probability, or else ``identity``.

    Args:
        rng: a `ganlib.training.RandomStream`.
        probability: a scalar.
        value: a tensor, a row or more for each image.
        identity: the number that changes nothing.

    Returns:
        A tensor as ``value``; every entry of it is drawn by itself.
    """
    return tf.where(rng.uniform(tf.unstack(tf.shape(value))) < probability, value, identity)
