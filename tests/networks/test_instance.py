import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import penalties
from ganlib.networks import biggan, dcgan, instance, stylegan2
from tests.helpers import adam, same, weights

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(5, 6)).astype(np.float32)
REAL = RNG.integers(0, 256, (5, 16, 16, 1), np.uint8)
STORED = RNG.normal(size=(7, 6)).astype(np.float32)


def create_gan(module=dcgan):
    generator = module.Generator((16, 16, 1), latent_dim=12, width=8)
    gan = ganlib.GAN(
        instance.Generator(generator, instance_dim=6, num_instances=7, embedding_dim=8),
        instance.Discriminator(module.Discriminator((16, 16, 1), width=8), instance_dim=6, embedding_dim=4),
    )
    for network in (gan.generator, gan.ema_generator):
        network.set_instances(STORED)
    gan.compile(adam(), adam(), penalties=[penalties.R1(1.0, interval=2)])
    return gan


def batches():
    return tf.data.Dataset.from_tensors((REAL, instance.unit_length(FEATURES))).repeat()


def test_features_have_length_1():
    np.testing.assert_allclose(np.linalg.norm(instance.unit_length(FEATURES), axis=1), 1, rtol=1e-6)
    assert not np.any(instance.unit_length(np.zeros((1, 3))))


def test_logits_are_the_networks_plus_a_projection():
    discriminator = create_gan().discriminator
    images = RNG.uniform(-1, 1, (5, 16, 16, 1)).astype(np.float32)
    expected = discriminator.network(images) + np.sum(
        (FEATURES @ discriminator.embedding.kernel @ discriminator.projection.kernel) * discriminator.network.features(images),
        axis=1,
    )
    np.testing.assert_allclose(discriminator(images, FEATURES), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("module", [dcgan, stylegan2])
def test_images_depend_on_features_and_latents(module):
    gan = create_gan(module)
    assert gan.generate(9).shape == (9, 16, 16, 1)
    one, other = gan.generate(4, labels=2), gan.generate(4, labels=3)
    assert np.abs(one - other).max() > 0
    assert np.abs(one[0] - one[1]).max() > 0
    np.testing.assert_allclose(
        gan.generate(4, labels=3.0 * STORED[2:3]), one, atol=1e-5
    )  # the length of features has no effect
    np.testing.assert_array_equal(gan.generate(8)[[0, 7]], gan.generate(8, labels=0)[[0, 7]])


def test_training_updates_every_weight_and_keeps_the_instances():
    gan = create_gan()
    trainable = gan.generator.trainable_variables + gan.discriminator.trainable_variables
    before = [np.array(weight) for weight in trainable]
    gan.fit(batches(), steps_per_epoch=3, verbose=0)
    for weight, value in zip(trainable, before, strict=True):
        assert np.any(np.array(weight) != value), weight.path
    for network in (gan.generator, gan.ema_generator):
        np.testing.assert_array_equal(network.instances, instance.unit_length(STORED))


@pytest.mark.slow
def test_training_resumes_after_saving(tmp_path):
    gan = create_gan()
    gan.fit(batches(), steps_per_epoch=2, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.generate(3), gan.generate(3))
    for model in (gan, loaded):
        model.fit(batches(), steps_per_epoch=2, verbose=0)
    assert same(weights(loaded), weights(gan))


def test_mismatched_arguments_are_rejected():
    gan = create_gan()
    with pytest.raises(ganlib.UserError, match="is conditioned on features: train it on .images, features."):
        gan.fit(batches().map(lambda images, features: images), steps_per_epoch=1, verbose=0)
    with pytest.raises(ganlib.UserError, match="instances must be from 0 to 6, got 7 to 7"):
        gan.generate(2, labels=7)
    with pytest.raises(ganlib.UserError, match=r"features must have the shape \(n, 6\), got \(2, 5\)"):
        gan.generate(2, labels=FEATURES[:2, :5])
    with pytest.raises(ganlib.UserError, match="requires an unconditional network"):
        instance.Discriminator(dcgan.Discriminator((16, 16, 1), width=8, num_classes=3), 6)
    with pytest.raises(ganlib.UserError, match="embedding_dim=8 leaves no latents: set latent_dim above it, got 8"):
        instance.Generator(dcgan.Generator((16, 16, 1), latent_dim=8, width=8), 6, embedding_dim=8)
    with pytest.raises(ganlib.UserError, match="the generator's condition_spec is .*, but the discriminator's is"):
        ganlib.GAN(gan.generator, dcgan.Discriminator((16, 16, 1), width=8))


@pytest.mark.slow
def test_biggan_is_conditioned_as_in_the_authors_code():
    """Each block gets the whole embedding and its chunk of the latents; all linear maps have spectral normalization."""
    network = biggan.Generator((16, 16, 1), 6, width=4, condition_dim=8)
    generator = instance.Generator(network, instance_dim=6, num_instances=7, embedding_dim=8)
    discriminator = instance.Discriminator(biggan.Discriminator((16, 16, 1), width=4), instance_dim=6)
    assert (generator.latent_dim, generator.embedding.layer.use_bias) == (6, True)
    assert (discriminator.projection.layer.kernel.shape, discriminator.projection.layer.use_bias) == ((6, 16), True)
    latents, features = RNG.normal(size=(3, 6)).astype("f"), instance.unit_length(RNG.normal(size=(3, 6)))
    np.testing.assert_allclose(generator(latents, features), network(latents, generator.embedding(features)), atol=1e-6)
    images = RNG.uniform(-1, 1, (3, 16, 16, 1)).astype("f")
    product = np.sum(discriminator.projection(features) * discriminator.network.features(images), axis=1)
    np.testing.assert_allclose(discriminator(images, features), discriminator.network(images) + product, rtol=1e-4, atol=1e-5)
    gan = ganlib.GAN(generator, discriminator)
    gan.compile(adam(), adam())
    before = weights(gan.generator.embedding), weights(gan.discriminator.projection)
    gan.train_on_batch(REAL, instance.unit_length(FEATURES))
    assert not same(before[0], weights(gan.generator.embedding))
    assert not same(before[1], weights(gan.discriminator.projection))


def test_vectors_of_another_size_are_refused():
    with pytest.raises(ganlib.UserError, match="conditioned on vectors of condition_dim=8 numbers, but embedding_dim is 5"):
        instance.Generator(biggan.Generator((16, 16, 1), 6, width=4, condition_dim=8), instance_dim=6, embedding_dim=5)
