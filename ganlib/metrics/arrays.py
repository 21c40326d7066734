"""Functions shared by the metrics: checks of features, labels and probabilities, and blocks of distances."""

import contextlib
import logging

import numpy as np

from ganlib.errors import UserError

ROUNDING = 1e-12
"""Squared distances below this fraction of the squared lengths of two vectors are rounding errors of identical vectors."""

BLOCK_ROWS, BLOCK_SIZE = 1024, 20_000_000
"""The largest number of rows and of distances in a block. 20 million in float64 take 160 MB."""

log = logging.getLogger("ganlib")


def checked_features(real, fake, at_least=2):
    """Validates features and converts them to float64: ``(n, F)`` and ``(m, F)``. Warns if all features of a set are identical.

    Args:
        real: ``(n, F)`` features of real images.
        fake: ``(m, F)`` features of generated images.
        at_least: The minimum number of rows. Defaults to 2.

    Raises:
        UserError: If the shapes are wrong, there are too few rows, or values are not finite.
    """
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1] or min(len(real), len(fake)) < at_least:
        raise UserError(f"expected features (n, F) and (m, F) with n, m >= {at_least}, got {real.shape} and {fake.shape}")
    for name, features in (("real", real), ("fake", fake)):
        check_finite(features, f"{name} features")
        warn_if_constant(features, name)
    return real, fake


def warn_if_constant(features, name):
    """Warns if all rows of ``(n, F)`` features are identical, as for a dead network or a collapsed generator."""
    if len(features) > 1 and np.all(features == features[0]):
        log.warning(
            "all %d %s images have identical features: the network is dead, or the images are identical", len(features), name
        )


@contextlib.contextmanager
def each_warning_once():
    """Logs a warning only once, although several metrics check the same features."""
    messages = set()

    def is_new(record):
        is_known = record.getMessage() in messages
        messages.add(record.getMessage())
        return not is_known

    log.addFilter(is_new)
    try:
        yield
    finally:
        log.removeFilter(is_new)


def check_probabilities(probabilities):
    """Raises a `UserError` unless each row of ``(n, num_classes)`` is finite, nonnegative and sums to 1."""
    check_finite(probabilities, "rows of probabilities")
    if len(probabilities) and (probabilities.min() < 0 or np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3):
        raise UserError("each row of probabilities must sum to 1 without negative values: apply a softmax")


def check_labels(labels, num_classes):
    """Raises a `UserError` unless ``(n,)`` labels are integers in ``[0, num_classes)``."""
    if labels.dtype.kind not in "iu" or (len(labels) and not 0 <= labels.min() <= labels.max() < num_classes):
        value_range = f"from {labels.min()} to {labels.max()}" if len(labels) and labels.dtype.kind in "biuf" else "none"
        raise UserError(f"labels must be integers from 0 to {num_classes - 1}, got {labels.dtype} {value_range}")


def check_finite(values, name):
    """Raises a `UserError` that names the first row with a value that is not finite."""
    bad = np.flatnonzero(~np.isfinite(values).all(axis=tuple(range(1, values.ndim))))
    if len(bad):
        raise UserError(f"{len(bad)} of {len(values)} {name} are not finite, the first in row {bad[0]}: exclude these images")


def distance_blocks(first, second):
    """Yields blocks of the squared Euclidean distances between the rows of two sets.

    They are computed by a matrix product in float64, after centering the features on the mean of ``second``: features that are
    far from 0 and close together would lose precision. The distance of identical rows is exactly 0.

    Args:
        first: ``(n, F)`` float64.
        second: ``(m, F)`` float64.

    Yields:
        ``(rows, distances)``: a slice of the rows of ``first`` and their ``(rows, m)`` float64 squared distances.
    """
    center = second.mean(axis=0)
    second = second - center
    norms = np.einsum("ij,ij->i", second, second)
    num_rows = max(1, min(BLOCK_ROWS, BLOCK_SIZE // len(second)))
    for start in range(0, len(first), num_rows):
        rows = slice(start, min(start + num_rows, len(first)))
        block = first[rows] - center
        lengths = norms + np.einsum("ij,ij->i", block, block)[:, None]
        distances = block @ second.T
        distances *= -2.0
        distances += lengths
        distances[distances <= ROUNDING * lengths] = 0.0
        yield rows, distances


def neighbor_radii(features, k):
    """Returns the squared distance from each row to its ``k``-th nearest other row: ``(n,)`` float64.

    Args:
        features: ``(n, F)`` float64.
        k: The index of the neighbor, starting from 1.

    Raises:
        UserError: If ``k`` is less than 1 or there are no more than ``k`` rows.
    """
    if not 1 <= k < len(features):
        raise UserError(f"k={k} nearest neighbors need at least {max(k, 1) + 1} images and k >= 1, got {len(features)} images")
    radii = np.empty(len(features))
    for rows, distances in distance_blocks(features, features):
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = -1.0  # the row itself sorts first
        radii[rows] = np.partition(distances, k, axis=1)[:, k]
    return radii


def is_inside(distances, radii, including_border):
    """Returns which squared distances are within squared radii, in spite of rounding.

    Args:
        distances: ``(n, m)`` float64.
        radii: Float64 of a shape that broadcasts with it.
        including_border: Whether a distance equal to the radius is inside.
    """
    return distances <= radii * (1.0 + 1e-9) if including_border else distances < radii * (1.0 - 1e-9)


def equally_many(real, fake):
    """Returns ``(n, F)`` features of real and of generated images with the same n, on which some metrics depend."""
    count = min(len(real.features), len(fake.features))
    return real.features[:count], fake.features[:count]


def smaller_number(*numbers):
    """Returns the smallest of the numbers of images for each set, as `equally_many` uses them."""
    return [min(numbers)] * len(numbers)


def directions(features):
    """Divides each row of ``(n, F)`` features by its length: ``(n, F + 1)`` float64 rows of length 1.

    Rows that are all 0 have no direction. They get one of their own, the last column: they are identical to each other, and
    orthogonal to all other rows.
    """
    features = np.asarray(features, np.float64)
    is_zero = ~np.any(features != 0, axis=1, keepdims=True)
    features = np.concatenate([features, is_zero], axis=1)
    return features / np.linalg.norm(features, axis=1, keepdims=True)
