"""A critic with a numpy implementation of its values and gradients."""

import numpy as np
import tensorflow as tf

RANDOM = np.random.default_rng(0)
REAL = RANDOM.normal(size=(4, 3, 3, 1)).astype(np.float32)
FAKE = RANDOM.normal(size=(4, 3, 3, 1)).astype(np.float32)
WEIGHTS = RANDOM.normal(size=(9, 5))
OUT = RANDOM.normal(size=5)


def critic(images):
    """A smooth function of each image. `squared_norms` has the same function in float64 numpy."""
    flat = tf.reshape(images, (-1, 9))
    return tf.linalg.matvec(tf.tanh(flat @ WEIGHTS.astype(np.float32)), OUT.astype(np.float32))


def squared_norms(images, eps=1e-5):
    """Computes ``||grad critic||^2`` of every image with central finite differences in float64."""

    def value(x):
        return np.tanh(x.reshape(-1, 9) @ WEIGHTS) @ OUT

    images = images.astype(np.float64)
    total = np.zeros(len(images))
    for index in np.ndindex(images.shape[1:]):
        step = np.zeros(images.shape[1:])
        step[index] = eps
        total += ((value(images + step) - value(images - step)) / (2 * eps)) ** 2
    return total
