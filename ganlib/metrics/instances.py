"""Features of images and their nearest neighbors, the training data of `ganlib.networks.instance`.

Casanova et al. 2021, "Instance-conditioned GAN" (arXiv:2109.05070).
"""

import logging
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ganlib import versions
from ganlib.errors import UserError
from ganlib.metrics import cache, features
from ganlib.networks.instance import unit_length

BATCH_SIZE = 256


class Instances(NamedTuple):
    """The features and neighbors of the images of a source, in their order.

    Attributes:
        features: ``(n, F)`` float32 of length 1.
        neighbors: ``(n, k)`` int32, the indices of the nearest images, nearest first; each image is its own first neighbor.
    """

    features: np.ndarray
    neighbors: np.ndarray

    def chosen(self, count, seed=0):
        """Returns the features of randomly chosen images, ``(count, F)``; if there are too few, they are repeated.

        Args:
            count: The number of images.
            seed: An integer that determines the choice. Defaults to 0.
        """
        order = np.random.default_rng(seed).permutation(len(self.features))
        return self.features[np.resize(order, count)]


def prepare(source, extractor, neighbors=50, cache_dir=None):
    """Returns the `Instances` of a source, from the cache, or computes them by an exact search and stores them.

    Args:
        source: A `ganlib.data.Source` that is not streamed.
        extractor: A `ganlib.metrics.features` extractor.
        neighbors: The number of neighbors of each image, including itself; the paper uses 50 for ImageNet. Defaults to 50.
        cache_dir: The folder of the cache; None uses `ganlib.metrics.cache.default_folder`. Defaults to None.

    Raises:
        UserError: If the source is streamed, or has fewer images than neighbors.
    """
    source.check_not_streamed("neighbors of its images cannot be read")
    if not 1 <= neighbors <= source.num_examples:
        raise UserError(f"neighbors must be from 1 to {source.num_examples}, the images of {source.name}, got {neighbors}")
    key = (
        "instances",
        *cache.key_of(source),
        extractor.name,
        extractor.version,
        neighbors,
        versions.of_code("metrics/instances.py"),
    )
    return Instances(**cache.arrays(cache_dir, key, lambda: _compute(source, extractor, neighbors)))


def extractor_of(run, source):
    """Returns the feature network of a run of an instance-conditioned GAN. Warns if it differs from that used in training.

    Args:
        run: A `ganlib.runs.Run`.
        source: The training images, on which the network may depend.
    """
    extractor, trained_with = features.get(run.instances.features, source), run.facts.get("instance_features")
    if trained_with not in (None, extractor.version):
        message = "features %s have version %s, but the GAN was trained with %s: its images may not resemble the given ones"
        logging.getLogger("ganlib").warning(message, extractor.name, extractor.version, trained_with)
    return extractor


def features_of(extractor, images):
    """Computes features of length 1: ``(n, height, width, channels)`` uint8 -> ``(n, F)`` float32."""
    return unit_length(extractor(images).features)


def _compute(source, extractor, neighbors):
    starts = tqdm(range(0, source.num_examples, BATCH_SIZE), desc=f"features of {source.name}", unit=f"x{BATCH_SIZE}")
    batches = (source.pick(np.arange(start, min(start + BATCH_SIZE, source.num_examples))) for start in starts)
    features = np.concatenate([features_of(extractor, images) for images in batches])
    return {"features": features, "neighbors": nearest(features, neighbors)}


def nearest(features, count):
    """Finds the nearest vectors of each vector by matrix products.

    scikit-learn's exact search, in float64, took 2.7 times as long for 4,000 vectors of 6,272 numbers on one core.

    Args:
        features: ``(n, F)`` float32 of length 1.
        count: The number of neighbors, including the vector itself.

    Returns:
        ``(n, count)`` int32 indices, nearest first. The first is the vector itself.
    """
    all_features, indices = tf.constant(features), []
    for start in tqdm(range(0, len(features), BATCH_SIZE), desc=f"{count} neighbors", unit=f"x{BATCH_SIZE}"):
        cosines = tf.matmul(features[start : start + BATCH_SIZE], all_features, transpose_b=True)
        rows = tf.range(len(cosines))
        cosines = tf.tensor_scatter_nd_update(cosines, tf.stack([rows, rows + start], axis=1), tf.fill([len(cosines)], 2.0))
        indices.append(tf.math.top_k(cosines, count).indices.numpy())
    return np.concatenate(indices)
