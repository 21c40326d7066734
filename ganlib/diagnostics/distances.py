"""Distances between sets of images that are reduced to a few pixels."""

import numpy as np

BATCH = 512


def pairwise(first, second):
    """Computes Euclidean distances: ``(n, F)`` and ``(m, F)`` -> ``(n, m)`` float32."""
    squares = np.square(first).sum(axis=1)[:, None] + np.square(second).sum(axis=1) - 2.0 * first @ second.T
    return np.sqrt(np.maximum(squares, 0.0))


def mean_distance(images):
    """Returns the mean distance between two different images: ``(n, F)`` -> a float."""
    count = len(images)
    return float(pairwise(images, images).sum(dtype=np.float64) / max(count * (count - 1), 1))


def nearest(queries, others, count=1):
    """Finds the nearest others of each query, the nearest first: ``(n, F)`` and ``(m, F)`` -> ``(n, count)`` integers and
    ``(n, count)`` float32 distances.
    """
    indices, distances = [], []
    for start in range(0, len(queries), BATCH):
        block = pairwise(queries[start : start + BATCH], others)
        order = np.argpartition(block, min(count, block.shape[1]) - 1, axis=1)[:, :count]
        order = np.take_along_axis(order, np.take_along_axis(block, order, axis=1).argsort(axis=1), axis=1)
        indices.append(order)
        distances.append(np.take_along_axis(block, order, axis=1))
    return np.concatenate(indices), np.concatenate(distances)


def neighbor_distance(images):
    """Returns the median distance of an image to its nearest neighbor: ``(n, F)`` -> a float."""
    return float(np.median(nearest(images, images, 2)[1][:, -1]))


def vote(images, others, labels, neighbors=5, excludes_nearest=False):
    """Returns the class that most of the nearest others of each image have.

    Args:
        images: ``(n, F)`` float32.
        others: ``(m, F)`` float32.
        labels: ``(m,)`` integers, the classes of the others.
        neighbors: The number of others that vote. Defaults to 5.
        excludes_nearest: Whether the nearest one, which may be the image itself, has no vote. Defaults to False.

    Returns:
        ``(n,)`` integers. Of classes with as many votes, it is the lowest.
    """
    indices, _ = nearest(images, others, neighbors + excludes_nearest)
    votes = labels[indices[:, int(excludes_nearest) :]]
    return (votes[:, :, None] == np.arange(labels.max() + 1)).sum(axis=1).argmax(axis=1)


def energy_distance(first, second, within=None):
    """Returns the energy distance of two distributions, as a share of the mean distance between two images of ``second``.

    Székely & Rizzo 2013, "Energy statistics": 2 E|X - Y| - E|X - X'| - E|Y - Y'|. It is about 0 if the distributions are equal.

    Args:
        first: ``(n, F)`` float32.
        second: ``(m, F)`` float32, such as real images.
        within: The mean distance between two images of ``second``. Defaults to None, which computes it.
    """
    within = mean_distance(second) if within is None else within
    return float((2.0 * pairwise(first, second).mean(dtype=np.float64) - mean_distance(first) - within) / max(within, 1e-12))
