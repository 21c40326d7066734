import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import penalties
from ganlib.models.critic import Critic
from ganlib.networks import stylegan2
from ganlib.training import RandomStream
from tests.helpers import adam


def test_path_length_against_finite_differences(float64):
    generator = stylegan2.Generator((8, 8, 1), 4, width=8, mapping_layers=1)
    path_length = penalties.PathLength(1.0, interval=1)
    path_length.build(generator, None)
    fake = tf.zeros((6, 8, 8, 1))
    value = float(path_length.of_generator(Critic(None, None, None, None), generator, fake, RandomStream(3)))

    rng = RandomStream(3)
    latents, draws = rng.normal((3, 4)), generator.sample_noise(3, rng)
    styles = np.asarray(generator.layer_styles(latents, None, draws["mixing"]), np.float64)
    noise = np.asarray(rng.normal((3, 8, 8, 1)), np.float64) / 8.0

    def products(styles):
        return np.sum(np.asarray(generator.from_styles(styles, draws["noise"]), np.float64) * noise, axis=(1, 2, 3))

    squared, eps = np.zeros((3, styles.shape[1])), 1e-3
    for layer, k in np.ndindex(styles.shape[1:]):
        step = np.zeros(styles.shape[1:])
        step[layer, k] = eps
        squared[:, layer] += ((products(styles + step) - products(styles - step)) / (2 * eps)) ** 2
    lengths = np.sqrt(squared.mean(axis=1))
    assert lengths.min() > 0
    assert value == pytest.approx(np.square(lengths - 0.01 * lengths.mean()).mean(), rel=1e-3)


def test_path_length_affects_the_generator(images):
    def trained(weight):
        gan = ganlib.GAN(stylegan2.Generator((8, 8, 1), 4, width=8), stylegan2.Discriminator((8, 8, 1), width=8))
        gan.generator.set_weights([np.random.default_rng(0).normal(size=w.shape) for w in gan.generator.get_weights()])
        gan.compile(adam(), adam(), penalties=[penalties.PathLength(weight)])
        gan.run_eagerly = True  # tracing takes much longer than one step
        gan.train_on_batch(images[:8])
        return gan.generator.convs[0].conv.kernel.numpy()

    assert not np.array_equal(trained(0.0), trained(10.0))
