import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import penalties
from ganlib.training import RandomStream
from tests.helpers import mlp_gan

RANDOM = np.random.default_rng(0)
REAL = RANDOM.normal(size=(4, 3, 3, 1)).astype(np.float32)
FAKE = RANDOM.normal(size=(4, 3, 3, 1)).astype(np.float32)
WEIGHTS = RANDOM.normal(size=(9, 5))
OUT = RANDOM.normal(size=5)


def critic(images):
    """A smooth function of each image, the same in TensorFlow and in float64 numpy."""
    flat = tf.reshape(images, (-1, 9))
    return tf.linalg.matvec(tf.tanh(flat @ WEIGHTS.astype(np.float32)), OUT.astype(np.float32))


def squared_norms(images, eps=1e-5):
    """``||grad critic||^2`` of every image by central finite differences in float64."""

    def value(x):
        return np.tanh(x.reshape(-1, 9) @ WEIGHTS) @ OUT

    images = images.astype(np.float64)
    total = np.zeros(len(images))
    for index in np.ndindex(images.shape[1:]):
        step = np.zeros(images.shape[1:])
        step[index] = eps
        total += ((value(images + step) - value(images - step)) / (2 * eps)) ** 2
    return total


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
    random = RandomStream(7)
    share, noise = random.uniform((4, 1, 1, 1)).numpy(), random.uniform((4, 3, 3, 1)).numpy()
    norms = np.sqrt(squared_norms(REAL + 0.5 * REAL.std() * share * noise))
    assert value == pytest.approx(10.0 * ((norms - 1) ** 2).mean(), rel=1e-4)


def test_consistency_by_hand():
    """T mirrors half of the images; the critic's logits of those alone change."""
    mirrored = RandomStream(3).uniform((4, 1, 1, 1)).numpy() < 0.5
    assert 0 < mirrored.sum() < 4

    def change(images):
        return np.square(np.asarray(critic(images)) - np.asarray(critic(np.where(mirrored, images[:, :, ::-1], images)))).mean()

    consistency = penalties.Consistency(10.0, augment="flip")
    assert float(consistency(critic, REAL, FAKE, RandomStream(3))) == pytest.approx(10 * change(REAL), rel=1e-5)
    random = RandomStream(3)
    random.uniform((4, 1, 1, 1))
    second = np.where(random.uniform((4, 1, 1, 1)).numpy() < 0.5, FAKE[:, :, ::-1], FAKE)
    expected = change(REAL) + np.square(np.asarray(critic(FAKE)) - np.asarray(critic(second))).mean()
    balanced = penalties.BalancedConsistency(2.0, augment="flip")
    assert float(balanced(critic, REAL, FAKE, RandomStream(3))) == pytest.approx(2 * expected, rel=1e-5)
    with pytest.raises(ganlib.UserError, match="unknown augmentation 'flipp'"):
        penalties.Consistency(1.0, augment="flipp")


@pytest.mark.parametrize("penalty", [kind(2.0, interval=3) for kind in penalties.PENALTIES.values()], ids=lambda p: p.name)
def test_each_trains_and_is_saved_with_a_gan(penalty, images, tmp_path):
    gan = mlp_gan(penalties=[penalty])
    logs = [gan.train_on_batch(images[:8], return_dict=True)[penalty.name] for _ in range(4)]
    assert [value > 0 for value in logs] == [True, False, False, True]
    gan.save(tmp_path / "gan.keras")
    (loaded,) = keras.saving.load_model(tmp_path / "gan.keras").penalties
    assert type(loaded) is type(penalty)
    assert loaded.get_config() == penalty.get_config()


def test_wgan_gp_has_a_finite_gradient_where_the_critic_is_flat():
    scale = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        value = penalties.WGANGP(1.0)(lambda x: scale * tf.reduce_sum(x, [1, 2, 3]), REAL, FAKE, RandomStream(0))
    assert np.isfinite(tape.gradient(value, scale).numpy())


def test_gradient_of_r1_reaches_the_critics_weights():
    # R1 of a linear critic w.x is weight / 2 |w|^2, whose gradient is weight * w.
    weights = tf.Variable(RANDOM.normal(size=(9,)).astype(np.float32))
    with tf.GradientTape() as tape:
        value = penalties.R1(weight=4.0)(lambda x: tf.linalg.matvec(tf.reshape(x, (-1, 9)), weights), REAL, None, None)
    np.testing.assert_allclose(tape.gradient(value, weights), 4.0 * weights.numpy(), rtol=1e-5)


@pytest.mark.parametrize("interval", [1, 4])
def test_lazy_penalty_keeps_its_mean(interval):
    penalty = penalties.R1(weight=1.0, interval=interval)
    at_step = tf.function(lambda step: penalty(critic, tf.constant(REAL), None, None, step))
    values = [float(at_step(tf.constant(step, tf.int64))) for step in range(8)]
    assert np.mean(values) == pytest.approx(float(penalty.term(critic, tf.constant(REAL), None, None)), rel=1e-5)
    assert np.count_nonzero(values) == 8 // interval


def test_by_name_with_errors():
    assert penalties.get("r1", weight=2.0, interval=3).get_config() == {"weight": 2.0, "interval": 3}
    assert {name: kind(1.0).name for name, kind in penalties.PENALTIES.items()} == {k: k for k in penalties.PENALTIES}
    with pytest.raises(ganlib.UserError, match="unknown penalty 'r3'"):
        penalties.get("r3")
    with pytest.raises(ganlib.UserError, match="interval must be at least 1, got 0"):
        penalties.R1(1.0, interval=0)
