"""The Fréchet distance between two sets of features: Heusel et al. 2017 (arXiv:1706.08500), Dowson & Landau 1982."""

import numpy as np

from ganlib.errors import UserError


def frechet_distance(real, fake):
    """The squared Fréchet distance of two Gaussians with the means and covariances of two sets of features.

    ``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))``, computed in float64. On Inception features it is the FID.

    Args:
        real: ``(n, F)`` features, n at least 2.
        fake: ``(m, F)`` features, m at least 2.

    Returns:
        A float, at least 0.

    Raises:
        UserError: for arrays of other shapes.

    Example:
        >>> import numpy as np
        >>> from ganlib import metrics
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> round(metrics.frechet_distance(features, features + 2.0), 6)
        12.0
    """
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1] or min(len(real), len(fake)) < 2:
        raise UserError(f"expected features (n, F) and (m, F) with n, m >= 2, got {real.shape} and {fake.shape}")
    difference = real.mean(axis=0) - fake.mean(axis=0)
    real_covariance = np.atleast_2d(np.cov(real, rowvar=False))
    fake_covariance = np.atleast_2d(np.cov(fake, rowvar=False))
    # tr (S1 S2)^(1/2) is the sum of the roots of the eigenvalues of R S2 R, with R the symmetric root of S1; that
    # matrix is symmetric and positive, unlike S1 S2 itself, so there are no complex parts to drop.
    values, vectors = np.linalg.eigh(real_covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ fake_covariance @ root)
    trace = np.trace(real_covariance) + np.trace(fake_covariance) - 2.0 * np.sqrt(np.maximum(product, 0.0)).sum()
    return float(max(difference @ difference + trace, 0.0))
