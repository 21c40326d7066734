"""Losses of semi-supervised classifiers: logits and features in, scalars out."""

import tensorflow as tf


def cross_entropy(labels, logits):
    """The mean over the batch of -log softmax(logits)[label]: ``(n,)`` integers, ``(n, num_classes)`` -> scalar."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def unlabeled_losses(real_logits, fake_logits):
    """-1/2 E log D(x) - 1/2 E log(1 - D(G(z))) with D = sigmoid(logit): ``(n,)``, ``(n,)`` -> scalar.

    The halves are those of the authors' code; section 5 of the paper has none.
    """
    return 0.5 * tf.reduce_mean(tf.nn.softplus(-real_logits)) + 0.5 * tf.reduce_mean(tf.nn.softplus(fake_logits))


def feature_matching(real_mean, fake_mean):
    """The squared distance of the mean features, divided by their number: ``(F,)``, ``(F,)`` -> scalar.

    The division is that of the authors' code; the paper (section 3.1) has the plain squared norm.
    """
    return tf.reduce_mean(tf.square(real_mean - fake_mean))


def feature_matching_l1(real_mean, fake_mean):
    """The mean absolute difference of the mean features, as in the authors' code for CIFAR-10 and SVHN."""
    return tf.reduce_mean(tf.abs(real_mean - fake_mean))


def triple_discriminator_loss(real_logits, fake_logits, pseudo_logits, alpha):
    """-E log D(x, y) - (1 - alpha) E log(1 - D(G(z, y), y)) - alpha E log(1 - D(x, C(x))): equation 5 of the paper.

    Args:
        real_logits: ``(n,)`` of labeled images with their labels.
        fake_logits: ``(m,)`` of generated images with the labels they were made of.
        pseudo_logits: ``(m,)`` of unlabeled images with the classifier's classes.
        alpha: the weight of the classifier's pairs.

    Returns:
        A scalar.
    """
    real, fake, guessed = (tf.reduce_mean(tf.nn.softplus(x)) for x in (-real_logits, fake_logits, pseudo_logits))
    return real + (1.0 - alpha) * fake + alpha * guessed


def triple_classifier_loss(logits, judged):
    """E p(y | x) log(1 - D(x, y)) at the class y that the classifier gives: algorithm 1 of the paper.

    Its gradient, through the probability alone, raises that of classes which the discriminator believes.

    Args:
        logits: ``(n, num_classes)`` of unlabeled images.
        judged: ``(n,)`` the discriminator's logits of these images with their most probable class.

    Returns:
        A scalar.
    """
    return tf.reduce_mean(tf.reduce_max(tf.nn.softmax(logits), axis=-1) * -tf.nn.softplus(judged))


def pseudo_label_loss(labels, mask, logits):
    """The cross-entropy of the examples that are sure, divided by the number of all of them: FixMatch, equation 4.

    Args:
        labels: ``(n,)`` integers.
        mask: ``(n,)`` booleans, true for the examples that count.
        logits: ``(n, num_classes)``.

    Returns:
        A scalar.
    """
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(tf.where(mask, losses, 0.0))


GENERATOR_LOSSES = {"feature_matching": feature_matching, "feature_matching_l1": feature_matching_l1}
"""Name -> function of the mean features of real and of generated images."""
"""Name -> function of the mean features of real and of generated images."""
