"""Computes all metrics of generated images in one pass: each image goes through the feature network once."""

import dataclasses
import importlib
import logging
import pathlib

import numpy as np

from ganlib import registry, versions
from ganlib.errors import UserError, choose
from ganlib.metrics import cache
from ganlib.metrics.arrays import warn_if_constant
from ganlib.metrics.frechet import Moments

KEPT = 10_000
"""The number of images whose features are kept, for metrics that compare images pairwise."""


@dataclasses.dataclass
class Statistics:
    """The statistics of a set of images from which metrics are computed.

    Attributes:
        moments: The `Moments` of the features of all images.
        features: ``(min(n, KEPT), F)`` float32 features of the first images.
        probabilities: ``(n, num_classes)`` float32 of all images, or None.
        by_class: A dict from labels to the `Moments` of that class; empty for images without labels.
    """

    moments: Moments
    features: np.ndarray
    probabilities: np.ndarray | None
    by_class: dict


def gather(extractor, batches):
    """Computes the `Statistics` of batches of images.

    Args:
        extractor: A `ganlib.metrics.extractor.FeatureExtractor`.
        batches: An iterable of ``(images, labels)``: ``(n, height, width, channels)`` uint8, and ``(n,)`` integers or None. Its
            order should be random, since some metrics use only the first images.

    Raises:
        UserError: If there are no images.
    """
    moments, by_class, kept, probabilities, count = None, {}, [], [], 0
    for images, labels in batches:
        outputs = extractor(images)
        moments = moments or Moments(outputs.features.shape[1])
        moments.add(outputs.features)
        for label in () if labels is None else np.unique(labels):
            by_class.setdefault(int(label), Moments(len(moments.mean))).add(outputs.features[labels == label])
        kept.append(outputs.features[: max(0, KEPT - count)])
        probabilities.append(outputs.probabilities)
        count += len(images)
    if not count:
        raise UserError("no images to evaluate: pass at least one batch")
    all_probabilities = None if probabilities[0] is None else np.concatenate(probabilities)
    return Statistics(moments, np.concatenate(kept), all_probabilities, by_class)


def gather_cached(extractor, batches, key, folder=None):
    """Computes the `Statistics` of real images without probabilities, and caches them on disk: see `gather`.

    Args:
        extractor: A `ganlib.metrics.extractor.FeatureExtractor`.
        batches: A function without arguments that returns the batches for `gather`; called only if nothing is cached.
        key: A tuple that identifies the images; its first two elements become part of the file name.
        folder: The folder of the cache; None uses `ganlib.metrics.cache.default_folder`. Defaults to None.
    """

    def compute():
        statistics = gather(extractor, batches())
        arrays = {f"all_{name}": value for name, value in statistics.moments.state().items()}
        for label, moments in statistics.by_class.items():
            arrays |= {f"class_{label}_{name}": value for name, value in moments.state().items()}
        return arrays | {"features": statistics.features}

    code = versions.of_code("metrics/evaluate.py", "metrics/frechet.py")
    arrays = cache.arrays(folder, (*key, extractor.name, extractor.version, KEPT, code), compute)
    labels = sorted({int(name.split("_")[1]) for name in arrays if name.startswith("class_")})
    by_class = {label: _restore_moments(arrays, f"class_{label}_") for label in labels}
    return Statistics(_restore_moments(arrays, "all_"), arrays["features"], None, by_class)


def measure(names, real, fake, seed=0):
    """Computes metrics from two `Statistics`.

    Args:
        names: A list of keys of `METRICS`, of metrics that are computed from features.
        real: The statistics of the ``(n, F)`` features of real images.
        fake: The statistics of the features of generated images.
        seed: An integer that determines the subsets of the kernel distance. Defaults to 0.

    Returns:
        A dict from result names to floats.

    Raises:
        UserError: If a name is unknown, or the feature network or the data does not support a metric.
    """
    chosen = [choose("metric", name, METRICS) for name in names]
    for name, statistics in (("real", real), ("generated", fake)):
        warn_if_constant(statistics.features, name)
    all_moments = [statistics.moments for statistics in (real, fake)] if "fid" in names else []
    if "intra_fid" in names:
        all_moments += [*real.by_class.values(), *fake.by_class.values()]
    num_images, num_features = min((moments.count for moments in all_moments), default=0), len(real.moments.mean)
    if all_moments and num_images <= num_features:
        message = (
            "%d images%s are too few for %d features: their covariance is singular and the FID far too high; compare it "
            "only with FIDs of the same number of images"
        )
        subset = " of a class" if "intra_fid" in names else ""
        logging.getLogger("ganlib").warning(message, num_images, subset, num_features)
    results = {}
    for metric in chosen:
        results |= getattr(metric, "compute", metric)(real, fake, seed)
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


def results_to_show():
    """Returns the `ganlib.metrics.metric.Result` of every number that tables and curves show, a dict by key."""
    return {key: result for metric in METRICS.values() for key, result in getattr(metric, "results", {}).items()}


def _restore_moments(arrays, prefix):
    return Moments.from_state({name: arrays[prefix + name] for name in Moments.STATE})
