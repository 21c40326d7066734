import itertools

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats

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
    assert names == ["Flatten", *["GaussianNoise", "WeightNorm", "ReLU"] * 5]
    assert [layer.stddev for layer in body.layers[1::3]] == [0.6, 0.5, 0.5, 0.5, 0.5]
    assert not any(layer.trainable_gain for layer in body.layers if isinstance(layer, layers.WeightNorm))
    assert np.array_equal(body(np.ones((1, 28, 28, 1))), body(np.ones((1, 28, 28, 1))))


def test_the_generator_of_bad_gan_ends_in_a_sigmoid_and_has_scales():
    generator = improved_mlp.Generator((28, 28, 1), latent_dim=100, width=500, code="bad_gan")
    expected = 100 * 500 + 500 * 500 + 4 * 500 + 500 * 784 + 2 * 784
    assert sum(v.value.shape.num_elements() for v in generator.trainable_variables) == expected
    first, second, last = (np.asarray(v) for v in generator.weights if v.name == "kernel")
    assert np.max(np.abs(first)) == pytest.approx(0.1, rel=1e-2)  # 1 / sqrt(100)
    assert np.max(np.abs(second)) == pytest.approx(500**-0.5, rel=1e-2)
    assert np.std(last) == pytest.approx(0.1, rel=0.05)
    latents = np.random.default_rng(0).normal(size=(4, 100)).astype(np.float32)
    logits = generator.body.layers[6](keras.Sequential(generator.body.layers[:6])(latents))
    expected = 2 * scipy.special.expit(logits) - 1
    np.testing.assert_allclose(generator(latents).numpy().reshape(4, -1), expected, atol=1e-5)


def test_encoder_has_two_hidden_layers():
    encoder = improved_mlp.Encoder((28, 28, 1), latent_dim=100, width=500)
    expected = 784 * 500 + 500 * 500 + 4 * 500 + 500 * 200 + 2 * 200
    assert sum(v.value.shape.num_elements() for v in encoder.trainable_variables) == expected
    means, log_stds = encoder(np.zeros((2, 28, 28, 1), np.float32))
    assert means.shape == log_stds.shape == (2, 100)
