"""The Vendi score, the effective number of different images: Friedman and Dieng 2022 (arXiv:2210.02410)."""

import numpy as np

from ganlib.errors import UserError
from ganlib.metrics.arrays import check_finite, directions, warn_if_constant
from ganlib.metrics.metric import Metric, Result


def vendi_score(features):
    """Computes the exponential of the entropy of the eigenvalues of ``K / n``, where K holds the cosines between all images.

    It is 1 for identical images, and n for images with orthogonal features. It needs no real images, and says nothing about
    how realistic the images are. It grows with n, so compare it only for the same n.

    The ``(F, F)`` matrix of the features has the same eigenvalues as K, apart from zeros. It is used if F < n. The
    largest array is the smaller of the two matrices.

    Args:
        features: ``(n, F)`` features of images. Each row is divided by its length. Rows that are all 0 count as identical to
            each other and orthogonal to the others.

    Returns:
        A float in ``[1, n]``.

    Raises:
        UserError: If the shape is wrong, there are no rows, or features are not finite.

    Examples:
        >>> import numpy as np
        >>> from ganlib.metrics.vendi import vendi_score
        >>> round(vendi_score(np.eye(4)), 6)
        4.0
        >>> round(vendi_score([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 1.0]]), 6)
        2.0
    """
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or not len(features):
        raise UserError(f"expected features (n, F) with n >= 1, got {features.shape}")
    check_finite(features, "rows of features")
    warn_if_constant(features, "fake")
    features = directions(features)
    count, dim = features.shape
    matrix = features.T @ features if dim < count else features @ features.T
    eigenvalues = np.linalg.eigvalsh(matrix) / count  # their sum is 1
    eigenvalues = eigenvalues[eigenvalues > 0]
    return float(np.clip(np.exp(-np.sum(eigenvalues * np.log(eigenvalues))), 1.0, count))


def _vendi(fake, seed):
    return {"vendi": vendi_score(fake.features)}


METRICS = {
    "vendi": Metric({"vendi": Result("Vendi score", "{:.1f}", higher_is_better=True)}, _vendi, against=(), pairwise=True)
}
