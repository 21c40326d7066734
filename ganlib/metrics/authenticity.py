"""Authenticity, the share of generated images that are not copies: Alaa et al. 2022, "How faithful is your synthetic data?"
(arXiv:2102.08921).
"""

import numpy as np

from ganlib.metrics.arrays import checked_features, distance_blocks
from ganlib.metrics.metric import Metric, Result


def authenticity(training, fake):
    """Computes the share of generated images that are farther from the training images than these are from each other.

    A generated image is authentic if the distance to its nearest training image is greater than the distance of that training
    image to its own nearest other training image. A copy of a training image never is. The share for equal distributions
    depends on the features (0.33 for normal ones with F = 1, 0.86 with F = 256), so compare with that of held-out images. The
    ``AuthPct`` of Jiralerspong et al. 2023 (arXiv:2302.04440) is 100 times this share, minus 50.

    The largest arrays are the features, in float64, a centered copy of them, and blocks of distances of 160 MB.

    Args:
        training: ``(n, F)`` features of the training images.
        fake: ``(m, F)`` features of generated images.

    Returns:
        A float in ``[0, 1]``.

    Raises:
        UserError: If the shapes are wrong, there are fewer than 2 rows, or features are not finite.

    Examples:
        >>> import numpy as np
        >>> from ganlib.metrics.authenticity import authenticity
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> authenticity(features[:50], features)  # the first half are copies
        0.24
    """
    training, fake = checked_features(training, fake)
    known = {hash(row.tobytes()) for row in training + 0.0}  # + 0.0 turns -0.0 into 0.0
    is_copy = np.array([hash(row.tobytes()) in known for row in fake + 0.0])  # also beside outliers, where blocks are rounded
    nearest, distances = _nearest(fake, training)
    chosen, index = np.unique(nearest, return_inverse=True)
    _, radii = _nearest(training[chosen], training, own=chosen)
    return float(np.mean((distances > radii[index]) & ~is_copy))


def _nearest(first, second, own=None):
    """Returns for each row of ``first`` the index of the nearest row of ``second``, without ``own[row]``, and its distance."""
    nearest = np.empty(len(first), int)
    for rows, distances in distance_blocks(first, second):
        if own is not None:
            distances[np.arange(len(distances)), own[rows]] = np.inf
        nearest[rows] = distances.argmin(axis=1)
    # The differences are exact where the matrix product of the blocks rounds: equal rows have the distance 0.
    return nearest, np.array([np.sum((row - second[index]) ** 2) for row, index in zip(first, nearest, strict=True)])


def _authenticity(training, fake, seed):
    return {"authenticity": authenticity(training.features, fake.features)}


METRICS = {
    "authenticity": Metric(
        {"authenticity": Result("authenticity", higher_is_better=True)}, _authenticity, against=("training",), pairwise=True
    )
}
