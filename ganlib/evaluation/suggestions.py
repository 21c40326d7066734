"""Suggests the images to label next."""

import dataclasses
import warnings

import numpy as np
import tensorflow as tf
import tqdm

from ganlib.errors import UserError

BATCH = 32
NEIGHBORS = 20
"""The number of nearest neighbors that determine how typical an image is, as in TypiClust."""
MAX_CANDIDATES = 50_000
"""The largest number of images among which suggestions are selected. Of more images, a random subset is used."""
MAX_IN_CLUSTER = 5_000
"""The largest number of images of a cluster whose distances are computed."""


@dataclasses.dataclass(frozen=True)
class Suggestions:
    """Images to label next, the most uncertain first.

    Attributes:
        indices: ``(n,)`` int64, their indices in the source.
        predictions: ``(n,)`` int64, the predicted classes.
        probabilities: ``(n,)`` floats, the probabilities of these classes.
        uncertainties: ``(n,)`` floats in ``[0, 1]``: 1 minus the difference between the two largest probabilities.
    """

    indices: np.ndarray
    predictions: np.ndarray
    probabilities: np.ndarray
    uncertainties: np.ndarray


def suggest(classifier, source, indices, count, seed=0, encode=None):
    """Selects images to label next: uncertain and typical ones that differ from each other.

    The features of the candidates are divided into ``count`` clusters by k-means. From each cluster, the image with the largest
    product of its uncertainty and how typical it is of the cluster is selected. The uncertainty is 1 minus the difference
    between the two largest probabilities. An image is typical if its 20 nearest neighbors in the cluster are close: its
    typicality is the inverse of their mean distance (Hacohen et al. 2022, arXiv:2202.02794). An uncertain image that resembles
    no other teaches a classifier little, and neither do several images that resemble each other.

    Args:
        classifier: A `ganlib.Classifier`.
        source: A `ganlib.data.Source` of images.
        indices: ``(n,)`` int64 indices of the candidates in the source.
        count: The number of images to select, at least 1.
        seed: An integer that determines the clusters. Defaults to 0.
        encode: A function that converts a source of images to one of what the classifier takes, such as features. Defaults to
            None, for a classifier that takes images.

    Returns:
        `Suggestions` of ``count`` images, or of all candidates if these are fewer.

    Raises:
        UserError: If there are no candidates, or ``count`` is less than 1.
    """
    if count < 1:
        raise UserError(f"the number of suggestions must be at least 1, got {count}")
    if not len(indices):
        raise UserError(f"{source.name} has no image to label: all of them are labeled or held out")
    rng = np.random.default_rng(seed)
    if len(indices) > MAX_CANDIDATES:
        indices = np.sort(rng.choice(indices, MAX_CANDIDATES, replace=False))
    candidates = source.subset(indices)
    features, probabilities = _outputs(classifier, encode(candidates) if encode else candidates)
    second, first = np.sort(probabilities, axis=1)[:, -2:].T
    uncertainties = 1.0 - (first - second)
    chosen = _chosen(features, uncertainties, min(count, len(indices)), rng)
    chosen = chosen[np.argsort(-uncertainties[chosen], kind="stable")]
    return Suggestions(indices[chosen], probabilities.argmax(axis=1)[chosen], first[chosen], uncertainties[chosen])


def _outputs(classifier, source):
    """Returns ``(features, probabilities)`` of all images of a source. The features have length 1."""

    @tf.function(reduce_retracing=True)
    def compute(images):
        features = classifier.features(images)
        logits = classifier.class_logits(features) / classifier.temperature
        return tf.cast(features, tf.float32), tf.nn.softmax(logits)

    parts = []
    with tqdm.tqdm(total=source.num_examples, desc="classifying", unit=" images", mininterval=1.0) as progress:
        for start in range(0, source.num_examples, BATCH):
            block = np.arange(start, min(start + BATCH, source.num_examples))
            parts.append([output.numpy() for output in compute(tf.constant(source.pick(block)))])
            progress.update(len(block))
    features, probabilities = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12), probabilities.astype(np.float64)


def _chosen(features, uncertainties, count, rng):
    """Returns the positions of ``count`` images, one of each cluster."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # there are fewer clusters if images are equal
        clusters = KMeans(count, n_init=1, random_state=int(rng.integers(2**31))).fit(features).labels_
    chosen = []
    for cluster in np.unique(clusters):
        members = np.flatnonzero(clusters == cluster)
        if len(members) > MAX_IN_CLUSTER:
            members = np.sort(rng.choice(members, MAX_IN_CLUSTER, replace=False))
        chosen.append(members[np.argmax(uncertainties[members] * _typicality(features[members]))])
    others = np.setdiff1d(np.arange(len(features)), chosen)
    missing = others[np.argsort(-uncertainties[others], kind="stable")][: count - len(chosen)]
    return np.concatenate([chosen, missing]).astype(np.int64)


def _typicality(features):
    """Returns how typical each row is: the inverse of the mean distance to its `NEIGHBORS` nearest other rows.

    Distances below half their median count as half of it. Otherwise copies of one image would be chosen, however certain.
    """
    from sklearn.neighbors import NearestNeighbors

    count = min(NEIGHBORS, len(features) - 1)
    if not count:
        return np.ones(1)
    distances, _ = NearestNeighbors(n_neighbors=count).fit(features).kneighbors()  # without arguments: of other rows
    means = distances.mean(axis=1)
    return 1.0 / np.maximum(means, max(0.5 * np.median(means), 1e-6))
