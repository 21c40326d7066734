"""Transformations that are applied to each image with a probability."""

import tensorflow as tf


def by_chance(rng, probability, value, identity):
    """Replaces each entry of ``value`` with ``identity``, unless it is selected with a probability.

    Args:
        rng: A `ganlib.training.RandomStream`.
        probability: The probability that an entry of ``value`` is kept, a scalar.
        value: A tensor with the parameters of a transformation, one or more for each image.
        identity: The parameter that leaves an image unchanged, a number.

    Returns:
        A tensor with the shape of ``value``. Each entry is selected independently.
    """
    return tf.where(rng.uniform(tf.unstack(tf.shape(value))) < probability, value, identity)
