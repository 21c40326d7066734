"""Properties of all generators and discriminators."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
import ganlib.networks as networks_of_ganlib
from ganlib.networks import biggan, dcgan, improved_conv, improved_mlp, mlp, multiscale, r3gan, resnet, stylegan2
from ganlib.training import averaging, precision
from tests.helpers import slow_but

MODULES = {
    "mlp": mlp, "dcgan": dcgan, "resnet": resnet, "improved_mlp": improved_mlp, "improved_conv": improved_conv,
    "r3gan": r3gan, "stylegan2": stylegan2, "multiscale": multiscale, "biggan": biggan,
}  # fmt: skip
SPECTRAL_NORM = ("mlp", "dcgan", "resnet", "biggan")
SHAPE, LATENT_DIM, WIDTH = (16, 16, 3), 6, 24
CASES = [(name, classes) for name in MODULES for classes in (None, 3)]


@pytest.fixture(
    params=[pytest.param(case, marks=() if case[1] or case[0] in ("mlp", "dcgan") else pytest.mark.slow) for case in CASES],
    ids=[f"{name}-{classes or 'plain'}" for name, classes in CASES],
)
def networks(request):
    name, classes = request.param
    module = MODULES[name]
    return (
        module.Generator(image_shape=SHAPE, latent_dim=LATENT_DIM, width=WIDTH, num_classes=classes),
        module.Discriminator(image_shape=SHAPE, width=WIDTH, num_classes=classes),
    )


def inputs(network, first):
    return (first, np.arange(len(first)) % 3) if network.num_classes else (first,)


def perturb(variables):
    """Adds noise to weights, so that none has its initial value."""
    for variable in variables:
        variable.assign_add(0.1 * np.random.default_rng(0).normal(size=variable.shape))


LATENTS = np.random.default_rng(0).normal(size=(4, LATENT_DIM)).astype(np.float32)
IMAGES = np.random.default_rng(1).uniform(-1, 1, (4, *SHAPE)).astype(np.float32)


def test_shapes_types_and_range(networks):
    generator, discriminator = networks
    assert generator(*inputs(generator, LATENTS), training=True).shape == (4, *SHAPE[:2], SHAPE[2] * generator.num_scales)
    images = generator(*inputs(generator, 50 * LATENTS))
    assert images.shape == (4, *SHAPE)
    assert images.dtype == tf.float32
    assert -1 <= np.min(images) < np.max(images) <= 1
    logits = discriminator(*inputs(discriminator, IMAGES), training=True)
    assert logits.shape == (4,)
    assert logits.dtype == tf.float32
    assert discriminator.features(IMAGES).shape[0] == 4
    assert len(discriminator.features(IMAGES).shape) == 2


def test_gradients_reach_every_trainable_weight(networks):
    generator, discriminator = networks
    variables = generator.trainable_variables + discriminator.trainable_variables
    perturb(variables)  # zero initialization blocks gradients
    with tf.GradientTape() as tape:
        images = generator(*inputs(generator, LATENTS), training=True)
        loss = tf.reduce_sum(discriminator(*inputs(discriminator, images), training=True) ** 2)
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        assert gradient is not None, variable.path
        gradient = tf.convert_to_tensor(gradient)
        assert np.all(np.isfinite(gradient)), variable.path
        assert np.abs(gradient).max() > 0, variable.path


def test_a_frozen_copy_returns_the_same(networks):
    for network, first in zip(networks, (LATENTS, IMAGES), strict=True):
        network(*inputs(network, first), training=True)
        copy = averaging.clone_network(network)
        assert not copy.trainable_variables
        np.testing.assert_array_equal(network(*inputs(network, first)), copy(*inputs(copy, first)))


def test_keras_round_trip_is_exact(networks, tmp_path):
    for network, first in zip(networks, (LATENTS, IMAGES), strict=True):
        network(*inputs(network, first), training=True)  # updates batch statistics and singular vectors
        network.save(tmp_path / "network.keras")
        loaded = keras.saving.load_model(tmp_path / "network.keras")
        np.testing.assert_array_equal(network(*inputs(network, first)), loaded(*inputs(loaded, first)))
        assert loaded.get_config() == network.get_config() | {"name": loaded.name}


def test_labels_change_the_outputs(networks):
    for network, first in zip(networks, (LATENTS, IMAGES), strict=True):
        if network.num_classes:
            perturb(network.trainable_variables)  # initially, conditional batch norm has the same gain for every class
            first = np.repeat(first[:1], 2, axis=0)
            results = np.asarray(network(first, np.array([0, 1])))
            assert np.abs(results[0] - results[1]).max() > 0


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", MODULES)
def test_mixed_precision(name, policy):
    with precision.policy(policy):
        generator = MODULES[name].Generator(image_shape=SHAPE, latent_dim=LATENT_DIM, width=WIDTH, num_classes=3)
        normalized = {"spectral_norm": True} if name in SPECTRAL_NORM else {}
        discriminator = MODULES[name].Discriminator(image_shape=SHAPE, width=WIDTH, num_classes=3, **normalized)
    with tf.GradientTape() as tape:
        images = generator(LATENTS, np.arange(4) % 3, training=True)
        logits = discriminator(images, np.arange(4) % 3, training=True)
    assert images.dtype == logits.dtype == tf.float32
    variables = generator.trainable_variables + discriminator.trainable_variables
    assert {str(v.dtype) for v in variables} == {"float32"}
    assert all(g is not None for g in tape.gradient(logits, variables))


def test_weights_are_determined_by_the_global_seed():
    def initial_weights():
        keras.utils.set_random_seed(7)
        return dcgan.Generator(SHAPE, LATENT_DIM, WIDTH).get_weights()

    for a, b in zip(initial_weights(), initial_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "name", slow_but(["dcgan", "resnet", "improved_conv", "r3gan", "stylegan2", "multiscale", "biggan"], "dcgan", "improved")
)
def test_every_supported_size(name):
    module, latents = MODULES[name], np.ones((1, 420), np.float32)  # a multiple of biggan's number of chunks at every size
    for size in module.STAGES:
        images = module.Generator((size, size, 1), 420, width=2)(latents)
        assert images.shape == (1, size, size, 1)
        assert module.Discriminator((size, size, 1), width=2)(images).shape == (1,)


@pytest.mark.parametrize("name", ["dcgan", "resnet", "improved_conv", "r3gan", "stylegan2", "multiscale", "biggan"])
def test_unsupported_sizes_are_rejected(name):
    for kind in (MODULES[name].Generator, MODULES[name].Discriminator):
        message = f"{name} cannot generate images of 22x27: both sides must be multiples of 4, such as 20x24"
        with pytest.raises(ganlib.UserError, match=message):
            kind((22, 27, 1), width=2)
        with pytest.raises(
            ganlib.UserError, match=f"{name} cannot generate images of 4x64: choose a shorter side from (8|16) to "
        ):
            kind((4, 64, 1), width=2)


def test_network_files_have_at_most_300_lines():
    """Short files make it easy to compare two papers."""
    lengths = {
        path.name: len(path.read_text().splitlines()) for path in pathlib.Path(networks_of_ganlib.__path__[0]).glob("*.py")
    }
    assert len(lengths) > 10
    assert max(lengths.values()) <= 300
