"""Metrics of a classifier on labeled images."""

import numpy as np
import scipy.optimize
import scipy.special

from ganlib.errors import UserError, integer
from ganlib.metrics.arrays import check_finite, check_labels, check_probabilities


def accuracy(labels, scores):
    """Computes the share of examples whose largest score is that of their label.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        scores: ``(n, num_classes)`` logits or probabilities.

    Returns:
        A float in ``[0, 1]``.

    Raises:
        UserError: If the shapes are wrong, labels are out of range, or scores are not finite.

    Examples:
        >>> from ganlib import metrics
        >>> metrics.accuracy([0, 1], [[0.9, 0.1], [0.8, 0.2]])
        0.5
    """
    labels, scores = validated(labels, scores)
    return float(np.mean(scores.argmax(axis=-1) == labels))


def confusion_matrix(labels, scores):
    """Counts examples by true class (rows) and predicted class (columns).

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        scores: ``(n, num_classes)`` logits or probabilities.

    Returns:
        ``(num_classes, num_classes)`` int64.

    Raises:
        UserError: If the shapes are wrong, labels are out of range, or scores are not finite.
    """
    labels, scores = validated(labels, scores)
    matrix = np.zeros((scores.shape[1], scores.shape[1]), np.int64)
    np.add.at(matrix, (labels, scores.argmax(axis=-1)), 1)
    return matrix


def recall_by_class(labels, scores):
    """Computes the share of each class's examples that are classified correctly.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        scores: ``(n, num_classes)`` logits or probabilities.

    Returns:
        ``(num_classes,)`` float64 in ``[0, 1]``; NaN for a class without examples.

    Raises:
        UserError: If the shapes are wrong, labels are out of range, or scores are not finite.
    """
    matrix = confusion_matrix(labels, scores)
    counts = matrix.sum(axis=1)
    return np.where(counts > 0, matrix.diagonal() / np.maximum(counts, 1), np.nan)


def balanced_accuracy(labels, scores):
    """Computes the mean of `recall_by_class` over the classes with examples. Every class counts equally, however rare it is.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        scores: ``(n, num_classes)`` logits or probabilities.

    Returns:
        A float in ``[0, 1]``; ``1 / num_classes`` for a constant prediction, if every class has examples.

    Raises:
        UserError: If the shapes are wrong, labels are out of range, or scores are not finite.

    Examples:
        >>> from ganlib import metrics
        >>> metrics.balanced_accuracy([0, 0, 0, 1], [[0.9, 0.1]] * 4)
        0.5
    """
    return float(np.nanmean(recall_by_class(labels, scores)))


def f1_by_class(labels, scores):
    """Computes the harmonic mean of the precision and the recall of each class.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        scores: ``(n, num_classes)`` logits or probabilities.

    Returns:
        ``(num_classes,)`` float64 in ``[0, 1]``: 0 for a class that is never predicted, NaN for a class without examples.

    Raises:
        UserError: If the shapes are wrong, labels are out of range, or scores are not finite.
    """
    matrix = confusion_matrix(labels, scores)
    counts, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    return np.where(counts > 0, 2 * matrix.diagonal() / np.maximum(counts + predicted, 1), np.nan)


def macro_f1(labels, scores):
    """Computes the mean of `f1_by_class` over the classes with examples: a float in ``[0, 1]``.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        scores: ``(n, num_classes)`` logits or probabilities.

    Raises:
        UserError: If the shapes are wrong, labels are out of range, or scores are not finite.
    """
    return float(np.nanmean(f1_by_class(labels, scores)))


