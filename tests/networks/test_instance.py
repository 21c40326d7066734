import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import penalties
from ganlib.networks import dcgan, instance, stylegan2
from tests.helpers import adam, same, weights

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(5, 6)).astype(np.float32)
REAL = RANDOM.integers(0, 256, (5, 16, 16, 1), np.uint8)
KEPT = RANDOM.normal(size=(7, 6)).astype(np.float32)


def gan_of(module=dcgan):
    generator = module.Generator((16, 16, 1), latent_dim=12, width=8)
    gan = ganlib.GAN(
        instance.Generator(generator, instance_dim=6, num_instances=7, embedding_dim=8),
        instance.Discriminator(module.Discriminator((16, 16, 1), width=8), instance_dim=6, embedding_dim=4),
    )
    for network in (gan.generator, gan.ema_generator):
        network.set_instances(KEPT)
    gan.compile(adam(), adam(), penalties=[penalties.R1(1.0, interval=2)])
    return gan


def batches():
    return tf.data.Dataset.from_tensors((REAL, instance.unit_length(FEATURES))).repeat()


def test_features_have_length_1():
    np.testing.assert_allclose(np.linalg.norm(instance.unit_length(FEATURES), axis=1), 1, rtol=1e-6)
    assert not np.any(instance.unit_length(np.zeros((1, 3))))


def test_logits_are_those_of_the_network_and_a_projection():
    discriminator = gan_of().discriminator
    images = RANDOM.uniform(-1, 1, (5, 16, 16, 1)).astype(np.float32)
    expected = discriminator.network(images) + np.sum(
        (FEATURES @ discriminator.embedding.kernel @ discriminator.projection.kernel) * discriminator.network.features(images),
        axis=1,
    )
    np.testing.assert_allclose(discriminator(images, FEATURES), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("module", [dcgan, stylegan2])
def test_images_follow_from_features_and_latents(module):
    gan = gan_of(module)
    assert gan.generate(9).shape == (9, 16, 16, 1)
    one, other = gan.generate(4, labels=2), gan.generate(4, labels=3)
    assert np.abs(one - other).max() > 0
    assert np.abs(one[0] - one[1]).max() > 0
    np.testing.assert_allclose(gan.generate(4, labels=3.0 * KEPT[2:3]), one, atol=1e-5)  # their length is of no account
    np.testing.assert_array_equal(gan.generate(8)[[0, 7]], gan.generate(8, labels=0)[[0, 7]])


def test_training_moves_every_weight_and_keeps_the_instances():
    gan = gan_of()
    moving = gan.generator.trainable_variables + gan.discriminator.trainable_variables
    before = [np.array(weight) for weight in moving]
    gan.fit(batches(), steps_per_epoch=3, verbose=0)
    for weight, value in zip(moving, before, strict=True):
        assert np.any(np.array(weight) != value), weight.path
    for network in (gan.generator, gan.ema_generator):
        np.testing.assert_array_equal(network.instances, instance.unit_length(KEPT))


def test_it_is_saved_and_goes_on(tmp_path):
    gan = gan_of()
    gan.fit(batches(), steps_per_epoch=2, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(again.generate(3), gan.generate(3))
    for model in (gan, again):
        model.fit(batches(), steps_per_epoch=2, verbose=0)
    assert same(weights(again), weights(gan))


def test_what_does_not_fit_is_said():
    gan = gan_of()
    with pytest.raises(ganlib.UserError, match="conditioned on features: train it on .images, features."):
        gan.fit(batches().map(lambda images, features: images), steps_per_epoch=1, verbose=0)
    with pytest.raises(ganlib.UserError, match="instances are from 0 to 6, got 7 to 7"):
        gan.generate(2, labels=7)
    with pytest.raises(ganlib.UserError, match=r"features must be \(n, 6\), got \(2, 5\)"):
        gan.generate(2, labels=FEATURES[:2, :5])
    with pytest.raises(ganlib.UserError, match="stands on a network without labels"):
        instance.Discriminator(dcgan.Discriminator((16, 16, 1), width=8, num_classes=3), 6)
    with pytest.raises(ganlib.UserError, match="latent_dim=8 leaves none beside embedding_dim=8"):
        instance.Generator(dcgan.Generator((16, 16, 1), latent_dim=8, width=8), 6, embedding_dim=8)
    with pytest.raises(ganlib.UserError, match="the generator's condition_spec is .*, but the discriminator's is"):
        ganlib.GAN(gan.generator, dcgan.Discriminator((16, 16, 1), width=8))
