"""The Inception score: Salimans et al. 2016, "Improved techniques for training GANs" (arXiv:1606.03498), section 4."""

from typing import NamedTuple

import numpy as np

from ganlib.errors import UserError
from ganlib.metrics.arrays import check_probabilities, log
from ganlib.metrics.metric import Metric, Result


class InceptionScore(NamedTuple):
    """The mean over splits, from 1 to the number of classes, and the standard deviation over splits."""

    mean: float
    std: float


SPLITS = 10
"""The number of splits, as in the paper."""


def inception_score(probabilities, splits=SPLITS):
    """Computes the Inception score ``exp(E KL(p(y|x) || p(y)))`` from a classifier's probabilities for generated images.

    It is high if each image clearly belongs to one class and all classes occur. It does not use real images.

    Args:
        probabilities: ``(n, num_classes)`` p(y|x); each row sums to 1.
        splits: The number of consecutive parts of the images, each scored with its own p(y); the paper uses 10. A warning is
            logged if parts have fewer images than classes. Defaults to 10.

    Returns:
        An `InceptionScore`.

    Raises:
        UserError: If the shape is wrong, rows are not probabilities, or there are fewer images than splits.

    Examples:
        >>> import numpy as np
        >>> from ganlib import metrics
        >>> round(metrics.inception_score(np.eye(5), splits=1).mean, 6)
        5.0
    """
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 2 or not 1 <= splits <= len(probabilities):
        raise UserError(
            f"expected probabilities (n, num_classes) of at least splits={splits} images, got shape {probabilities.shape}"
        )
    check_probabilities(probabilities)
    if len(probabilities) // splits < probabilities.shape[1]:
        message = (
            "%d images are too few for an Inception score in %d splits: each split has fewer images than the %d classes, "
            "so the score is too low"
        )
        log.warning(message, len(probabilities), splits, probabilities.shape[1])
    scores = [_score(part) for part in np.array_split(probabilities, splits)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def _score(probabilities):
    marginal = np.broadcast_to(probabilities.mean(axis=0), probabilities.shape)
    positive = probabilities > 0  # 0 log 0 is 0
    log_ratios = np.log(probabilities[positive]) - np.log(marginal[positive])
    return np.exp((probabilities[positive] * log_ratios).sum() / len(probabilities))


def _inception_score(fake, seed):
    if fake.probabilities is None:
        raise UserError("the Inception score requires class probabilities, which this feature network lacks: omit 'is'")
    result = inception_score(fake.probabilities)
    return {"inception_score": result.mean, "inception_score_std": result.std}


METRICS = {
    "is": Metric(
        {"inception_score": Result("IS", "{:.2f}", "inception score", higher_is_better=True)},
        _inception_score,
        against=(),
        needs=("probabilities",),
        parameters={"splits": SPLITS},
        min_images=SPLITS,
    )
}
