"""Perceptual path length, the smoothness of a generator in its latents: Karras et al. 2019 (arXiv:1812.04948), section 4.1."""

import numpy as np

from ganlib.errors import UserError
from ganlib.metrics.arrays import checked_features
from ganlib.metrics.metric import Metric, Result

EPSILON = 1e-4
"""The difference of the positions of a pair on the path between two latents, as in the paper."""


def path_length(first_features, second_features, epsilon):
    """Computes the mean of ``|x - y|^2 / epsilon^2`` over pairs of images whose latents are close to each other.

    The latents of a pair are `slerp` (for W: linear) interpolations at t and t + ``epsilon`` between two random latents; the
    paper uses 1e-4 and 100,000 pairs. As in the authors' code, values below the 1st and above the 99th percentile are dropped.
    Their distance is LPIPS. With features of another network, the values are not comparable with those of the paper.

    Args:
        first_features: ``(n, F)`` features of the images at t.
        second_features: ``(n, F)`` features of the images at t + ``epsilon``.
        epsilon: The difference of the positions of a pair, a positive float.

    Returns:
        A nonnegative float.

    Raises:
        UserError: If the shapes are wrong, there are fewer than 2 rows, features are not finite, or ``epsilon`` is not
            positive.

    Examples:
        >>> import numpy as np
        >>> from ganlib.metrics.path_length import path_length
        >>> features = np.random.default_rng(0).normal(size=(100, 3))
        >>> round(path_length(features, features + 0.5, epsilon=0.5), 6)
        3.0
    """
    first, second = checked_features(first_features, second_features)
    if len(first) != len(second):
        raise UserError(f"expected pairs of features, got {len(first)} and {len(second)} rows")
    if not 0 < epsilon < np.inf:
        raise UserError(f"epsilon must be positive, got {epsilon}")
    lengths = np.sum((first - second) ** 2, axis=1) / epsilon**2
    low, high = np.percentile(lengths, 1, method="lower"), np.percentile(lengths, 99, method="higher")
    return float(lengths[(low <= lengths) & (lengths <= high)].mean())


def slerp(a, b, t):
    """Interpolates between latents on the unit sphere, at a constant angular speed.

    Args:
        a: ``(n, latent_dim)`` latents; only their directions matter.
        b: ``(n, latent_dim)`` latents.
        t: A float or ``(n,)`` floats: 0 gives the direction of ``a``, and 1 that of ``b``.

    Returns:
        ``(n, latent_dim)`` float64 of length 1. Between opposite directions, no path is the shortest, and any may be returned.

    Raises:
        UserError: If the shapes are wrong, or values are not finite or 0 in a whole row.

    Examples:
        >>> from ganlib.metrics.path_length import slerp
        >>> slerp([[1.0, 0.0]], [[0.0, 2.0]], 1 / 3).round(3)
        array([[0.866, 0.5  ]])
    """
    a, b = _unit_rows(a, "a"), _unit_rows(b, "b")
    t = np.asarray(t, np.float64)
    if a.shape != b.shape or t.shape not in ((), (len(a),)):
        raise UserError(
            f"expected latents of one shape (n, latent_dim) and t of shape () or (n,), got {a.shape}, {b.shape}, {t.shape}"
        )
    cosines = np.sum(a * b, axis=1, keepdims=True)
    across = b - cosines * a  # the part of b that is orthogonal to a
    sines = np.linalg.norm(across, axis=1, keepdims=True)
    angles = t[..., None] * np.arctan2(sines, cosines)  # as arccos(cosines), but precise for small angles
    return _unit_rows(a * np.cos(angles) + across / np.where(sines == 0, 1.0, sines) * np.sin(angles), "interpolations")


def _unit_rows(latents, name):
    """Divides each row of ``(n, latent_dim)`` latents by its length."""
    latents = np.asarray(latents, np.float64)
    lengths = np.linalg.norm(latents, axis=-1, keepdims=True)
    if latents.ndim != 2 or not np.isfinite(latents).all() or not lengths.all():
        raise UserError(f"{name} must be finite latents (n, latent_dim), not 0 in a whole row, got {latents.shape}")
    return latents / lengths


def _path_length(model, extractor, samples, seed, real_labels):
    from ganlib.evaluation import path_length as of_generator

    return of_generator.compute(model, extractor, samples, seed, real_labels)


METRICS = {
    "ppl": Metric(
        {"ppl": Result("PPL", "{:.2f}")},
        _path_length,
        inputs="generator",
        against=(),
        needs=("float32",),
        parameters={"space": "z", "epsilon": EPSILON},
    )
}
