"""Networks of images that are not square."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.networks import (
    biggan,
    dcgan,
    fastgan,
    improved_conv,
    improved_mlp,
    mlp,
    multiscale,
    pretrained,
    projected,
    r3gan,
    resnet,
    stylegan2,
)  # fmt: skip
from tests.helpers import adam, slow_beyond, weights

SHAPES = ((16, 24, 3), (24, 16, 3))
MODULES = {
    "biggan": biggan, "dcgan": dcgan, "fastgan": fastgan, "improved_conv": improved_conv, "improved_mlp": improved_mlp,
    "mlp": mlp, "multiscale": multiscale, "r3gan": r3gan, "resnet": resnet, "stylegan2": stylegan2,
}  # fmt: skip


def generator_of(name, shape, **arguments):
    return MODULES[name].Generator(shape, latent_dim=12, width=16, **arguments)


def discriminator_of(name, shape):
    module = dcgan if name == "fastgan" else MODULES[name]  # it has no discriminator of its own
    return module.Discriminator(shape, width=16)


def perturb(variables):
    for variable in variables:  # zero initialization blocks gradients
        variable.assign_add(0.1 * np.random.default_rng(0).normal(size=variable.shape))


@pytest.mark.parametrize("shape", slow_beyond([(shape,) for shape in SHAPES], 1))
@pytest.mark.parametrize("name", MODULES)
def test_gradients_reach_every_weight_and_files_are_exact(name, shape, tmp_path):
    generator, discriminator = generator_of(name, shape), discriminator_of(name, shape)
    latents = np.random.default_rng(0).normal(size=(2, 12)).astype(np.float32)
    variables = generator.trainable_variables + discriminator.trainable_variables
    perturb(variables)
    with tf.GradientTape() as tape:
        images = generator(latents, training=True)
        loss = tf.reduce_sum(discriminator(images[..., : 3 * discriminator.num_scales], training=True) ** 2)
    assert images.shape[:3] == (2, *shape[:2])
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.path
    for network, inputs in ((generator, latents), (discriminator, generator(latents))):
        network.save(tmp_path / "network.keras")
        np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(inputs), network(inputs))


@pytest.mark.parametrize("name", ["dcgan", "resnet", "stylegan2", "r3gan", "fastgan"])
def test_the_lowest_resolution_has_the_aspect_ratio_of_the_images(name):
    """Each image depends on latents everywhere, and its layers are those of the square of its shorter side."""
    wide, square = generator_of(name, (16, 24, 1)), generator_of(name, (16, 16, 1))
    assert len(wide.weights) == len(square.weights)
    different = [b.shape for a, b in zip(square.weights, wide.weights, strict=True) if a.shape != b.shape]
    for shape in different:  # fixed noise, constants, or weights of one number per position
        assert any(side % 24 in (0, 6, 12) for side in shape), shape


@pytest.mark.parametrize(
    ("shape", "lowest"), [((128, 192, 3), (4, 6)), ((192, 128, 3), (6, 4)), ((160, 192, 1), (5, 6)), ((112, 128, 3), (7, 8))]
)
def test_skip_layers_of_fastgan_pool_to_the_lowest_resolution(shape, lowest):
    generator = fastgan.Generator(shape, latent_dim=4, width=2)
    assert generator(np.ones((1, 4), np.float32)).shape == (1, *shape)
    excitations = [layer for layer in generator.excitations if layer]
    assert len(excitations) == len([side for side in (64, 128) if side <= min(shape[:2])])
    for stage, layer in enumerate(excitations):
        coarse = generator.blocks[stage - 1].filters if stage else generator.start.layer.filters // 2
        assert layer.gather.layer.kernel.shape[0] == lowest[0] * lowest[1] * coarse


@pytest.mark.parametrize("name", slow_beyond(["dcgan", "resnet", "stylegan2"], 1))
def test_training_at_64x96(name, tmp_path):
    shape = (64, 96, 3)
    width = {"width": 4}
    gan = ganlib.GAN(MODULES[name].Generator(shape, latent_dim=8, **width), MODULES[name].Discriminator(shape, **width))
    penalties = [ganlib.penalties.R1(1.0)] + [ganlib.penalties.PathLength(interval=1)] * (name == "stylegan2")
    gan.compile(adam(), adam(), penalties=penalties, augment="color,translation,cutout", ema_decay=0.5, seed=0)
    images = np.random.default_rng(0).integers(0, 256, (8, *shape), np.uint8)
    before = weights(gan.generator), weights(gan.discriminator), weights(gan.ema_generator)
    logs = gan.fit(tf.data.Dataset.from_tensor_slices(images).batch(4), epochs=1, verbose=0).history
    assert np.isfinite([value for values in logs.values() for value in values]).all()
    for network, old in zip((gan.generator, gan.discriminator, gan.ema_generator), before, strict=True):
        trained = {id(variable) for variable in network.trainable_variables}
        for variable, value in zip(network.weights, old, strict=True):
            assert id(variable) not in trained or np.abs(np.asarray(variable) - value).max() > 0, variable.path
    assert any(np.abs(a - b).max() > 0 for a, b in zip(weights(gan.ema_generator), before[2], strict=True))
    generated = gan.generate(3, seed=1)
    assert generated.shape == (3, *shape)
    gan.save(tmp_path / "gan.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "gan.keras").generate(3, seed=1), generated)


def test_attention_is_at_the_resolution_of_the_shorter_side():
    generator = resnet.Generator((24, 48, 1), 4, width=8, attention=12)
    assert generator(np.zeros((1, 4), np.float32)).shape == (1, 24, 48, 1)
    with pytest.raises(ganlib.UserError, match="no block at resolution 7 for attention: choose one of 12, 24"):
        resnet.Generator((24, 48, 1), 4, width=8, attention=7)


def test_a_pretrained_network_keeps_the_aspect_ratio():
    images = np.random.default_rng(0).uniform(-1, 1, (1, 64, 96, 3)).astype(np.float32)
    plain = pretrained.load("applications:MobileNetV2", (64, 96, 3), taps=2, weights=None)
    assert [maps.shape[1:3] for maps in plain(images)] == [(4, 6), (2, 3)]
    enlarged = pretrained.load("efficientnet_lite:0", (64, 96, 3), taps=2, weights=None, size=128)
    assert [maps.shape[1:3] for maps in enlarged(images)] == [(8, 12), (4, 6)]


@pytest.mark.slow
def test_the_discriminator_of_projected_gan(tmp_path):
    arguments = {"backbone": "applications:MobileNetV2", "weights": None, "taps": 2, "width": 2}
    for pytorch in (True, False):
        discriminator = projected.Discriminator((64, 96, 3), backbone_size=None, pytorch=pytorch, **arguments)
        images = np.random.default_rng(0).uniform(-1, 1, (2, 64, 96, 3)).astype(np.float32)
        assert [maps.shape[1:3] for maps in discriminator.features(images)] == [(8, 12), (4, 6)]
        assert discriminator(images).shape == (2,)
    discriminator = projected.Discriminator((64, 96, 3), backbone_size=128, **arguments)
    discriminator.save(tmp_path / "network.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(images), discriminator(images))
