"""Confidence intervals of a classifier's metrics, by the bootstrap over images."""

import numpy as np

from ganlib.errors import integer
from ganlib.metrics import classification
from ganlib.metrics.arrays import check_probabilities

LEVEL = 0.95
"""The share of the resampled values inside an interval."""


def intervals(labels, probabilities, resamples=1000, seed=0):
    """Computes 95 % intervals of a classifier's metrics: Efron & Tibshirani 1993, "An introduction to the bootstrap".

    The images of each class are drawn with replacement, as many as there are (stratified). An interval goes from the 2.5 % to
    the 97.5 % quantile of the metric over the draws. It shows the chance in the choice of the test images, not that of
    training again.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        probabilities: ``(n, num_classes)``; each row sums to 1.
        resamples: The number of draws. Defaults to 1000.
        seed: A nonnegative integer that determines the draws. Defaults to 0.

    Returns:
        A dict of ``accuracy``, ``balanced_accuracy``, ``macro_f1`` and ``roc_auc``, each a ``(2,)`` float64 array, and
        ``f1_by_class``, ``(num_classes, 2)``. NaN if a metric is not defined, as for a class without examples.

    Raises:
        UserError: If the rows are not probabilities, and as in `ganlib.metrics.accuracy`.

    Examples:
        >>> from ganlib import metrics
        >>> metrics.intervals([0, 0, 1, 1], [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])["accuracy"]
        array([1., 1.])
    """
    labels, probabilities = classification.validated(labels, probabilities)
    check_probabilities(probabilities)
    resamples, rng = integer("resamples", resamples, 1), np.random.default_rng(integer("seed", seed, 0))
    ranks = classification.ranks(probabilities)
    predicted = np.eye(probabilities.shape[1], dtype=np.int8)[probabilities.argmax(axis=1)]
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    values = []
    for _ in range(resamples):
        rows = np.concatenate([rng.choice(rows, len(rows)) for rows in members])
        values.append(_metrics(labels[rows], predicted[rows], ranks[:, rows]))
    tail = (1 - LEVEL) / 2
    return {key: np.quantile([value[key] for value in values], (tail, 1 - tail), axis=0).T for key in values[0]}


def _metrics(labels, predicted, ranks):
    f1 = classification.f1_by_class(labels, predicted)
    return {
        "accuracy": classification.accuracy(labels, predicted),
        "balanced_accuracy": classification.balanced_accuracy(labels, predicted),
        "macro_f1": float(np.nanmean(f1)),
        "roc_auc": classification.mean_area(labels, ranks),
        "f1_by_class": f1,
    }
