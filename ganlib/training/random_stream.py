"""Random numbers of a training step, as a function of (seed, step, draw, example) and of nothing else."""

import copy

import tensorflow as tf

from ganlib.seeds import ALGORITHM, Purpose, derive, fold_in

# Random bits are the same on every device and under XLA, once their algorithm is named. TensorFlow's own floating-point
# numbers are not, so they are made from bits here.
BITS = 23


class RandomStream:
    """Stateless random numbers, of which each draw is new.

    The first axis of every draw is the batch. With several replicas, each draws the numbers of the whole batch and
    takes its own rows. So a batch gets the same numbers on any number of replicas, and a resumed run those that it
    would have had.

    Args:
        seed: an integer or a scalar integer tensor.
        step: likewise.
        replica: this replica's number, from 0.
        num_replicas: how many replicas share the batch.
        purpose: a `ganlib.seeds.Purpose`. Training has numbers of its own, so that latents to generate from are not those
            of a step.

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
        """Standard normal float32 of ``shape``, up to 5.3 standard deviations."""
        return self._draw(shape, lambda bits: _normal(_unit(bits) * 2.0 - 1.0))

    def truncated_normal(self, shape, limit):
        """Standard normal float32 of ``shape``, given that its absolute value is below ``limit``."""
        share = tf.math.erf(limit / tf.sqrt(2.0))  # of the distribution that lies within the limit
        return self._draw(shape, lambda bits: _normal((_unit(bits) * 2.0 - 1.0) * share))

    def uniform(self, shape, low=0.0, high=1.0):
        """Uniform float32 between ``low`` and ``high`` of ``shape``."""
        return self._draw(shape, lambda bits: low + (high - low) * _unit(bits))

    def integers(self, shape, low, high):
        """Uniform int32 in ``[low, high)`` of ``shape``."""
        return self._draw(shape, lambda bits: low + tf.cast(_unit(bits) * tf.cast(high - low, tf.float32), tf.int32))

    def part(self, index, parts):
        """The numbers for one of ``parts`` equal parts of this replica's share, which goes through the networks alone.

        Args:
            index: of the part, from 0.
            parts: how many there are; all draw alike. `advance_to` one of them draws what follows.
        """
        other = copy.copy(self)
        other._replica, other._num_replicas = self._replica * parts + index, self._num_replicas * parts
        other._seed = tf.identity(self._seed)  # not before what the caller waits for
        return other

    def advance_to(self, part):
        """Makes the next draw the one that is next for ``part``."""
        self._draws = part._draws

    def _draw(self, shape, transform):
        """``transform`` of new random bits; this replica's rows of those of the whole batch."""
        seed = fold_in(self._seed, self._draws)
        self._draws += 1
        count, *rest = shape
        whole = tf.stack([count * self._num_replicas, *rest])
        numbers = transform(tf.random.stateless_uniform(whole, seed, 0, 1 << BITS, tf.int32, alg=ALGORITHM))
        return numbers if self._num_replicas == 1 else numbers[self._replica * count : (self._replica + 1) * count]


def _unit(bits):
    """``BITS`` random bits -> a float32 between 0 and 1, both excluded; without rounding."""
    return (tf.cast(bits, tf.float32) + 0.5) / (1 << BITS)


def _normal(position):
    """A number in (-1, 1), uniform in the normal distribution's middle part -> its normal number."""
    return tf.sqrt(2.0) * tf.math.erfinv(position)
