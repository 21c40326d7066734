import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import augment, penalties
from ganlib.models.critic import Critic
from ganlib.networks import dcgan, multiscale
from ganlib.training import RandomStream
from tests.helpers import adam

RNG = np.random.default_rng(0)


def networks(**arguments):
    return (
        multiscale.Generator((16, 16, 3), 5, width=8, normalization=None, **arguments),
        multiscale.Discriminator((16, 16, 3), width=8, **arguments),
    )


def test_the_generator_returns_every_scale_in_training_and_otherwise_the_highest():
    generator, _ = networks()
    latents = RNG.normal(size=(2, 5)).astype(np.float32)
    packed = generator(latents, training=True)
    assert packed.shape == (2, 16, 16, 6)
    images = multiscale.unpack_scales(packed, [1, 2])
    assert [image.shape for image in images] == [(2, 16, 16, 3), (2, 8, 8, 3)]
    np.testing.assert_array_equal(images[0], generator(latents))
    np.testing.assert_array_equal(multiscale.pack_scales(images), packed)
    assert networks(scales=1)[0](latents, training=True).shape == (2, 16, 16, 3)


def test_real_images_are_averaged():
    """During training, and when the discriminator receives images of one resolution."""
    _, discriminator = networks()
    images = RNG.uniform(-1, 1, (4, 16, 16, 3)).astype(np.float32)
    pyramid = [images.reshape(4, 16 // k, k, 16 // k, k, 3).mean(axis=(2, 4)) for k in (1, 2)]
    in_training = discriminator.prepare_real_images(images)
    np.testing.assert_allclose(in_training, multiscale.pack_scales(pyramid), atol=1e-6)
    np.testing.assert_allclose(discriminator(images), discriminator(in_training), rtol=1e-4, atol=1e-5)


def test_r1_penalizes_each_resolution():
    """The squared gradient is the sum of those with respect to the images of each resolution."""
    _, discriminator = networks()
    pyramid = [tf.constant(RNG.uniform(-1, 1, (4, side, side, 3)).astype(np.float32)) for side in (16, 8)]
    with tf.GradientTape() as tape:
        tape.watch(pyramid)
        logits = discriminator(multiscale.pack_scales(pyramid))
    expected = sum(np.sum(np.square(gradient)) for gradient in tape.gradient(logits, pyramid)) / 4 / 2
    critic = Critic(discriminator, augment.none, None, RandomStream(0))
    penalty = penalties.R1(1.0)(critic, multiscale.pack_scales(pyramid), None, None)
    assert float(penalty) == pytest.approx(expected, rel=1e-4)


def test_one_scale_is_dcgan():
    pair = networks(scales=1)
    expected = (
        dcgan.Generator((16, 16, 3), 5, width=8, normalization=None),
        dcgan.Discriminator((16, 16, 3), width=8, normalization=None),
    )
    for network, other, shape in zip(pair, expected, [(4, 5), (4, 16, 16, 3)], strict=True):
        inputs = RNG.uniform(-1, 1, shape).astype(np.float32)
        network.set_weights(other.get_weights())
        np.testing.assert_array_equal(network(inputs), other(inputs))


def test_gradients_reach_the_images_of_every_scale():
    generator, discriminator = networks()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(discriminator(generator(RNG.normal(size=(4, 5)).astype(np.float32), training=True)) ** 2)
    layers = [layer.kernel for layer in (*generator.to_images, generator.last)]
    assert len(layers) == 2
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(loss, layers))


@pytest.mark.parametrize("scales", [None, 1])
def test_it_trains_with_gradient_penalties_and_translation(scales):
    generator, discriminator = networks(scales=scales)
    gan = ganlib.GAN(generator, discriminator)
    gan.compile(adam(), adam(), penalties=[penalties.R1(1.0), penalties.WGANGP(1.0)], augment="translation,cutout")
    logs = gan.train_on_batch(RNG.integers(0, 256, (8, 16, 16, 3), np.uint8), return_dict=True)
    assert all(np.isfinite(v) for v in logs.values())
    assert gan.generate(2).shape == (2, 16, 16, 3)


def test_unsupported_arguments_are_rejected():
    with pytest.raises(ganlib.UserError, match="scales must be from 1 to 2 for images of 16x16, got 4"):
        networks(scales=4)
    gan = ganlib.GAN(*networks())
    for colors in ("translation,color", augment.ADA()):
        with pytest.raises(ganlib.UserError, match="augmentation 'color' mixes the channels of an image"):
            gan.compile(adam(), adam(), augment=colors)
    with pytest.raises(ganlib.UserError, match="has 2 scales, but the discriminator has 1"):
        ganlib.GAN(networks()[0], networks(scales=1)[1])
