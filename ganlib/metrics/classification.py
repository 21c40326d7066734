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
    labels, scores = _validated(labels, scores)
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
    labels, scores = _validated(labels, scores)
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
    labels, probabilities = _validated(labels, probabilities)
    bins = integer("bins", bins, 1)
    check_probabilities(probabilities)
    confidence, hits = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(index, weights=hits - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def temperature(labels, logits):
    """Computes the temperature by which to divide logits to minimize the cross-entropy: Guo et al. 2017 (arXiv:1706.04599).

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)`` of held-out examples.
        logits: ``(n, num_classes)``.

    Returns:
        A float between 0.01 and 100; above 1, the classifier was overconfident.

    Raises:
        UserError: If the shapes are wrong, labels are out of range, or scores are not finite.
    """
    labels, logits = _validated(labels, logits)
    logits = np.asarray(logits, np.float64)

    def cross_entropy(log_temperature):
        return -np.mean(scipy.special.log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(labels)), labels])

    bounds = (np.log(0.01), np.log(100.0))
    return float(np.exp(scipy.optimize.minimize_scalar(cross_entropy, bounds=bounds, method="bounded").x))


def _validated(labels, scores):
    labels, scores = np.asarray(labels), np.asarray(scores)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise UserError(f"expected (n,) labels and (n, num_classes) scores with n > 0, got {labels.shape} and {scores.shape}")
    check_labels(labels, scores.shape[1])
    check_finite(scores, "rows of scores")
    return labels, scores
