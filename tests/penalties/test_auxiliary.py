import types

import keras
import numpy as np
import pytest
import scipy.special

import ganlib
from ganlib import augment, penalties
from ganlib.models.critic import Critic
from ganlib.networks import dcgan, mlp
from tests.helpers import SHAPE, adam

RANDOM = np.random.default_rng(0)
REAL, FAKE = (RANDOM.uniform(-1, 1, (8, *SHAPE)).astype(np.float32) for _ in range(2))
LABELS = np.arange(8) % 3


def critic_with(**arguments):
    discriminator = mlp.Discriminator(SHAPE, width=16, num_classes=3, **arguments)
    critic = Critic(discriminator, augment.none, LABELS, None)
    critic.forward(REAL), critic.forward(FAKE)
    return critic


def cross_entropy(logits, labels):
    return -np.mean(scipy.special.log_softmax(np.asarray(logits, np.float64), axis=1)[np.arange(len(labels)), labels])


def test_auxiliary_classification_against_scipy():
    critic = critic_with(conditioning="auxiliary")
    kernel, bias = critic.discriminator.label_head.head.get_weights()
    real, fake = (cross_entropy(np.asarray(critic.features(x)) @ kernel + bias, LABELS) for x in (REAL, FAKE))
    penalty = penalties.AuxiliaryClassification(2.0, generator_weight=0.1)
    assert float(penalty(critic, REAL, FAKE, None)) == pytest.approx(2 * (real + fake), rel=1e-4)
    assert float(penalty.of_generator(critic, None, FAKE, None)) == pytest.approx(0.2 * fake, rel=1e-4)
    real_only = penalties.AuxiliaryClassification(2.0, on_generated=False)
    assert float(real_only(critic, REAL, FAKE, None)) == pytest.approx(2 * real, rel=1e-4)


def test_data_to_data_cross_entropy_by_a_loop():
    critic = critic_with(conditioning="contrastive")
    head = critic.discriminator.label_head
    kernel, bias = head.projection.get_weights()
    embedded = np.asarray(critic.features(REAL), np.float64) @ kernel + bias
    embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
    proxies = head.embedding.get_weights()[0]
    proxies = proxies / np.linalg.norm(proxies, axis=1, keepdims=True)
    total = 0.0
    for i in range(8):
        positive = np.exp(min(embedded[i] @ proxies[LABELS[i]] - 0.9, 0) / 0.25)
        others = [np.exp(max(embedded[i] @ embedded[j] - 0.1, 0) / 0.25) for j in range(8) if LABELS[j] != LABELS[i]]
        total -= np.log(positive / (positive + sum(others)))
    penalty = penalties.ContrastiveClassification(1.0, temperature=0.25, margin=0.9, negative_margin=0.1)
    assert float(penalty(critic, REAL, FAKE, None)) == pytest.approx(total / 8, rel=1e-4)
    assert float(penalty.of_generator(critic, None, FAKE, None)) > 0


def test_rotation_prediction_against_numpy():
    discriminator = mlp.Discriminator(SHAPE, width=16, rotations=True)
    critic = Critic(discriminator, augment.none, None, None)
    rotated = np.concatenate([np.rot90(REAL[:2], k, axes=(1, 2)) for k in range(4)])
    kernel, bias = discriminator.rotation_head.get_weights()
    loss = cross_entropy(np.asarray(discriminator.features(rotated)) @ kernel + bias, np.repeat(np.arange(4), 2))
    penalty = penalties.RotationPrediction(3.0, generator_weight=0.2)
    assert float(penalty(critic, REAL, FAKE, None)) == pytest.approx(3 * loss, rel=1e-4)
    assert float(penalty.of_generator(critic, None, REAL, None)) == pytest.approx(0.6 * loss, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "conditioning"),
    [(penalties.AuxiliaryClassification, "auxiliary"), (penalties.ContrastiveClassification, "contrastive")],
)
def test_labels_reach_both_networks(kind, conditioning, images, labels):
    """With these penalties, labels reach the discriminator only through the penalty. Its class head and the generator must
    be trained."""

    def trained(labels):
        keras.utils.set_random_seed(0)
        gan = ganlib.GAN(
            dcgan.Generator(SHAPE, 4, width=8, num_classes=3),
            dcgan.Discriminator(SHAPE, width=8, num_classes=3, conditioning=conditioning),
        )
        gan.compile(adam(), adam(), penalties=[kind(1.0)])
        before = gan.discriminator.label_head.get_weights()
        gan.train_on_batch(images[:8], labels)
        assert all(not np.array_equal(a, b) for a, b in zip(before, gan.discriminator.label_head.get_weights(), strict=True))
        return [*gan.generator.get_weights(), *gan.discriminator.body.get_weights()]

    first, second = trained(labels[:8]), trained(labels[1:9])
    assert any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_auxiliary_classification_has_the_values_of_tf_gan():
    """The class logits and the losses of TF-GAN's tests (acgan_discriminator_loss, acgan_generator_loss)."""
    fake = [[10.0, 4.4, -5.5, 3.6], [-4.0, 4.4, 5.2, 4.6], [1.1, 2.4, -3.5, 5.6], [1.1, 2.4, -3.5, 5.6]]
    real = [[-2.0, 0.4, 12.5, 2.7], [-1.2, 1.9, 12.3, 2.6], [-2.4, -1.7, 2.5, 2.7], [1.1, 2.4, -3.5, 5.6]]
    head = types.SimpleNamespace(class_logits=lambda features: features)
    discriminator = types.SimpleNamespace(label_head=head)
    critic = types.SimpleNamespace(discriminator=discriminator, labels=np.array([1, 2, 0, 0]), features=np.array)
    penalty = penalties.AuxiliaryClassification()
    assert float(penalty(critic, real, fake, None)) == pytest.approx(9.43950, abs=2e-5)
    assert float(penalty.of_generator(critic, None, fake, None)) == pytest.approx(3.84974, abs=2e-5)
