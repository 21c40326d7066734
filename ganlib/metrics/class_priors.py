"""Estimates how frequent the classes are among unlabeled images."""

import numpy as np

from ganlib.errors import UserError
from ganlib.metrics.arrays import check_probabilities

ITERATIONS, TOLERANCE = 1000, 1e-6
SMALLEST = 1e-4
"""The smallest frequency that is returned. Without it, a class could vanish from all later predictions."""


def class_priors(probabilities, training_priors):
    """Estimates the frequencies of the classes among unlabeled images from the probabilities that a classifier gives them.

    This is the expectation-maximization of Saerens et al. 2002, "Adjusting the outputs of a classifier to new a priori
    probabilities". It assumes that the classes look the same in both sets and differ only in their frequencies.

    Args:
        probabilities: ``(n, num_classes)`` probabilities of a classifier for the unlabeled images; each row sums to 1.
        training_priors: ``(num_classes,)`` frequencies of the classes in the classifier's training, positive, with a sum of 1.

    Returns:
        ``(num_classes,)`` float64 frequencies with a sum of 1, each at least 1e-4.

    Raises:
        UserError: If there are no probabilities, or they or the frequencies are invalid.

    Examples:
        >>> from ganlib import metrics
        >>> sure = [[0.99, 0.01]] * 3 + [[0.01, 0.99]]
        >>> metrics.class_priors(sure, [0.5, 0.5]).round(2)
        array([0.76, 0.24])
    """
    probabilities = np.asarray(probabilities, np.float64)
    check_probabilities(probabilities)
    if not len(probabilities):
        raise UserError("there are no probabilities of unlabeled images to estimate the class priors from: pass at least 1 row")
    training = np.asarray(training_priors, np.float64)
    if training.shape != probabilities.shape[1:] or not (training > 0).all() or abs(training.sum() - 1) > 1e-4:
        raise UserError(
            f"training_priors must be {probabilities.shape[1]} positive numbers with a sum of 1, got {training_priors!r}"
        )
    priors = training
    for _ in range(ITERATIONS):
        weighted = probabilities * (priors / training)
        updated = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
        converged, priors = np.abs(updated - priors).max() < TOLERANCE, updated
        if converged:
            break
    priors = np.maximum(priors, SMALLEST)
    return priors / priors.sum()
