"""How well a classifier does on labelled images."""

import numpy as np

from ganlib.errors import UserError


def accuracy(labels, scores):
    """The share of examples whose largest score is the label's.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        scores: ``(n, num_classes)`` logits or probabilities.

    Returns:
        A float in ``[0, 1]``.

    Example:
        >>> from ganlib import metrics
        >>> metrics.accuracy([0, 1], [[0.9, 0.1], [0.8, 0.2]])
        0.5
    """
    labels, scores = _checked(labels, scores)
    return float(np.mean(scores.argmax(axis=-1) == labels))


def confusion_matrix(labels, scores):
    """Counts of examples by true class (rows) and predicted class (columns).

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        scores: ``(n, num_classes)`` logits or probabilities.

    Returns:
        ``(num_classes, num_classes)`` int64.
    """
    labels, scores = _checked(labels, scores)
    matrix = np.zeros((scores.shape[1], scores.shape[1]), np.int64)
    np.add.at(matrix, (labels, scores.argmax(axis=-1)), 1)
    return matrix


def _checked(labels, scores):
    labels, scores = np.asarray(labels), np.asarray(scores)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise UserError(f"expected (n,) labels and (n, num_classes) scores with n > 0, got {labels.shape} and {scores.shape}")
    return labels, scores
