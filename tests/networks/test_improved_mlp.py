import itertools

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from ganlib import layers
from ganlib.networks import Classifier, improved_mlp


def test_parameters_match_a_count_by_hand():
    discriminator = improved_mlp.Discriminator((28, 28, 1))
    classifier = Classifier(discriminator.body, (28, 28, 1), 10, discriminator.class_head(10))
    units = [784, 1000, 500, 250, 250, 250, 10]
    expected = sum(a * b + b for a, b in itertools.pairwise(units)) + 10  # plus the gains of the last layer
    assert sum(v.value.shape.num_elements() for v in classifier.trainable_variables) == expected
    generator = improved_mlp.Generator((28, 28, 1))
    expected = 100 * 500 + 500 * 500 + 2 * 500 + 500 * 784 + 2 * 784  # batch norm has a bias only
    assert sum(v.value.shape.num_elements() for v in generator.trainable_variables) == expected


def test_latents_are_uniform():
    z = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    np.testing.assert_allclose(improved_mlp.uniform(z), scipy.stats.norm.cdf(z), atol=2e-4)
    generator = improved_mlp.Generator((4, 4, 1), latent_dim=3, width=8, uniform_latents=True)
    body_input = np.asarray(improved_mlp.uniform(z))
    np.testing.assert_allclose(generator(z), generator.body(body_input), atol=1e-6)
    config = generator.get_config()
    del config["uniform_latents"]
    earlier = improved_mlp.Generator.from_config(config)
    earlier.set_weights(generator.get_weights())
    np.testing.assert_allclose(earlier(z), generator.body(z), atol=1e-6)


def test_directions_have_the_length_of_the_authors():
    """N(0, 0.1) in the authors' nn.DenseLayer."""
    discriminator = improved_mlp.Discriminator((28, 28, 1))
    classifier = Classifier(discriminator.body, (28, 28, 1), 10, discriminator.class_head(10))
    kernels = [variable for variable in classifier.weights if variable.name == "kernel"]
    assert len(kernels) == 6
    for kernel in kernels:
        assert np.std(kernel) == pytest.approx(0.1, rel=0.05)


def test_noise_before_every_layer():
    body = improved_mlp.Discriminator((28, 28, 1)).body
    names = [type(layer).__name__ for layer in body.layers]
    assert names == ["Flatten", "Rescaling", *["GaussianNoise", "WeightNorm", "ReLU"] * 5]
    assert [layer.stddev for layer in body.layers[2::3]] == [0.3, 0.5, 0.5, 0.5, 0.5]
    assert not any(layer.trainable_gain for layer in body.layers if isinstance(layer, layers.WeightNorm))
    assert np.array_equal(body(np.ones((1, 28, 28, 1))), body(np.ones((1, 28, 28, 1))))


def test_first_layer_of_the_discriminator_is_that_of_the_authors():
    """nn.DenseLayer on images in [0, 1]. The gradient of a weight is 0 where all images are black."""
    discriminator = improved_mlp.Discriminator((4, 4, 1), width=8)
    images = np.random.default_rng(0).uniform(-1, 1, (5, 4, 4, 1)).astype(np.float32)
    images[:, 0] = -1.0
    first_layers, dense = keras.Sequential(discriminator.body.layers[:4]), discriminator.body.layers[3]
    theta = dense.layer.kernel.numpy()
    pixels = images.reshape(5, 16) / 2 + 0.5
    expected = pixels @ (theta / np.sqrt(np.sum(theta**2, axis=0)))
    np.testing.assert_allclose(first_layers(images), expected, atol=1e-6)
    dense.layer.kernel.assign(np.where(np.arange(16)[:, None] < 4, 0.0, theta))  # so that the length does not depend on them
    with tf.GradientTape() as tape:
        units = first_layers(images)
    gradient = np.asarray(tape.gradient(units, dense.layer.kernel))
    assert np.all(gradient[:4] == 0.0)
    assert np.any(gradient[4:] != 0.0)


