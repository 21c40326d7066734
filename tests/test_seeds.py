import numpy as np
import scipy.stats
import tensorflow as tf

from ganlib.seeds import ALGORITHM, Purpose, derive
from ganlib.training import RandomStream

HIGH = (255, 256, 2**16, 2**31, 2**32, 2**32 + 1, 2**48, 2**62, -1, -256)


def numbers_of(purpose, keys):
    """Draws a 62-bit number for each row (seed, number, number), with the seed derived from it."""

    def number(key):
        derived = derive(key[0], purpose, *tf.unstack(key[1:]))
        return tf.random.stateless_uniform((), derived, 0, 1 << 62, tf.int64, alg=ALGORITHM)

    return np.concatenate(list(tf.data.Dataset.from_tensor_slices(keys).map(number).batch(1000).as_numpy_iterator()))


def test_no_two_of_100_000_seeds_steps_and_replicas_share_numbers():
    """Two equal 62-bit numbers would have a probability of one in a billion. Each bit is 0 or 1 equally often."""
    columns = (*range(20), *HIGH), (*range(20), *HIGH), (*range(13), *HIGH)
    keys = np.stack(np.meshgrid(*columns), axis=-1).reshape(-1, 3)
    numbers = np.concatenate([numbers_of(purpose, keys) for purpose in Purpose])
    assert len(numbers) == len(set(numbers.tolist())) > 100_000
    ones = [np.sum(numbers >> bit & 1) for bit in range(62)]
    statistic = np.sum((np.array(ones) - len(numbers) / 2) ** 2) / (len(numbers) / 4)
    assert 1e-4 < scipy.stats.chi2.sf(statistic, 62) < 1 - 1e-4


def test_latents_for_generation_differ_from_those_training_steps():
    training = np.concatenate([RandomStream(0, step, purpose=Purpose.TRAINING).normal((8, 2)) for step in range(3)])
    generation = np.concatenate([RandomStream(0, step).normal((8, 2)) for step in range(3)])
    assert not np.isin(generation, training).any()
