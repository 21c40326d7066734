"""Seeds of stateless random numbers. Each seed belongs to one purpose, so that no two parts of a run draw the same numbers."""

import enum

import tensorflow as tf

from ganlib.errors import UserError, integer

ALGORITHM = "philox"
"""The random number algorithm. Naming it makes the random bits equal on every device and under XLA."""


class Purpose(enum.IntEnum):
    """The purpose of random numbers. Numbers of different purposes are independent for every seed, step and replica."""

    GENERATION = 0
    LAYERS = 1
    TRAINING = 2
    ORDER = 3
    NEIGHBORS = 4
    MIRROR = 5
    INITIALIZATION = 6


def check_seed(seed):
    """Returns a user's seed as an int.

    Raises:
        UserError: If the seed is not a signed 64-bit integer.
    """
    seed = integer("seed", seed, -(2**63))
    if seed >= 2**63:
        raise UserError(f"seed must be below 2**63, got {seed}")
    return seed


def derive(seed, purpose, *numbers):
    """Derives a ``(2,)`` int64 seed for TensorFlow's stateless random operations.

    Args:
        seed: An integer or a scalar integer tensor.
        purpose: A `Purpose`.
        *numbers: Integers or scalar integer tensors, such as a step and a replica. All their bits are used.

    Examples:
        >>> from ganlib import seeds
        >>> seeds.derive(0, seeds.Purpose.ORDER, 7).shape
        TensorShape([2])
    """
    derived = tf.stack([tf.cast(seed, tf.int64), int(purpose)])
    for number in numbers:
        derived = fold_in(derived, number)
    return derived


def fold_in(seed, number):
    """Derives a new ``(2,)`` int64 seed from a seed and an integer."""
    return tf.random.experimental.stateless_fold_in(seed, tf.cast(number, tf.int64), alg=ALGORITHM)
