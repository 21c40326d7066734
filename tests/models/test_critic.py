import numpy as np

from ganlib import augment
from ganlib.models.critic import Critic
from ganlib.networks import mlp
from ganlib.training import RandomStream
from tests.helpers import SHAPE

IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, *SHAPE)).astype(np.float32)
OTHERS = IMAGES[::-1].copy()


def critic(labels=None):
    discriminator = mlp.Discriminator(SHAPE, width=8, num_classes=3 if labels is not None else None)
    return Critic(discriminator, augment.DiffAugment("translation,color"), labels, RandomStream(1))


def test_forward_caches_augmented_images_features_and_logits():
    cached = critic()
    logits = cached.forward(IMAGES)
    assert cached(IMAGES) is logits
    assert cached.features(IMAGES) is cached.features(IMAGES)
    assert cached.augmented(IMAGES) is cached.augmented(IMAGES)
    np.testing.assert_array_equal(cached.on_augmented(cached.augmented(IMAGES)), logits)
    assert not np.array_equal(cached(IMAGES.copy()), logits)  # an equal array is not cached, and is augmented differently


def test_images_without_forward_pass_are_not_cached():
    uncached = critic()
    assert not np.array_equal(uncached(IMAGES), uncached(IMAGES))
    expected = augment.DiffAugment("translation,color")(OTHERS, RandomStream(1))
    np.testing.assert_array_equal(critic().augmented(OTHERS), expected)


def test_labels_of_the_batch_affect_logits():
    labels = np.arange(6) % 3
    one = critic(labels)
    logits = np.asarray(one.forward(IMAGES))
    expected = one.discriminator(one.augmented(IMAGES), labels)
    np.testing.assert_allclose(logits, expected, rtol=1e-6)
    other = Critic(one.discriminator, augment.none, labels[::-1], None)
    assert not np.allclose(other.forward(one.augmented(IMAGES)), logits)