def roc_auc(labels, probabilities):
    """Computes the area under the ROC curve of each class against the rest, and its mean over the classes (macro one-vs-rest).

    The area of a class is the probability that an example of the class gets a higher probability of the class than another
    example; ties count half. Classes without examples do not count. With two classes, both have the same area.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        probabilities: ``(n, num_classes)``; each row sums to 1.

    Returns:
        A float in ``[0, 1]``; 0.5 for a constant prediction, NaN if all examples have the same class.

    Raises:
        UserError: If the rows are not probabilities, and as in `accuracy`.

    Examples:
        >>> from ganlib import metrics
        >>> metrics.roc_auc([0, 0, 1], [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
        1.0
    """
    labels, probabilities = validated(labels, probabilities)
    check_probabilities(probabilities)
    return mean_area(labels, ranks(probabilities))


def ranks(scores):
    """Returns the dense rank of each score among those of its class, from 0: ``(n, num_classes)`` -> ``(num_classes, n)``."""
    return np.stack([np.unique(column, return_inverse=True)[1].reshape(-1) for column in scores.T])


def mean_area(labels, ranks):
    """Computes `roc_auc` from the ``(num_classes, n)`` `ranks` of the probabilities, without checks."""
    areas = []
    for label in np.unique(labels):
        inside = np.bincount(ranks[label, labels == label], minlength=len(labels))
        outside = np.bincount(ranks[label], minlength=len(labels)) - inside
        pairs = inside.sum() * outside.sum()
        if pairs:
            areas.append(inside @ (np.cumsum(outside) - outside / 2) / pairs)
    return float(np.mean(areas)) if areas else float("nan")


def expected_calibration_error(labels, probabilities, bins=15):
    """Computes the expected difference between confidence and accuracy: Guo et al. 2017 (arXiv:1706.04599), equation 3.

    Examples are grouped by their largest probability into bins of equal width. The error is the mean over examples of the
    absolute difference between the mean confidence and the accuracy of their bin.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        probabilities: ``(n, num_classes)``; each row sums to 1.
        bins: The number of bins. Defaults to 15.

    Returns:
        A float in ``[0, 1]``; 0 means perfect calibration.

    Raises:
        UserError: If the rows are not probabilities, and as in `accuracy`.
    """
    labels, probabilities = validated(labels, probabilities)
    bins = integer("bins", bins, 1)
    check_probabilities(probabilities)
    confidence, hits = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(index, weights=hits - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def temperature(labels, logits, offset=0.0, spread=np.inf):
    """Computes the temperature by which to divide logits to minimize the cross-entropy: Guo et al. 2017 (arXiv:1706.04599).

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)`` of held-out examples.
        logits: ``(n, num_classes)``.
        offset: ``(num_classes,)`` numbers to add to the divided logits, such as the logarithms of the ratios of the frequencies
            of the classes here and in training. Defaults to 0.
        spread: The standard deviation of the logarithm of the temperature, of which a normal distribution around 0 is assumed
            before the examples are seen. With few examples, a temperature near 1 results. Defaults to infinity, for no
            assumption.

    Returns:
        A float between 0.01 and 100; above 1, the classifier was overconfident.

    Raises:
        UserError: If the shapes are wrong, labels are out of range, or scores are not finite.
    """
    labels, logits = validated(labels, logits)
    logits = np.asarray(logits, np.float64)

    def cross_entropy(log_temperature):
        likelihoods = scipy.special.log_softmax(logits / np.exp(log_temperature) + offset, axis=1)[
            np.arange(len(labels)), labels
        ]
        return (0.5 * (log_temperature / spread) ** 2 - np.sum(likelihoods)) / len(labels)

    bounds = (np.log(0.01), np.log(100.0))
    return float(np.exp(scipy.optimize.minimize_scalar(cross_entropy, bounds=bounds, method="bounded").x))


def validated(labels, scores):
    """Returns ``(n,)`` labels and ``(n, num_classes)`` scores as arrays. Raises a `UserError` unless they fit each other."""
    labels, scores = np.asarray(labels), np.asarray(scores)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise UserError(f"expected (n,) labels and (n, num_classes) scores with n > 0, got {labels.shape} and {scores.shape}")
    check_labels(labels, scores.shape[1])
    check_finite(scores, "rows of scores")
    return labels, scores
