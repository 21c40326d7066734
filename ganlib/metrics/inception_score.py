"""The Inception score: Salimans et al. 2016, "Improved techniques for training GANs" (arXiv:1606.03498), section 4."""

from typing import NamedTuple

import numpy as np

from ganlib.errors import UserError
from ganlib.metrics.arrays import check_probabilities, log


class InceptionScore(NamedTuple):
    """The mean over splits, from 1 to the number of classes, and the standard deviation over them."""

    mean: float
    std: float


def inception_score(probabilities, splits=10):
    """``exp(E KL(p(y|x) || p(y)))`` of the classes that a classifier sees in generated images.

    It is high when each image is clearly of a class and all classes are there; it looks at no real image.

    Args:
        probabilities: ``(n, num_classes)`` p(y|x), rows that sum to 1.
        splits: consecutive parts of the images, each scored with its own p(y); the paper's number is 10. Parts with fewer
            images than classes are scored with a warning.

    Returns:
        An `InceptionScore`.

    Raises:
        UserError: for another shape, rows that are not probabilities, or fewer images than splits.

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
        log.warning("%d images are too few for an Inception score in %d splits: each has fewer images than there are classes, "
                    "%d, so the score is too low", len(probabilities), splits, probabilities.shape[1])  # fmt: skip
    scores = [_score(part) for part in np.array_split(probabilities, splits)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def _score(probabilities):
    marginal = np.broadcast_to(probabilities.mean(axis=0), probabilities.shape)
    seen = probabilities > 0  # 0 log 0 is 0
    logs = np.log(probabilities[seen]) - np.log(marginal[seen])
    return np.exp((probabilities[seen] * logs).sum() / len(probabilities))
