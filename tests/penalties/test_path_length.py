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


def test_path_length_moves_the_average_style_when_it_is_due():
    generator = stylegan2.Generator((8, 8, 1), 4, width=8, mapping_layers=1)
    path_length = penalties.PathLength(1.0, interval=2)
    path_length.build(generator, None)
    arguments = Critic(None, None, None, None), generator, tf.zeros((6, 8, 8, 1))
    path_length.of_generator(*arguments, RandomStream(3), 1)
    np.testing.assert_array_equal(generator.average_style, 0.0)
    path_length.of_generator(*arguments, RandomStream(3), 2)
    styles = generator.styles(RandomStream(3).normal((3, 4)))
    np.testing.assert_allclose(generator.average_style, 0.005 * np.mean(styles, axis=0), rtol=1e-4)


def test_path_length_is_differentiated_through_its_mean(float64):
    """The gradient is that of finite differences of the whole term, in which the mean moves too."""
    generator = stylegan2.Generator((8, 8, 1), 4, width=8, mapping_layers=1)

    def term(scale):
        generator.to_images[-1].kernel.assign(scale * kernel)
        path_length = penalties.PathLength(1.0, interval=1, decay=0.5)
        path_length.build(generator, None)
        return path_length.of_generator(Critic(None, None, None, None), generator, tf.zeros((6, 8, 8, 1)), RandomStream(3))

    kernel = generator.to_images[-1].kernel.numpy()
    with tf.GradientTape() as tape:
        value = term(1.0)
    gradient = np.sum(np.asarray(tape.gradient(value, generator.to_images[-1].kernel.value)) * kernel)
    difference = (float(term(1.001)) - float(term(0.999))) / 0.002
    assert gradient == pytest.approx(difference, rel=1e-3)


def test_path_length_affects_the_generator(images):
    def trained(weight):
        gan = ganlib.GAN(stylegan2.Generator((8, 8, 1), 4, width=8), stylegan2.Discriminator((8, 8, 1), width=8))
        gan.generator.set_weights([np.random.default_rng(0).normal(size=w.shape) for w in gan.generator.get_weights()])
        gan.compile(adam(), adam(), penalties=[penalties.PathLength(weight)])
        gan.run_eagerly = True  # tracing takes much longer than one step
        gan.train_on_batch(images[:8])
        return gan.generator.convs[0].conv.kernel.numpy()

    assert not np.array_equal(trained(0.0), trained(10.0))
