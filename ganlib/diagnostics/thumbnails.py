"""Small gray versions of images, which are nearly equal for copies that were compressed, resized or brightened."""

import hashlib

import numpy as np
import tensorflow as tf

SIZE = 16
"""The height and width of a thumbnail; smaller images keep theirs."""
NEARLY_EQUAL = 0.002
"""The largest distance of nearly identical images. JPEG compression and a change of brightness by 10 % stay below it for most
images of CIFAR-10, Fashion-MNIST and MNIST. Of the different images of these sets, fewer than one in a thousand has such a
neighbor; of 2,024 photos of solar cells, which are all alike, one in a hundred."""
MAX_PRODUCTS = 10**8
"""The largest number of pairs that are compared. Of a larger set, random images are compared with all others."""
BATCH = 256


def thumbnails(images):
    """Computes thumbnails whose mean is 0 and whose length is 1.

    Args:
        images: ``(n, height, width, channels)`` uint8.

    Returns:
        ``(n, F)`` float32. Rows of single-colored images are 0.
    """
    size = [min(SIZE, side) for side in images.shape[1:3]]
    rows = [_averaged(images[start : start + BATCH], size) for start in range(0, len(images), BATCH)]
    rows = np.concatenate([np.zeros((0, size[0] * size[1]), np.float32), *rows])
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 1.0, lengths, np.inf)


def _averaged(images, size):
    gray = tf.reduce_mean(tf.cast(images, tf.float32), axis=-1, keepdims=True)
    return tf.image.resize(gray, size, method="area").numpy().reshape(len(images), -1)


def nearest(queries, others, excluded=None, seed=0):
    """Finds the nearest thumbnail of each query.

    Args:
        queries: ``(n, F)`` float32 thumbnails.
        others: ``(m, F)`` float32 thumbnails.
        excluded: ``(n,)`` int64, an index in ``others`` that is not an answer for each query, such as the query itself.
            Defaults to None.
        seed: An integer that determines which queries are compared if there are too many pairs. Defaults to 0.

    Returns:
        ``(indices, neighbors, distances)``: the indices of the compared queries, those of their nearest others, and 1 minus
        their correlation. Single-colored images have no direction, so their distance is 1.
    """
    count = min(len(queries), max(1, MAX_PRODUCTS // max(len(others), 1)))
    compared = np.sort(np.random.default_rng(seed).permutation(len(queries))[:count])
    neighbors, distances = np.zeros(count, np.int64), np.ones(count, np.float32)
    for start in range(0, count if len(others) else 0, BATCH):
        block = compared[start : start + BATCH]
        products = queries[block] @ others.T
        if excluded is not None:
            products[np.arange(len(block)), excluded[block]] = -1.0
        neighbors[start : start + BATCH] = products.argmax(axis=1)
        distances[start : start + BATCH] = 1.0 - products.max(axis=1)
    return compared, neighbors, distances


def digests(images):
    """Returns hashes of images that are equal if all pixels are.

    Args:
        images: ``(n, height, width, channels)`` uint8.

    Returns:
        A list of n bytes objects.
    """
    return [hashlib.sha256(np.ascontiguousarray(image)).digest() for image in images]
