"""Improved precision and recall: Kynkäänniemi et al. 2019 (arXiv:1904.06991)."""

from typing import NamedTuple

import numpy as np

from ganlib.metrics.arrays import checked_features, distance_blocks, equally_many, is_inside, neighbor_radii, smaller_number
from ganlib.metrics.metric import Metric, Result


class PrecisionRecall(NamedTuple):
    """Precision and recall, floats in ``[0, 1]``."""

    precision: float
    recall: float


K = 3
"""The index of the neighbor, as in the paper."""


def precision_recall(real, fake, k=K):
    """Computes precision, the share of realistic generated images, and recall, the share of the real variety that is generated.

    Each image of a set has a ball whose radius is the distance to its ``k``-th nearest neighbor in that set. Together the balls
    form the manifold of the set. Precision is the share of generated images inside the real manifold, recall the share of real
    images inside the generated manifold. A border belongs to its ball, as in the authors' code.

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
        fake_in_real |= is_inside(distances, real_radii[rows, None], including_border=True).any(axis=0)
        real_in_fake[rows] = is_inside(distances, fake_radii, including_border=True).any(axis=1)
    return PrecisionRecall(float(fake_in_real.mean()), float(real_in_fake.mean()))


def _precision_recall(real, fake, seed):
    return precision_recall(*equally_many(real, fake))._asdict()


METRICS = {
    "precision_recall": Metric(
        {key: Result(key, curve="precision and recall", higher_is_better=True) for key in ("precision", "recall")},
        _precision_recall,
        pairwise=True,
        images_used=smaller_number,
        min_images=K + 1,
        parameters={"k": K},
    )
}
