"""Density and coverage: Naeem et al. 2020, "Reliable fidelity and diversity metrics" (arXiv:2002.09797)."""

from typing import NamedTuple

import numpy as np

from ganlib.metrics.arrays import checked_features, distance_blocks, neighbor_radii


class DensityCoverage(NamedTuple):
    """Density is a float of at least 0 and may exceed 1; coverage lies in ``[0, 1]``."""

    density: float
    coverage: float


def density_coverage(real, fake, k=5):
    """Precision and recall that one outlier cannot spoil.

    Around every real image lies a ball that reaches to its ``k``-th nearest real neighbor. Density is the number of
    balls that hold a generated image, over ``k``, on average; coverage the share of balls that hold any. For equal
    distributions the expected density is 1, and the expected coverage ``1 - (n-1)...(n-k) / ((2n-1)...(2n-k))`` for
    n = m, about ``1 - 2^-k`` (lemma 2).

    Args:
        real: ``(n, F)`` features.
        fake: ``(m, F)`` features.
        k: the neighbor that sets the radius; the paper's is 5.

    Returns:
        A `DensityCoverage`.

    Raises:
        UserError: for arrays of other shapes, not more than ``k`` rows, or features that are not finite.

    Examples:
        >>> import numpy as np
        >>> from ganlib import metrics
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> metrics.density_coverage(features, features).coverage
        1.0
    """
    real, fake = checked_features(real, fake)
    radii = neighbor_radii(real, k)
    inside, covered = 0, np.empty(len(real), bool)
    for rows, distances in distance_blocks(real, fake):
        holds = distances < radii[rows, None]
        inside += int(holds.sum())
        covered[rows] = holds.any(axis=1)
    return DensityCoverage(inside / (k * len(fake)), float(covered.mean()))
