"""Density and coverage: Naeem et al. 2020, "Reliable fidelity and diversity metrics" (arXiv:2002.09797)."""

from typing import NamedTuple

import numpy as np

from ganlib.metrics.arrays import checked_features, distance_blocks, equally_many, is_inside, neighbor_radii, smaller_number
from ganlib.metrics.metric import Metric, Result


class DensityCoverage(NamedTuple):
    """Density, a nonnegative float that may exceed 1, and coverage, a float in ``[0, 1]``."""

    density: float
    coverage: float


K = 5
"""The index of the neighbor, as in the paper."""


def density_coverage(real, fake, k=K):
    """Computes density and coverage, which replace precision and recall and are robust to outliers.

    Each real image has a ball whose radius is the distance to its ``k``-th nearest real neighbor. Density is the mean number of
    balls that contain a generated image, divided by ``k``. Coverage is the share of balls that contain at least one. For equal
    distributions, the expected density is 1, and the expected coverage is ``1 - (n-1)...(n-k) / ((2n-1)...(2n-k))`` for n = m,
    about ``1 - 2^-k`` (lemma 2).

    Args:
        real: ``(n, F)`` features.
        fake: ``(m, F)`` features.
        k: The index of the neighbor that defines the radius; the paper uses 5. Defaults to 5.

    Returns:
        A `DensityCoverage`.

    Raises:
        UserError: If the shapes are wrong, there are no more than ``k`` rows, or features are not finite.

    Examples:
        >>> import numpy as np
        >>> from ganlib import metrics
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> metrics.density_coverage(features, features).coverage
        1.0
    """
    real, fake = checked_features(real, fake)
    radii = neighbor_radii(real, k)
    num_inside, covered = 0, np.empty(len(real), bool)
    for rows, distances in distance_blocks(real, fake):
        inside = is_inside(distances, radii[rows, None], including_border=False)
        num_inside += int(inside.sum())
        covered[rows] = inside.any(axis=1)
    return DensityCoverage(num_inside / (k * len(fake)), float(covered.mean()))


def _density_coverage(real, fake, seed):
    return density_coverage(*equally_many(real, fake))._asdict()


METRICS = {
    "density_coverage": Metric(
        {key: Result(key, curve="density and coverage", higher_is_better=True) for key in ("density", "coverage")},
        _density_coverage,
        pairwise=True,
        images_used=smaller_number,
        min_images=K + 1,
        parameters={"k": K},
    )
}
