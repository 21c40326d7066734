"""Computes all metrics of generated images in one pass: each image goes through the feature network once."""

import collections
import dataclasses
import importlib
import pathlib

import keras
import numpy as np
import tensorflow as tf

from ganlib import registry, versions
from ganlib.errors import UserError, choose
from ganlib.metrics import cache
from ganlib.metrics.arrays import each_warning_once, warn_if_constant
from ganlib.metrics.frechet import Moments
from ganlib.metrics.metric import described

KEPT = 10_000
"""The default number of images whose features are kept, for metrics that compare images pairwise."""

BLOCK = 4096
"""The number of images whose features are added to the moments at a time. Adding each batch, which has only a few images of a
class, would take far longer.
"""


@dataclasses.dataclass
class Statistics:
    """The statistics of a set of images from which metrics are computed.

    Attributes:
        moments: The `Moments` of the features of all images.
        features: ``(min(n, kept), F)`` float32 features of the first images.
        probabilities: ``(n, num_classes)`` float32 of all images, or None.
        by_class: A dict from labels to the `Moments` of that class; empty for images without labels, or if not requested.
        label_counts: A dict from labels to the number of images; empty for images without labels.
    """

    moments: Moments
    features: np.ndarray
    probabilities: np.ndarray | None
    by_class: dict
    label_counts: dict = dataclasses.field(default_factory=dict)


def gather(extractor, batches, by_class=True, kept=None):
    """Computes the `Statistics` of batches of images.

    Args:
        extractor: A `ganlib.metrics.extractor.FeatureExtractor`.
        batches: An iterable of ``(images, labels)``: ``(n, height, width, channels)`` uint8, and ``(n,)`` integers or None. Its
            order should be random, since some metrics use only the first images.
        by_class: Whether to compute the moments of each class, which ``intra_fid`` needs. They take ``8 F^2`` bytes per class:
            34 GB for 1,000 classes and 2,048 features. Defaults to True.
        kept: The number of images whose features are kept. Defaults to None, which keeps `KEPT`.

    Raises:
        UserError: If there are no images.
    """
    kept, moments, moments_by_class, counts = KEPT if kept is None else kept, None, {}, collections.Counter()
    kept_features, all_probabilities = [], []
    for features, probabilities, labels in _blocks(extractor, batches):
        moments = moments or Moments(features.shape[1])
        kept_features.append(features[: max(0, kept - moments.count)])
        all_probabilities.append(probabilities)
        moments.add(features)
        if labels is not None:
            counts.update(labels.tolist())
        for label in () if labels is None or not by_class else np.unique(labels):
            moments_by_class.setdefault(int(label), Moments(len(moments.mean))).add(features[labels == label])
    if not moments:
        raise UserError("no images to evaluate: pass at least one batch")
    return Statistics(moments, _joined(kept_features), _joined(all_probabilities), moments_by_class, dict(counts))


def _blocks(extractor, batches):
    """Yields ``(features, probabilities, labels)`` of batches of images, joined into blocks of `BLOCK` images or more."""
    parts, missing = [], BLOCK
    for images, labels in batches:
        parts.append((*extractor(images), labels))
        missing -= len(images)
        if missing <= 0:
            yield tuple(map(_joined, zip(*parts, strict=True)))
            parts, missing = [], BLOCK
    if parts:
        yield tuple(map(_joined, zip(*parts, strict=True)))


def _joined(arrays):
    """Concatenates arrays; returns None if there are none, as for images without labels."""
    return None if arrays[0] is None else np.concatenate(arrays)


def gather_cached(extractor, batches, key, folder=None, by_class=True, kept=None):
    """Computes the `Statistics` of real images without probabilities, and caches them on disk: see `gather`.

    Args:
        extractor: A `ganlib.metrics.extractor.FeatureExtractor`.
        batches: A function without arguments that returns the batches for `gather`; called only if nothing is cached.
        key: A tuple that identifies the images; its first two elements become part of the file name.
        folder: The folder of the cache; None uses `ganlib.metrics.cache.default_folder`. Defaults to None.
        by_class: See `gather`. Defaults to True.
        kept: See `gather`. Defaults to None.
    """
    kept = KEPT if kept is None else kept

    def compute():
        statistics = gather(extractor, batches(), by_class, kept)
        arrays = {f"all_{name}": value for name, value in statistics.moments.state().items()}
        for label, moments in statistics.by_class.items():
            arrays |= {f"class_{label}_{name}": value for name, value in moments.state().items()}
        counts = np.array(sorted(statistics.label_counts.items()), np.int64).reshape(-1, 2)
        return arrays | {"features": statistics.features, "label_counts": counts}

    versions_of_code = versions.of_code("metrics/evaluate.py", "metrics/frechet.py"), tf.__version__, keras.__version__
    arrays = cache.arrays(folder, (*key, extractor.name, extractor.version, kept, by_class, *versions_of_code), compute)
    labels = sorted({int(name.split("_")[1]) for name in arrays if name.startswith("class_")})
    moments_by_class = {label: _restore_moments(arrays, f"class_{label}_") for label in labels}
    counts = {int(label): int(count) for label, count in arrays["label_counts"]}
    return Statistics(_restore_moments(arrays, "all_"), arrays["features"], None, moments_by_class, counts)


def measure(names, real, fake, seed=0, **others):
    """Computes metrics from `Statistics`.

    Args:
        names: A list of keys of `METRICS`, of metrics that are computed from features.
        real: The statistics of the ``(n, F)`` features of real images.
        fake: The statistics of the features of generated images.
        seed: An integer that determines the subsets of the kernel distance. Defaults to 0.
        **others: The statistics of the other sets that metrics compare with, ``training`` or ``test``: see
            `ganlib.metrics.metric.Metric`.

    Returns:
        A dict from result names to floats.

    Raises:
        UserError: If a name is unknown, or the feature network or the data does not support a metric.
    """
    metrics = {name: metric_of(name) for name in names}
    sets = {"real": real, **others}
    for name, metric in metrics.items():
        missing = [other for other in metric.against if other not in sets]
        if missing:
            raise UserError(f"{name} needs the {missing[0]} images: pass their statistics as {missing[0]}, or omit it")
    results = {}
    with each_warning_once():
        for name, statistics in (("real", real), ("fake", fake)):
            warn_if_constant(statistics.features, name)
        for metric in metrics.values():
            results |= metric.compute(*(sets[other] for other in metric.against), fake, seed)
    return results


def _discover():
    """Returns the metrics of all files in this folder that define `METRICS`."""
    metrics = {}
    for name in registry.modules_with(pathlib.Path(__file__).parent, r"^METRICS = \{"):
        metrics |= importlib.import_module(f"ganlib.metrics.{name}").METRICS
    return metrics


METRICS = _discover()
"""Name -> `ganlib.metrics.metric.Metric`. A function with the signature of `Metric.compute` is also accepted."""

MEASURES = METRICS
"""The name of `METRICS` in earlier versions."""


def metric_of(name):
    """Returns the `ganlib.metrics.metric.Metric` of this name.

    Raises:
        UserError: If there is none.
    """
    return described(choose("metric", name, METRICS))


def results_to_show():
    """Returns the `ganlib.metrics.metric.Result` of every number that tables and curves show, a dict by key."""
    return {key: result for metric in METRICS.values() for key, result in described(metric).results.items()}


def _restore_moments(arrays, prefix):
    return Moments.from_state({name: arrays[prefix + name] for name in Moments.STATE})
