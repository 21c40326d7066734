"""Improved precision and recall: Kynkäänniemi et al. 2019 (arXiv:1904.06991)."""

from typing import NamedTuple

import numpy as np

from ganlib.metrics.arrays import checked_features, distance_blocks, neighbor_radii


class PrecisionRecall(NamedTuple):
    """Precision and recall, floats in ``[0, 1]``."""

    precision: float
    recall: float


def precision_recall(real, fake, k=3):
    """Computes precision, the share of realistic generated images, and recall, the share of the real variety that is generated.

    Each image of a set has a ball whose radius is the distance to its ``k``-th nearest neighbor in that set. Together the balls
    form the manifold of the set. Precision is the share of generated images inside the real manifold, recall the share of real
    images inside the generated manifold.

    Args:
        real: ``(n, F)`` features.
        fake: ``(m, F)`` features. The paper uses n = m; both metrics depend on n and m.
        k: The index of the neighbor that defines the radius; the paper uses 3. Defaults to 3.

    Returns:
        A `PrecisionRecall`.

    Raises:
        UserError: If the shapes are wrong, there are no more than ``k`` rows, or features are not finite.

    Examples:
        >>> import numpy as np
        >>> from ganlib import metrics
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> metrics.precision_recall(features, features[:50])
        PrecisionRecall(precision=1.0, recall=0.93)
    """
    real, fake = checked_features(real, fake)
    real_radii, fake_radii = neighbor_radii(real, k), neighbor_radii(fake, k)
    fake_in_real, real_in_fake = np.zeros(len(fake), bool), np.empty(len(real), bool)
    for rows, distances in distance_blocks(real, fake):
        fake_in_real |= (distances < real_radii[rows, None]).any(axis=0)
        real_in_fake[rows] = (distances < fake_radii).any(axis=1)
    return PrecisionRecall(float(fake_in_real.mean()), float(real_in_fake.mean()))
