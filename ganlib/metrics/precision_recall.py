"""Improved precision and recall: Kynkäänniemi et al. 2019 (arXiv:1904.06991)."""

from typing import NamedTuple

import numpy as np

from ganlib.metrics.arrays import checked_features, distance_blocks, neighbor_radii


class PrecisionRecall(NamedTuple):
    """Both are floats in ``[0, 1]``."""

    precision: float
    recall: float


def precision_recall(real, fake, k=3):
    """How many generated images look real, and how much of the real variety is generated.

    Around every image of a set lies a ball that reaches to its ``k``-th nearest neighbor in that set; together they
    are the set's manifold. Precision is the share of generated images inside the real manifold, recall the share of
    real images inside the generated one.

    Args:
        real: ``(n, F)`` features.
        fake: ``(m, F)`` features; the paper has n = m, and both measures depend on the two numbers.
        k: the neighbor that sets the radius; the paper's is 3.

    Returns:
        A `PrecisionRecall`.

    Raises:
        UserError: for arrays of other shapes, not more than ``k`` rows, or features that are not finite.

    Examples:
        >>> import numpy as np
        >>> from ganlib import metrics
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> metrics.precision_recall(features, features[:50])
        PrecisionRecall(precision=1.0, recall=0.93)
    """
    real, fake = checked_features(real, fake)
    real_radii, fake_radii = neighbor_radii(real, k), neighbor_radii(fake, k)
    fake_is_real, real_is_fake = np.zeros(len(fake), bool), np.empty(len(real), bool)
    for rows, distances in distance_blocks(real, fake):
        fake_is_real |= (distances < real_radii[rows, None]).any(axis=0)
        real_is_fake[rows] = (distances < fake_radii).any(axis=1)
    return PrecisionRecall(float(fake_is_real.mean()), float(real_is_fake.mean()))
