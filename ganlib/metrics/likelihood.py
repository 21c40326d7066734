"""Feature likelihood divergence: Jiralerspong et al. 2023, "Feature Likelihood Divergence" (arXiv:2302.04440)."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.metrics.arrays import checked_features, distance_blocks, log
from ganlib.metrics.metric import Metric, Result

MAX_IMAGES = 10_000
"""The number of generated images, and of training images with as many generated ones, that are used at most."""

BATCH_SIZE = 10_000
EPOCHS = 50
LEARNING_RATE = 0.5
TOLERANCE = 5e-4
"""The fit ends when the loss of an epoch differs by less from those of the four before."""

ORIGIN_FACTOR = 0.9**2
"""The factor of the squared distances to the mean of the training features, the center of an additional component."""

ROUNDING = 1e-12
"""Squared distances below this, per feature, are rounding errors between copies, and count as 0."""


class FeatureLikelihood(NamedTuple):
    """FLD, lower is better and about 0 for new training images, and its gap, negative for copies of training images."""

    fld: float
    fld_gap: float


def feature_likelihood(training, test, fake, seed=0):
    """Computes the FLD, which gets worse both by bad images and by copies of training images.

    A mixture of normal distributions has its centers at the generated images, and the variance of each is fitted to the
    training images. ``fld`` is 100 times the negative log-likelihood of the test images under it, per feature, minus the same
    of a mixture at one half of the training images, fitted to the other half. ``fld_gap`` is 100 times the negative
    log-likelihood of the training images minus that of the test images. A variance shrinks around a copy, which makes the gap
    negative. With exact copies, its value depends on the number of steps.

    All as in the authors' code: features are divided by the standard deviation of the test features, and 10,000 generated
    images are used at most. Two rules are our own. Features that are constant in the test images are left out, with a warning.
    If there are more than 10,000 x 10,000 pairs of training and generated images, at most 10,000 of each are used.

    The largest array holds the distances of these pairs, 400 MB. A fit takes as long as 50 passes over it.

    Args:
        training: ``(n, F)`` features of the training images.
        test: ``(k, F)`` features of images that were not used in training.
        fake: ``(m, F)`` features of generated images.
        seed: An integer that determines the subsets, the order of the batches, and the halves. Defaults to 0.

    Returns:
        A `FeatureLikelihood`.

    Raises:
        UserError: If the shapes are wrong, there are fewer than 2 rows, features are not finite, or all are constant in
            ``test``.

    Examples:
        >>> import numpy as np
        >>> from ganlib.metrics.likelihood import feature_likelihood
        >>> features = np.random.default_rng(0).normal(size=(300, 3))
        >>> good = feature_likelihood(features[:100], features[100:200], features[200:])
        >>> copying = feature_likelihood(features[:100], features[100:200], features[:100])
        >>> bool(copying.fld > good.fld and copying.fld_gap < good.fld_gap)
        True
    """
    training, fake = checked_features(training, fake)
    test, _ = checked_features(test, fake)
    rng = np.random.default_rng(seed)
    num_training, _, num_fake = _numbers(len(training), len(test), len(fake))
    fake = rng.permutation(fake)[:num_fake]
    training = rng.permutation(training)[:num_training]
    training, test, fake = _normalized(training, test, fake)
    log_variances = _fit(fake, training)
    test_loss, training_loss = (_negative_log_likelihood(fake, log_variances, points) for points in (test, training))
    half = min(len(fake), len(training) // 2)
    training = rng.permutation(training)
    centers, points = training[:half], training[half:]
    baseline = _negative_log_likelihood(centers, _fit(centers, points), test)
    return FeatureLikelihood(100 * (test_loss - baseline), 100 * (training_loss - test_loss))


def _normalized(training, test, fake):
    is_used = np.ptp(test, axis=0) > 0
    if not is_used.any():
        raise UserError("all features of the test images are constant: the network is dead, or the images are identical")
    if not is_used.all():
        log.warning("FLD leaves out %d of %d features, constant in the test images", np.sum(~is_used), len(is_used))
    mean, std = test[:, is_used].mean(axis=0), test[:, is_used].std(axis=0, ddof=1)
    return [(features[:, is_used] - mean) / std for features in (training, test, fake)]


def _distances(points, centers):
    """Yields ``(rows, distances)`` as `distance_blocks`, float32, with rounding errors set to 0."""
    for rows, distances in distance_blocks(points, centers):
        distances[distances < ROUNDING * points.shape[1]] = 0.0
        yield rows, distances.astype(np.float32)


def _fit(centers, points):
    """Fits the mixture to ``(n, F)`` points by Adam, and returns the ``(m,)`` float32 logarithms of its variances."""
    distances = np.empty((len(points), len(centers) + 1), np.float32)  # the last column is that of the additional component
    for rows, block in _distances(points, centers):
        distances[rows, :-1] = block
    distances[:, -1] = ORIGIN_FACTOR * np.sum((points - points.mean(axis=0)) ** 2, axis=1)
    dim = points.shape[1]
    log_variances = np.append(np.log((distances[:, :-1].min(axis=0) + 1e-3) / dim), np.float32(0))
    log_weights = np.append(np.full(len(centers), -np.log(len(centers))), 0.0)
    state = [tf.constant(log_variances, tf.float32), tf.zeros(len(log_variances)), tf.zeros(len(log_variances))]
    batches = [tf.constant(distances[start : start + BATCH_SIZE]) for start in range(0, len(points), BATCH_SIZE)]
    del distances
    step, losses = 0, []
    for epoch in range(EPOCHS):
        batch_losses = []
        for batch in batches:
            step += 1
            loss, *state = _step(*state, batch, tf.constant(log_weights, tf.float32), float(dim), tf.constant(step, tf.float32))
            batch_losses.append(float(loss))
        losses.append(np.mean(batch_losses))
        if epoch > 5 and max(abs(losses[-1] - loss) for loss in losses[-5:]) < TOLERANCE:
            break
    return state[0].numpy()[:-1]


@tf.function(reduce_retracing=True)
def _step(log_variances, first, second, distances, log_weights, dim, step):
    """Takes one step of Adam, and returns the loss and the new ``(m + 1,)`` variances and moments."""
    loss, gradient = _loss_and_gradient(log_variances, distances, log_weights, dim)
    first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
    update = first / (1 - 0.9**step) / (tf.sqrt(second / (1 - 0.999**step)) + 1e-8)
    log_variances -= LEARNING_RATE * update
    clipped = tf.clip_by_value(log_variances[:-1], -40.0, 40.0)  # of copies, which would become infinite
    return loss, tf.concat([clipped, log_variances[-1:]], 0), first, second


def _loss_and_gradient(log_variances, distances, log_weights, dim):
    """Returns the mean negative log-likelihood per feature and its ``(m + 1,)`` gradient, a block of rows at a time."""
    count, block_rows = tf.shape(distances)[0], 1000
    loss, gradient = 0.0, tf.zeros_like(log_variances)
    for start in tf.range(0, count, block_rows):
        tf.autograph.experimental.set_loop_options(parallel_iterations=1)
        block = distances[start : start + block_rows]
        with tf.GradientTape() as tape:
            tape.watch(log_variances)
            logits = _log_densities(log_variances, block, log_weights, dim)
            value = -tf.reduce_sum(tf.reduce_logsumexp(logits, 1)) / (dim * tf.cast(count, tf.float32))
        loss += value
        gradient += tape.gradient(value, log_variances)
    return loss, gradient


def _log_densities(log_variances, distances, log_weights, dim):
    return distances * (-0.5 * tf.exp(-log_variances)) + (log_weights - 0.5 * dim * (log_variances + np.log(2 * np.pi)))


def _negative_log_likelihood(centers, log_variances, points):
    """Returns the mean over ``(n, F)`` points, per feature, of the mixture without the additional component."""
    total, dim = 0.0, float(points.shape[1])
    for _, distances in _distances(points, centers):
        logits = _log_densities(tf.constant(log_variances), distances, np.float32(-np.log(len(centers))), dim)
        total -= float(tf.reduce_sum(tf.reduce_logsumexp(logits, 1)))
    return total / (len(points) * dim)


def _numbers(training, test, fake):
    """Returns the numbers of images that are used."""
    fake = min(fake, MAX_IMAGES)
    return [min(training, MAX_IMAGES) if training * fake > MAX_IMAGES**2 else training, test, fake]


def _feature_likelihood(training, test, fake, seed):
    return feature_likelihood(training.features, test.features, fake.features, seed)._asdict()


METRICS = {
    "fld": Metric(
        {"fld": Result("FLD", "{:.3g}"), "fld_gap": Result("FLD gap", "{:.3g}", higher_is_better=True)},
        _feature_likelihood,
        against=("training", "test"),
        pairwise=True,
        images_used=_numbers,
    )
}
