"""Losses of semi-supervised classifiers: functions of logits and features that return scalars."""

import tensorflow as tf

from ganlib.training.replicas import batch_mean


def cross_entropy(labels, logits, class_weights=None):
    """Computes the batch mean of -log softmax(logits)[label]: ``(n,)`` integers, ``(n, num_classes)`` -> scalar.

    ``class_weights``, if given, are ``num_classes`` factors of the terms, one for each label. The sum is divided by the number
    of examples, not by the sum of the factors.
    """
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    if class_weights is not None:
        losses = losses * tf.gather(tf.constant(class_weights, losses.dtype), labels)
    return tf.reduce_mean(losses)


def unlabeled_losses(real_logits, fake_logits):
    """Computes -1/2 E log D(x) - 1/2 E log(1 - D(G(z))) with D = sigmoid(logit): ``(n,)``, ``(n,)`` -> scalar.

    The factors of 1/2 are those of the authors' code; section 5 of the paper has none.
    """
    return 0.5 * tf.reduce_mean(tf.nn.softplus(-real_logits)) + 0.5 * tf.reduce_mean(tf.nn.softplus(fake_logits))


def feature_matching(real_mean, fake_mean):
    """Computes the squared distance of the mean features, divided by the number of features: ``(F,)``, ``(F,)`` -> scalar.

    The division is that of the authors' code; the paper (section 3.1) has the plain squared norm.
    """
    return tf.reduce_mean(tf.square(real_mean - fake_mean))


def feature_matching_l1(real_mean, fake_mean):
    """Computes the mean absolute difference of the mean features, as in the authors' code for CIFAR-10 and SVHN."""
    return tf.reduce_mean(tf.abs(real_mean - fake_mean))


def encoder_loss(means, log_stds, latents):
    """Computes -E log q(z | x) up to a constant, as in the code of Bad GAN (Dai et al. 2017, arXiv:1705.09783).

    q is the encoder's normal distribution. A generator that lowers the loss makes images that determine their latents,
    which bounds the entropy of the images from below.

    Args:
        means: ``(n, latent_dim)``, of the distributions of the latents, given the generated images.
        log_stds: ``(n, latent_dim)``, the logarithms of their standard deviations.
        latents: ``(n, latent_dim)``, from which the images were generated.

    Returns:
        A scalar, the mean of the sums over the latents.
    """
    squares = 0.5 * tf.square((latents - means) / (tf.exp(log_stds) + 1e-8))
    return tf.reduce_mean(tf.reduce_sum(log_stds + squares, axis=-1))


def low_density_loss(log_densities, threshold):
    """Computes the mean of log p(x) - threshold over the images for which it is positive, as in the code of Bad GAN (Dai et al.
    2017, arXiv:1705.09783).

    p is a density model of the training images. A generator that lowers the loss makes fewer images that are likely under it.
    Images below the threshold have no effect, so that they do not become arbitrary. With several replicas, the mean is over the
    images of all of them.

    Args:
        log_densities: ``(n,)``, of generated images.
        threshold: A scalar.

    Returns:
        A scalar, 0 if no image is above the threshold.
    """
    excess = tf.nn.relu(log_densities - threshold)
    share = tf.stop_gradient(batch_mean(tf.cast(excess > 0.0, tf.float32)))
    return tf.math.divide_no_nan(tf.reduce_mean(excess), share)


def triple_discriminator_loss(real_logits, fake_logits, pseudo_logits, alpha, labeled_fraction=1.0):
    """-E log D(x, y) - (1 - alpha) E log(1 - D(G(z, y), y)) - alpha E log(1 - D(x, C(x))): equation 5 of the paper.

    In the first term, a fraction of the pairs are labeled images with their labels. The others are unlabeled images with the
    classes that the classifier predicts, as in the authors' code. They are real and fake pairs at the same time, with different
    weights.

    Args:
        real_logits: ``(n,)`` logits of labeled images with their labels.
        fake_logits: ``(m,)`` logits of generated images with the labels that they are conditioned on.
        pseudo_logits: ``(m,)`` logits of unlabeled images with the classes that the classifier predicts.
        alpha: The weight of the classifier's pairs among the fake pairs.
        labeled_fraction: The weight of the labeled pairs among the real pairs, in ``[0, 1]``. Defaults to 1.0.

    Returns:
        A scalar.
    """
    labeled, as_real = tf.reduce_mean(tf.nn.softplus(-real_logits)), tf.reduce_mean(tf.nn.softplus(-pseudo_logits))
    fake, pseudo = tf.reduce_mean(tf.nn.softplus(fake_logits)), tf.reduce_mean(tf.nn.softplus(pseudo_logits))
    real = labeled_fraction * labeled + (1.0 - labeled_fraction) * as_real
    return real + (1.0 - alpha) * fake + alpha * pseudo


def triple_classifier_loss(logits, pseudo_logits):
    """-E p(y | x) log D(x, y) at the class y that the classifier predicts, as in the authors' code.

    Its gradient goes through the probability only. It lowers the probability of the predicted class of every image, and most
    where the discriminator rejects the pair.

    Args:
        logits: ``(n, num_classes)`` logits of unlabeled images.
        pseudo_logits: ``(n,)`` logits that the discriminator gives these images with their most probable class.

    Returns:
        A scalar.
    """
    return _weighted_by_probability(logits, tf.nn.softplus(-pseudo_logits))


def triple_classifier_loss_saturating(logits, pseudo_logits):
    """E p(y | x) log(1 - D(x, y)) at the class y that the classifier predicts: algorithm 1 of the paper.

    Its gradient goes through the probability only. It raises the probability of the predicted class of every image, and most
    where the discriminator accepts the pair.

    Args:
        logits: ``(n, num_classes)`` logits of unlabeled images.
        pseudo_logits: ``(n,)`` logits that the discriminator gives these images with their most probable class.

    Returns:
        A scalar.
    """
    return _weighted_by_probability(logits, -tf.nn.softplus(pseudo_logits))


def _weighted_by_probability(logits, values):
    """Returns the batch mean of ``(n,)`` values times the probability of the predicted class of ``(n, num_classes)`` logits."""
    return tf.reduce_mean(tf.reduce_max(tf.nn.softmax(logits), axis=-1) * values)


def pseudo_label_loss(labels, mask, logits):
    """Computes the cross-entropy of the confident examples, divided by the number of all examples: FixMatch, equation 4.

    Args:
        labels: ``(n,)`` integers.
        mask: ``(n,)`` booleans, True for the confident examples.
        logits: ``(n, num_classes)``.

    Returns:
        A scalar.
    """
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(tf.where(mask, losses, 0.0))


TRIPLE_CLASSIFIER_LOSSES = {"non_saturating": triple_classifier_loss, "saturating": triple_classifier_loss_saturating}
"""Name -> adversarial loss of Triple-GAN's classifier."""

GENERATOR_LOSSES = {"feature_matching": feature_matching, "feature_matching_l1": feature_matching_l1}
"""Name -> function of the mean features of real and of generated images."""
