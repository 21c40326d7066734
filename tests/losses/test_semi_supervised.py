import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from ganlib import losses
from tests.helpers import replicas


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_cross_entropy_by_hand():
    logits = np.log([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]).astype(np.float32)
    assert float(losses.cross_entropy([0, 2], logits)) == pytest.approx((np.log(2) + np.log(8)) / 2)


def test_weighted_cross_entropy_by_hand():
    logits = np.log([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]).astype(np.float32)
    loss = losses.cross_entropy(tf.constant([0, 2]), logits, class_weights=[3.0, 9.0, 0.5])
    assert float(loss) == pytest.approx((3 * np.log(2) + 0.5 * np.log(8)) / 2)


def test_unlabeled_losses_against_the_paper():
    """D(x) = Z / (Z + 1) with Z the sum of exponentials: Salimans et al. 2016, section 5."""
    real, fake = np.random.default_rng(0).normal(size=(2, 5, 3))
    d_real = np.exp(real).sum(1) / (np.exp(real).sum(1) + 1)
    d_fake = np.exp(fake).sum(1) / (np.exp(fake).sum(1) + 1)
    expected = -0.5 * np.log(d_real).mean() - 0.5 * np.log(1 - d_fake).mean()
    logits = [tf.reduce_logsumexp(tf.constant(x), axis=1) for x in (real, fake)]
    assert float(losses.unlabeled_losses(*logits)) == pytest.approx(expected)


def test_feature_matching_by_hand():
    assert float(losses.feature_matching(tf.constant([1.0, 2.0]), tf.constant([0.0, 4.0]))) == 2.5


def test_feature_matching_l1_by_hand():
    assert float(losses.feature_matching_l1(tf.constant([1.0, 2.0]), tf.constant([0.0, 4.0]))) == 1.5


def test_triple_losses_against_the_paper():
    real, fake, pseudo = np.random.default_rng(0).normal(size=(3, 6))
    expected = -np.log(sigmoid(real)).mean() - 0.7 * np.log(1 - sigmoid(fake)).mean() - 0.3 * np.log(1 - sigmoid(pseudo)).mean()
    assert float(losses.triple_discriminator_loss(real, fake, pseudo, 0.3)) == pytest.approx(expected)
    logits = np.random.default_rng(1).normal(size=(6, 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = np.mean(probabilities.max(1) * np.log(1 - sigmoid(pseudo)))
    assert float(losses.triple_classifier_loss_saturating(tf.constant(logits), pseudo)) == pytest.approx(expected)
    expected = -np.mean(probabilities.max(1) * np.log(sigmoid(pseudo)))
    assert float(losses.triple_classifier_loss(tf.constant(logits), pseudo)) == pytest.approx(expected)


def test_real_pairs_of_triple_gan_are_labeled_and_predicted_ones():
    """The mean over 1 labeled and 4 predicted pairs, as in the authors' code, which concatenates them."""
    real, fake = np.random.default_rng(0).normal(size=(2, 1))
    pseudo = np.random.default_rng(1).normal(size=4)
    expected = -np.log(sigmoid(np.concatenate([real, pseudo]))).mean()
    expected += -0.7 * np.log(1 - sigmoid(fake)).mean() - 0.3 * np.log(1 - sigmoid(pseudo)).mean()
    assert float(losses.triple_discriminator_loss(real, fake, pseudo, 0.3, 0.2)) == pytest.approx(expected)


def test_triple_classifier_losses_raise_or_lower_the_probability():
    """The first image's class is accepted by the discriminator, and the second one's is rejected."""
    logits = tf.Variable([[1.0, 0.5, 0.0]] * 2)
    steps = {}
    for name, function in losses.TRIPLE_CLASSIFIER_LOSSES.items():
        with tf.GradientTape() as tape:
            loss = function(logits, tf.constant([3.0, -3.0]))
        steps[name] = -tape.gradient(loss, logits).numpy()[:, 0]
    assert steps["saturating"][0] > 10 * steps["saturating"][1] > 0
    assert steps["non_saturating"][1] < 10 * steps["non_saturating"][0] < 0


def test_pseudo_label_loss_by_hand():
    logits = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = -(log_p[0, 2] + log_p[2, 1]) / 3  # the second example is not confident, but counts in the mean
    loss = losses.pseudo_label_loss([2, 0, 1], [True, False, True], logits)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_encoder_loss_is_a_normal_likelihood():
    """-log N(latents; means, stds), without the constant log(2 pi) / 2 of each latent."""
    means, log_stds, latents = np.random.default_rng(0).normal(size=(3, 6, 4))
    densities = scipy.stats.norm(means, np.exp(log_stds)).logpdf(latents)
    expected = -np.mean(densities.sum(axis=1)) - 4 * np.log(2 * np.pi) / 2
    assert float(losses.encoder_loss(*map(tf.constant, (means, log_stds, latents)))) == pytest.approx(expected)


def test_low_density_loss_by_hand():
    """Two images are 3 and 1 above the threshold of -10, and their mean counts. An image at or below it has no gradient."""
    log_densities = tf.constant([-7.0, -12.0, -9.0, -10.0])
    with tf.GradientTape() as tape:
        tape.watch(log_densities)
        loss = losses.low_density_loss(log_densities, -10.0)
    assert float(loss) == pytest.approx(2.0)
    np.testing.assert_allclose(tape.gradient(loss, log_densities), [0.5, 0.0, 0.5, 0.0])


def test_low_density_loss_is_zero_below_the_threshold():
    log_densities = tf.constant([-7.0, -np.finfo(np.float32).max])
    with tf.GradientTape() as tape:
        tape.watch(log_densities)
        loss = losses.low_density_loss(log_densities, -6.0)
    assert float(loss) == 0.0
    np.testing.assert_array_equal(tape.gradient(loss, log_densities), [0.0, 0.0])


def test_low_density_loss_counts_the_images_of_all_replicas():
    """One of two replicas has no image above the threshold: the mean of both is that of the global batch."""
    values = tf.constant([[5.0, 1.0], [-1.0, -2.0]])

    def loss():
        index = tf.distribute.get_replica_context().replica_id_in_sync_group
        return losses.low_density_loss(tf.gather(values, index), 0.0)

    results = replicas(2).experimental_local_results(replicas(2).run(loss))
    assert np.mean([float(result) for result in results]) == pytest.approx(3.0)
