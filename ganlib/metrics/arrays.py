"""What every measure does with its input: checks of features and probabilities, and blocks of distances."""

import logging

import numpy as np

from ganlib.errors import UserError

BLOCK_ROWS = 1024
"""Rows of a block of distances: 1,024 against 50,000 in float64 are 400 MB."""


log = logging.getLogger("ganlib")


def checked_features(real, fake, at_least=2):
    """``(n, F)`` and ``(m, F)`` arrays as float64; warns of features that are the same for all images of a set.

    Raises:
        UserError: for other shapes, fewer than ``at_least`` rows, or numbers that are not finite.
    """
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1] or min(len(real), len(fake)) < at_least:
        raise UserError(f"expected features (n, F) and (m, F) with n, m >= {at_least}, got {real.shape} and {fake.shape}")
    for name, features in (("real", real), ("fake", fake)):
        check_finite(features, f"{name} features")
        warn_if_constant(features, name)
    return real, fake


def warn_if_constant(features, name):
    """Warns if all rows of ``(n, F)`` features are the same, as of a dead network or a generator of a single image."""
    if len(features) > 1 and np.all(features == features[0]):
        log.warning("all %d %s images have the same features: the network is dead, or they are alike", len(features), name)


def check_probabilities(probabilities):
    """Raises `UserError` unless each row of ``(n, num_classes)`` is finite, without negative numbers and of sum 1."""
    check_finite(probabilities, "rows of probabilities")
    if len(probabilities) and (probabilities.min() < 0 or np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3):
        raise UserError("each row of probabilities must sum to 1 and hold no negative number: pass them through a softmax")


def check_labels(labels, num_classes):
    """Raises `UserError` unless ``(n,)`` labels are integers in ``[0, num_classes)``."""
    if labels.dtype.kind not in "iu" or (len(labels) and not 0 <= labels.min() <= labels.max() < num_classes):
        reach = f"from {labels.min()} to {labels.max()}" if len(labels) and labels.dtype.kind in "biuf" else "none"
        raise UserError(f"labels must be integers from 0 to {num_classes - 1}, got {labels.dtype} {reach}")


def check_finite(values, name):
    """Raises `UserError` naming the first row that holds a value which is not finite."""
    bad = np.flatnonzero(~np.isfinite(values).all(axis=tuple(range(1, values.ndim))))
    if len(bad):
        raise UserError(f"{len(bad)} of {len(values)} {name} are not finite, the first in row {bad[0]}: leave those images out")


def distance_blocks(first, second):
    """Blocks of the squared Euclidean distances between the rows of two sets, as they are made.

    They come from a matrix product, in float64, of features moved so that ``second`` has mean 0: features that are
    far from 0 and close together would lose their digits.

    Args:
        first: ``(n, F)`` float64.
        second: ``(m, F)`` float64.

    Yields:
        ``(rows, distances)``: a slice of ``first``'s rows and the ``(rows, m)`` float64 squared distances from them.
    """
    center = second.mean(axis=0)
    first, second = first - center, second - center
    norms = np.einsum("ij,ij->i", second, second)
    for start in range(0, len(first), BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, len(first)))
        block = first[rows]
        distances = block @ second.T
        distances *= -2.0
        distances += norms
        distances += np.einsum("ij,ij->i", block, block)[:, None]
        yield rows, np.maximum(distances, 0.0, out=distances)


def neighbor_radii(features, k):
    """The squared distance from each row to its ``k``-th nearest other row: ``(n,)`` float64.

    Raises:
        UserError: if there are not more than ``k`` rows, or ``k`` is less than 1.
    """
    if not 1 <= k < len(features):
        raise UserError(f"k={k} nearest neighbors need at least {max(k, 1) + 1} images and k >= 1, got {len(features)} images")
    radii = np.empty(len(features))
    for rows, distances in distance_blocks(features, features):
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = -1.0  # itself comes first
        radii[rows] = np.partition(distances, k, axis=1)[:, k]
    return radii
