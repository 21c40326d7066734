"""The features of images and which images are their neighbors: what `ganlib.networks.instance` learns from.

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
    """Of the images of a source, in their order:

    Attributes:
        features: ``(n, F)`` float32 of length 1.
        neighbors: ``(n, k)`` int32, the numbers of the nearest images, nearest first; an image is its own first neighbor.
    """

    features: np.ndarray
    neighbors: np.ndarray

    def chosen(self, count, seed=0):
        """``(count, F)``: the features of images chosen by a seed; all in turn, where there are too few."""
        order = np.random.default_rng(seed).permutation(len(self.features))
        return self.features[np.resize(order, count)]


def prepare(source, extractor, neighbors=50, cache_dir=None):
    """The `Instances` of a source, from the cache or found by an exact search and put there.

    Args:
        source: a `ganlib.data.Source` that is not streamed.
        extractor: a `ganlib.metrics.features` extractor.
        neighbors: how many each image has, itself included; the paper has 50 of ImageNet's images.
        cache_dir: None takes `ganlib.metrics.cache.default_folder`.

    Raises:
        UserError: for a streamed source, or more neighbors than images.
    """
    source.check_not_streamed("neighbors of its images cannot be read")
    if not 1 <= neighbors <= source.num_examples:
        raise UserError(f"neighbors must be from 1 to the {source.num_examples} images of {source.name}, got {neighbors}")
    key = (
        "instances",
        *cache.key_of(source),
        extractor.name,
        extractor.version,
        neighbors,
        versions.of_code("metrics/instances.py"),
    )
    return Instances(**cache.arrays(cache_dir, key, lambda: _find(source, extractor, neighbors)))


def extractor_of(run, source):
    """The feature network of a run of a GAN that is conditioned on instances; warns if it is not that of the training.

    Args:
        run: a `ganlib.runs.Run`.
        source: the images that it was trained on, on which the network may depend.
    """
    extractor, trained_with = features.get(run.instances.features, source), run.facts.get("instance_features")
    if trained_with not in (None, extractor.version):
        logging.getLogger("ganlib").warning(
            "the features %s are of version %s, and the GAN was trained with %s: its images may not be like those given",
            extractor.name, extractor.version, trained_with,
        )  # fmt: skip
    return extractor


def features_of(extractor, images):
    """``(n, height, width, channels)`` uint8 -> ``(n, F)`` float32 features of length 1."""
    return unit_length(extractor(images).features)


def _find(source, extractor, neighbors):
    starts = tqdm(range(0, source.num_examples, BATCH_SIZE), desc=f"features of {source.name}", unit=f"x{BATCH_SIZE}")
    batches = (source.pick(np.arange(start, min(start + BATCH_SIZE, source.num_examples))) for start in starts)
    features = np.concatenate([features_of(extractor, images) for images in batches])
    return {"features": features, "neighbors": nearest(features, neighbors)}


def nearest(features, count):
    """The nearest of all vectors to each of them, by products of matrices.

    scikit-learn's exact search, in float64, took 2.7 times as long for 4,000 vectors of 6,272 numbers on one core.

    Args:
        features: ``(n, F)`` float32 of length 1.
        count: how many, itself included.

    Returns:
        ``(n, count)`` int32, nearest first, of which the first is the vector itself.
    """
    everything, found = tf.constant(features), []
    for start in tqdm(range(0, len(features), BATCH_SIZE), desc=f"{count} neighbors", unit=f"x{BATCH_SIZE}"):
        cosines = tf.matmul(features[start : start + BATCH_SIZE], everything, transpose_b=True)
        rows = tf.range(len(cosines))
        cosines = tf.tensor_scatter_nd_update(cosines, tf.stack([rows, rows + start], axis=1), tf.fill([len(cosines)], 2.0))
        found.append(tf.math.top_k(cosines, count).indices.numpy())
    return np.concatenate(found)
