"""Random numbers of a train step, a function of (seed, step, draw, example) only."""

import copy

import tensorflow as tf

from ganlib.seeds import ALGORITHM, Purpose, derive, fold_in

# With a fixed algorithm, random bits are the same on every device and under XLA. TensorFlow's floating-point random numbers
# are not, so they are computed from bits here.
BITS = 23


class RandomStream:
    """Stateless random numbers. Each draw returns new numbers.

    The first axis of every draw is the batch axis. Each of several replicas draws the numbers of the global batch and
    takes its rows. A batch therefore gets the same numbers on any number of replicas, and a resumed run gets the numbers of
    an uninterrupted run.

    Args:
        seed: An integer or a scalar integer tensor.
        step: An integer or a scalar integer tensor. Defaults to 0.
        replica: The index of this replica, from 0. Defaults to 0.
        num_replicas: The number of replicas that share the batch. Defaults to 1.
        purpose: A `ganlib.seeds.Purpose`. Training and generation have different purposes, so that generated images do not use
            the latents of a train step. Defaults to ``Purpose.GENERATION``.

    Examples:
        >>> from ganlib.training import RandomStream
        >>> RandomStream(seed=0, step=7).normal((4, 128)).shape
        TensorShape([4, 128])
    """

    def __init__(self, seed, step=0, replica=0, num_replicas=1, purpose=Purpose.GENERATION):
        self._seed = derive(seed, purpose, step)
        self._replica, self._num_replicas = replica, num_replicas
        self._draws = 0

    def normal(self, shape):
        """Draws standard normal float32 numbers, up to 5.3 standard deviations."""
        return self._draw(shape, lambda bits: _normal(_unit(bits) * 2.0 - 1.0))

    def truncated_normal(self, shape, limit):
        """Draws standard normal float32 numbers, conditioned on an absolute value below ``limit``."""
        mass = tf.math.erf(limit / tf.sqrt(2.0))  # the probability of a value within the limit
        return self._draw(shape, lambda bits: _normal((_unit(bits) * 2.0 - 1.0) * mass))

    def uniform(self, shape, low=0.0, high=1.0):
        """Draws uniform float32 numbers.

        Args:
            shape: The shape of the result.
            low: The lower bound. Defaults to 0.0.
            high: The upper bound. Defaults to 1.0.
        """
        return self._draw(shape, lambda bits: low + (high - low) * _unit(bits))

    def integers(self, shape, low, high):
        """Draws uniform int32 numbers in ``[low, high)``."""
        return self._draw(shape, lambda bits: low + tf.cast(_unit(bits) * tf.cast(high - low, tf.float32), tf.int32))

    def shared_uniform(self):
        """Draws a uniform float32 number between 0 and 1, a scalar, the same on all replicas and in all micro-batches."""
        seed = fold_in(self._seed, self._draws)
        self._draws += 1
        return _unit(tf.random.stateless_uniform((), seed, 0, 1 << BITS, tf.int32, alg=ALGORITHM))

    def part(self, index, parts):
        """Returns the stream of one of ``parts`` equal micro-batches of this replica's batch.

        Args:
            index: The index of the micro-batch, from 0.
            parts: The number of micro-batches. All make the same draws. To continue with the draws after them, call
                `advance_to` with one of them.
        """
        stream = copy.copy(self)
        stream._replica, stream._num_replicas = self._replica * parts + index, self._num_replicas * parts
        stream._seed = tf.identity(self._seed)  # a new tensor, which depends on the caller's control dependencies
        return stream

    def advance_to(self, part):
        """Continues with the next draw of ``part``."""
        self._draws = part._draws

    def _draw(self, shape, transform):
        """Draws random bits for the global batch, applies ``transform``, and returns this replica's rows."""
        seed = fold_in(self._seed, self._draws)
        self._draws += 1
        count, *rest = shape
        global_shape = tf.stack([count * self._num_replicas, *rest])
        numbers = transform(tf.random.stateless_uniform(global_shape, seed, 0, 1 << BITS, tf.int32, alg=ALGORITHM))
        return numbers if self._num_replicas == 1 else numbers[self._replica * count : (self._replica + 1) * count]


def _unit(bits):
    """Maps ``BITS`` random bits to a float32 between 0 and 1, both excluded, without rounding."""
    return (tf.cast(bits, tf.float32) + 0.5) / (1 << BITS)


def _normal(quantile):
    """Maps a uniform number in (-1, 1) to a standard normal number, symmetric about 0."""
    return tf.sqrt(2.0) * tf.math.erfinv(quantile)
