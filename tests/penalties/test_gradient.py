import numpy as np
import pytest
import tensorflow as tf

from ganlib import augment, penalties
from ganlib.models.critic import Critic
from ganlib.networks import mlp
from ganlib.training import RandomStream
from tests.penalties.critics import FAKE, RANDOM, REAL, critic, squared_norms


def test_r1_and_r2_match_finite_differences():
    for penalty, images in ((penalties.R1(weight=3.0), REAL), (penalties.R2(weight=3.0), FAKE)):
        value = float(penalty(critic, tf.constant(REAL), tf.constant(FAKE), None))
        assert value == pytest.approx(1.5 * squared_norms(images).mean(), rel=1e-4)


def test_wgan_gp_matches_finite_differences():
    value = float(penalties.WGANGP(weight=10.0)(critic, tf.constant(REAL), tf.constant(FAKE), RandomStream(7)))
    mix = RandomStream(7).uniform((4, 1, 1, 1)).numpy()
    norms = np.sqrt(squared_norms(REAL + mix * (FAKE - REAL)))
    assert value == pytest.approx(10.0 * ((norms - 1) ** 2).mean(), rel=1e-4)


def test_dragan_matches_finite_differences():
    value = float(penalties.DRAGAN(weight=10.0)(critic, tf.constant(REAL), tf.constant(FAKE), RandomStream(7)))
    rng = RandomStream(7)
    share, noise = rng.uniform((4, 1, 1, 1)).numpy(), rng.uniform((4, 3, 3, 1)).numpy()
    norms = np.sqrt(squared_norms(REAL + 0.5 * REAL.std() * share * noise))
    assert value == pytest.approx(10.0 * ((norms - 1) ** 2).mean(), rel=1e-4)


def test_wgan_gp_has_a_finite_gradient_where_the_critic_is_flat():
    scale = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        value = penalties.WGANGP(1.0)(lambda x: scale * tf.reduce_sum(x, [1, 2, 3]), REAL, FAKE, RandomStream(0))
    assert np.isfinite(tape.gradient(value, scale).numpy())


def test_gradient_of_r1_reaches_the_critics_weights():
    # R1 of a linear critic w.x is weight / 2 |w|^2, and its gradient is weight * w.
    weights = tf.Variable(RANDOM.normal(size=(9,)).astype(np.float32))
    with tf.GradientTape() as tape:
        value = penalties.R1(weight=4.0)(lambda x: tf.linalg.matvec(tf.reshape(x, (-1, 9)), weights), REAL, None, None)
    np.testing.assert_allclose(tape.gradient(value, weights), 4.0 * weights.numpy(), rtol=1e-5)


def test_r1_with_respect_to_augmented_images():
    """Saturation multiplies the colors of each image by a factor, and hence the gradient with respect to the original image."""
    discriminator = mlp.Discriminator((3, 3, 3), width=8)
    images, rng = RANDOM.normal(size=(4, 3, 3, 3)).astype(np.float32), RandomStream(5)
    color = augment.DiffAugment("color")
    augmented = color(images, RandomStream(5))
    values = {}
    for at_augmented in (False, True):
        color_critic = Critic(discriminator, color, None, RandomStream(5))
        color_critic.forward(images)
        values[at_augmented] = float(penalties.R1(2.0, augmented=at_augmented)(color_critic, images, images, rng))
    with tf.GradientTape() as tape:
        tape.watch(augmented)
        logits = discriminator(augmented)
    expected = np.square(tape.gradient(logits, augmented)).sum(axis=(1, 2, 3)).mean()
    assert values[True] == pytest.approx(expected, rel=1e-4)
    assert values[False] != pytest.approx(expected, rel=1e-2)


def test_wgan_gp_has_the_value_of_tf_gan():
    """TF-GAN's test has D(x) = 2x for each of 4 values, so the gradient of the sum has the norm 4."""
    real, fake = (tf.constant(x, shape=(1, 2, 2, 1)) for x in ([-12.3, 23.2, 16.3, -43.2], [3.1, 2.3, -12.3, 32.1]))
    value = penalties.WGANGP(1.0)(lambda x: tf.reduce_sum(2.0 * x, [1, 2, 3]), real, fake, RandomStream(0))
    assert float(value) == pytest.approx(9.0, abs=1e-5)
