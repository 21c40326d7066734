"""CMMD, a kernel distance with a Gaussian kernel: Jayasumana et al. 2024, "Rethinking FID" (arXiv:2401.09603)."""

import numpy as np

from ganlib.metrics.arrays import checked_features, directions, distance_blocks, equally_many, smaller_number
from ganlib.metrics.metric import Metric, Result

SIGMA = 10.0
"""The width of the kernel."""

SCALE = 1000.0
"""The factor that makes the values readable."""


def cmmd(real, fake):
    """Computes 1,000 times the squared maximum mean discrepancy with the kernel ``exp(-|x - y|^2 / 200)``.

    As in the authors' code, the estimator is the biased one, which compares each image with itself too. The paper takes CLIP
    embeddings, which have length 1. So each row of features is divided by its length here. Rows that are all 0 count as
    identical to each other and orthogonal to the others. With features of another network, the values are not comparable with
    those of the paper.

    The largest arrays are the features, in float64, a centered copy of them, and blocks of distances of 160 MB.

    Args:
        real: ``(n, F)`` features.
        fake: ``(m, F)`` features.

    Returns:
        A nonnegative float.

    Raises:
        UserError: If the shapes are wrong, there are fewer than 2 rows, or features are not finite.

    Examples:
        >>> import numpy as np
        >>> from ganlib.metrics.cmmd import cmmd
        >>> features = np.random.default_rng(0).normal(size=(200, 3))
        >>> cmmd(features, features)
        0.0
        >>> round(cmmd(features, -np.abs(features)), 3)
        7.063
    """
    real, fake = checked_features(real, fake)
    real, fake = directions(real), directions(fake)
    within = _mean_kernel(real, real) + _mean_kernel(fake, fake)
    return max(0.0, SCALE * (within - 2.0 * _mean_kernel(real, fake)))


def _mean_kernel(first, second):
    total = sum(np.exp(distances / (-2.0 * SIGMA**2)).sum() for _, distances in distance_blocks(first, second))
    return float(total / (len(first) * len(second)))


def _cmmd(real, fake, seed):
    return {"cmmd": cmmd(*equally_many(real, fake))}


METRICS = {
    "cmmd": Metric({"cmmd": Result("CMMD")}, _cmmd, pairwise=True, images_used=smaller_number, parameters={"sigma": SIGMA})
}
