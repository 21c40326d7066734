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


def test_what_was_seen_is_not_augmented_or_computed_again():
    seen = critic()
    logits = seen.forward(IMAGES)
    assert seen(IMAGES) is logits
    assert seen.features(IMAGES) is seen.features(IMAGES)
    assert seen.augmented(IMAGES) is seen.augmented(IMAGES)
    np.testing.assert_array_equal(seen.on_augmented(seen.augmented(IMAGES)), logits)
    assert not np.array_equal(seen(IMAGES.copy()), logits)  # an equal array is another one, with an augmentation of its own


def test_what_was_not_seen_is_augmented_anew_each_time():
    fresh = critic()
    assert not np.array_equal(fresh(IMAGES), fresh(IMAGES))
    expected = augment.DiffAugment("translation,color")(OTHERS, RandomStream(1))
    np.testing.assert_array_equal(critic().augmented(OTHERS), expected)


def test_labels_of_the_batch_are_used():
    labels = np.arange(6) % 3
    one = critic(labels)
    logits = np.asarray(one.forward(IMAGES))
    expected = one.discriminator(one.augmented(IMAGES), labels)
    np.testing.assert_allclose(logits, expected, rtol=1e-6)
    other = Critic(one.discriminator, augment.none, labels[::-1], None)
    assert not np.allclose(other.forward(one.augmented(IMAGES)), logits)
