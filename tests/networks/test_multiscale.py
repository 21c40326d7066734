import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import penalties
from ganlib.networks import multiscale
from tests.helpers import adam

RANDOM = np.random.default_rng(0)


def networks(**arguments):
    return (
        multiscale.Generator((16, 16, 3), 5, width=8, **arguments),
        multiscale.Discriminator((16, 16, 3), width=8, **arguments),
    )


def test_the_generator_gives_every_scale_in_training_and_the_largest_otherwise():
    generator, _ = networks()
    latents = RANDOM.normal(size=(2, 5)).astype(np.float32)
    packed = generator(latents, training=True)
    assert packed.shape == (2, 16, 16, 9)
    images = multiscale.reduced(packed, [1, 2, 4])
    assert [image.shape for image in images] == [(2, 16, 16, 3), (2, 8, 8, 3), (2, 4, 4, 3)]
    np.testing.assert_array_equal(images[0], generator(latents))
    np.testing.assert_array_equal(multiscale.enlarged(images), packed)
    assert networks(scales=1)[0](latents, training=True).shape == (2, 16, 16, 3)


def test_real_images_are_averaged():
    """What the discriminator makes of images alone is what it makes of them with their means as lower resolutions."""
    _, discriminator = networks()
    images = RANDOM.uniform(-1, 1, (4, 16, 16, 3)).astype(np.float32)
    pyramid = [images.reshape(4, 16 // k, k, 16 // k, k, 3).mean(axis=(2, 4)) for k in (1, 2, 4)]
    np.testing.assert_allclose(discriminator(images), discriminator(multiscale.enlarged(pyramid)), rtol=1e-4, atol=1e-5)


def test_gradients_of_means_are_as_long_as_those_of_the_low_resolution():
    """So that R1 holds the discriminator at every scale as it does at the scale of the image."""
    images, direction = (
        RANDOM.normal(size=(3, 16, 16, 2)).astype(np.float32),
        RANDOM.normal(size=(3, 4, 4, 2)).astype(np.float32),
    )
    with tf.GradientTape() as tape:
        tape.watch(images := tf.constant(images))
        product = tf.reduce_sum(multiscale._averaged(images, 4) * direction)
    np.testing.assert_allclose(np.linalg.norm(tape.gradient(product, images)), np.linalg.norm(direction), rtol=1e-5)


def test_gradients_reach_the_image_of_every_scale():
    generator, discriminator = networks()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(discriminator(generator(RANDOM.normal(size=(4, 5)).astype(np.float32), training=True)) ** 2)
    layers = [layer.kernel for layer in generator.to_images]
    assert len(layers) == 3
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(loss, layers))


@pytest.mark.parametrize("scales", [None, 2, 1])
def test_it_trains_with_r1_and_r2_and_translation(scales):
    generator, discriminator = networks(scales=scales)
    gan = ganlib.GAN(generator, discriminator)
    gan.compile(adam(), adam(), penalties=[penalties.R1(1.0), penalties.R2(1.0)], augment="translation,cutout")
    logs = gan.train_on_batch(RANDOM.integers(0, 256, (8, 16, 16, 3), np.uint8), return_dict=True)
    assert all(np.isfinite(v) for v in logs.values())
    assert gan.generate(2).shape == (2, 16, 16, 3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ganlib.UserError, match="has 1 to 3 scales for images of 16x16, got 4"):
        networks(scales=4)
    gan = ganlib.GAN(*networks())
    with pytest.raises(ganlib.UserError, match="'wgan_gp' mixes real and generated images"):
        gan.compile(adam(), adam(), penalties=[penalties.WGANGP(1.0)])
    with pytest.raises(ganlib.UserError, match="has 3 scales, but the discriminator looks at 1"):
        ganlib.GAN(networks()[0], networks(scales=1)[1])