def test_the_discriminator_is_the_authors():
    """Five times nn.DenseLayer without noise."""
    discriminator = improved_mlp.Discriminator((4, 4, 1), width=80)
    images = np.random.default_rng(0).uniform(-1, 1, (5, 4, 4, 1)).astype(np.float32)
    x = images.reshape(5, 16) / 2 + 0.5
    for theta in [np.array(weight) for weight in discriminator.body.weights if weight.name == "kernel"]:
        x = np.maximum(x @ (theta / np.sqrt(np.sum(theta**2, axis=0))), 0)
    assert x.shape == (5, 20)
    np.testing.assert_allclose(discriminator.features(images), x, atol=1e-6)


def test_the_generator_is_the_authors():
    """Batch normalization without gains, softplus, a sigmoid, and nn.l2normalize, which has a trained scale of 1 and no
    initialization from data."""
    generator = improved_mlp.Generator((4, 4, 1), latent_dim=3, width=8)
    z = np.random.default_rng(0).uniform(size=(6, 3)).astype(np.float32)
    before = generator.get_weights()
    generator.initialize(z)
    assert all(np.array_equal(a, b) for a, b in zip(before, generator.get_weights(), strict=True))
    first, second, last = [np.array(weight) for weight in generator.body.weights if weight.name == "kernel"]
    x = z.astype(np.float64)
    for kernel in (first, second):
        x = x @ kernel
        x = np.logaddexp(0, (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-6))
    pixels = scipy.special.expit(x @ (last / np.sqrt(1e-6 + np.sum(last**2, axis=0))))
    np.testing.assert_allclose(generator(z, training=True), 2 * pixels.reshape(6, 4, 4, 1) - 1, atol=1e-5)
    assert generator.body.layers[6].trainable_gain


def test_networks_of_earlier_versions_compute_with_images_in_minus_1_to_1():
    images = np.random.default_rng(0).uniform(-1, 1, (5, 4, 4, 1)).astype(np.float32)
    networks = improved_mlp.Generator((4, 4, 1), 3, width=8), improved_mlp.Discriminator((4, 4, 1), width=8)
    for network, key, layer in zip(networks, ("code", "faithful"), ("Activation", "GaussianNoise"), strict=True):
        config = network.get_config()
        del config[key]
        earlier = type(network).from_config(config)
        assert getattr(earlier, key) in ("ganlib_0.1", False)
        assert "Rescaling" not in [type(layer).__name__ for layer in earlier.body.layers]
        assert layer in [type(layer).__name__ for layer in earlier.body.layers]
        if layer == "GaussianNoise":
            assert earlier.body.layers[1].stddev == 0.6
            assert not np.allclose(earlier(images), network(images))


def test_the_generator_of_bad_gan_ends_in_a_sigmoid_and_has_scales():
    generator = improved_mlp.Generator((28, 28, 1), latent_dim=100, width=500, code="bad_gan")
    expected = 100 * 500 + 500 * 500 + 4 * 500 + 500 * 784 + 2 * 784
    assert sum(v.value.shape.num_elements() for v in generator.trainable_variables) == expected
    first, second, last = (np.asarray(v) for v in generator.weights if v.name == "kernel")
    assert np.max(np.abs(first)) == pytest.approx(0.1, rel=1e-2)  # 1 / sqrt(100)
    assert np.max(np.abs(second)) == pytest.approx(500**-0.5, rel=1e-2)
    assert np.std(last) == pytest.approx(0.1, rel=0.05)
    latents = np.random.default_rng(0).normal(size=(4, 100)).astype(np.float32)
    before = generator.get_weights()
    generator.initialize(latents)  # the authors initialize only the discriminator on data
    assert all(np.array_equal(a, b) for a, b in zip(before, generator.get_weights(), strict=True))
    logits = generator.body.layers[6](keras.Sequential(generator.body.layers[:6])(latents))
    expected = 2 * scipy.special.expit(logits) - 1
    np.testing.assert_allclose(generator(latents).numpy().reshape(4, -1), expected, atol=1e-5)


def test_encoder_has_two_hidden_layers():
    encoder = improved_mlp.Encoder((28, 28, 1), latent_dim=100, width=500)
    expected = 784 * 500 + 500 * 500 + 4 * 500 + 500 * 200 + 2 * 200
    assert sum(v.value.shape.num_elements() for v in encoder.trainable_variables) == expected
    means, log_stds = encoder(np.zeros((2, 28, 28, 1), np.float32))
    assert means.shape == log_stds.shape == (2, 100)
