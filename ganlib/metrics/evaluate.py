"""Every measure from one pass: each image goes through the feature network once, whatever is asked for."""

import dataclasses
import logging

import numpy as np

from ganlib import versions
from ganlib.errors import UserError, choose
from ganlib.metrics import cache
from ganlib.metrics.arrays import warn_if_constant
from ganlib.metrics.density_coverage import density_coverage
from ganlib.metrics.frechet import Moments
from ganlib.metrics.inception_score import inception_score
from ganlib.metrics.kernel import kernel_distance
from ganlib.metrics.precision_recall import precision_recall

KEPT = 10_000
"""Of so many images the features are kept, for the measures that compare images pair by pair."""


@dataclasses.dataclass
class Statistics:
    """What the measures need of a set of images.

    Attributes:
        moments: `Moments` of the features of all images.
        features: ``(min(n, KEPT), F)`` float32, of the first images.
        probabilities: ``(n, num_classes)`` float32 of all images, or None.
        by_class: label -> `Moments` of that class; empty for images without labels.
    """

    moments: Moments
    features: np.ndarray
    probabilities: np.ndarray | None
    by_class: dict


def gather(extractor, batches):
    """The `Statistics` of images that come in batches.

    Args:
        extractor: a `ganlib.metrics.extractor.FeatureExtractor`.
        batches: an iterable of ``(images, labels)``: ``(n, height, width, channels)`` uint8, and ``(n,)`` integers or
            None. Its order should be random, since of some measures only the first images count.

    Raises:
        UserError: if there are no images.
    """
    moments, by_class, kept, probabilities, count = None, {}, [], [], 0
    for images, labels in batches:
        seen = extractor(images)
        moments = moments or Moments(seen.features.shape[1])
        moments.add(seen.features)
        for label in () if labels is None else np.unique(labels):
            by_class.setdefault(int(label), Moments(len(moments.mean))).add(seen.features[labels == label])
        kept.append(seen.features[: max(0, KEPT - count)])
        probabilities.append(seen.probabilities)
        count += len(images)
    if not count:
        raise UserError("there are no images to measure")
    joined = None if probabilities[0] is None else np.concatenate(probabilities)
    return Statistics(moments, np.concatenate(kept), joined, by_class)


def gather_cached(extractor, batches, key, folder=None):
    """`gather` for real images, whose statistics are kept on disk; without probabilities.

    Args:
        extractor: a `ganlib.metrics.extractor.FeatureExtractor`.
        batches: a function without arguments that returns what `gather` takes; called if nothing is cached.
        key: a tuple that says which images these are; the first two parts name the file.
        folder: the cache's folder; None takes `ganlib.metrics.cache.default_folder`.
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
    by_class = {label: _restored(arrays, f"class_{label}_") for label in labels}
    return Statistics(_restored(arrays, "all_"), arrays["features"], None, by_class)


def measure(names, real, fake, seed=0):
    """Computes measures of two `Statistics`.

    Args:
        names: out of `MEASURES`.
        real: of real images: ``(n, F)`` features and what was made of them.
        fake: of generated ones.
        seed: an integer, for the subsets of the kernel distance.

    Returns:
        A dict from result names to floats.

    Raises:
        UserError: for an unknown name, or a measure that the feature network or the data does not allow.
    """
    functions = [choose("metric", name, MEASURES) for name in names]
    for name, statistics in (("real", real), ("generated", fake)):
        warn_if_constant(statistics.features, name)
    sets = [statistics.moments for statistics in (real, fake)] if "fid" in names else []
    if "intra_fid" in names:
        sets += [*real.by_class.values(), *fake.by_class.values()]
    num_images, num_features = min((moments.count for moments in sets), default=0), len(real.moments.mean)
    if sets and num_images <= num_features:
        logging.getLogger("ganlib").warning(
            "%d images%s are too few for %d features: their covariance is singular and the FID far too high; compare it "
            "only with FIDs of the same number of images",
            num_images, " of a class" if "intra_fid" in names else "", num_features,
        )  # fmt: skip
    results = {}
    for function in functions:
        results |= function(real, fake, seed)
    return results


def _fid(real, fake, seed):
    return {"fid": real.moments.distance(fake.moments)}


def _kid(real, fake, seed):
    result = kernel_distance(real.features, fake.features, seed=seed)
    return {"kid": result.mean, "kid_std": result.std}


def _inception_score(real, fake, seed):
    if fake.probabilities is None:
        raise UserError("the Inception score needs class probabilities, which this feature network has not: leave out 'is'")
    result = inception_score(fake.probabilities)
    return {"inception_score": result.mean, "inception_score_std": result.std}


def _precision_recall(real, fake, seed):
    return precision_recall(*_as_many(real, fake))._asdict()


def _density_coverage(real, fake, seed):
    return density_coverage(*_as_many(real, fake))._asdict()


def _intra_fid(real, fake, seed):
    """The mean over classes of each class's FID: Miyato & Koyama 2018 (arXiv:1802.05637), section 4."""
    if not real.by_class or not fake.by_class:
        raise UserError("intra_fid needs labeled data and a conditional GAN of the same classes: leave it out")
    for name, some, others in (("generated", fake, real), ("real", real, fake)):
        few = sorted(label for label in others.by_class if label not in some.by_class or some.by_class[label].count < 2)
        if few:
            raise UserError(f"intra_fid needs 2 images of each class, and class {few[0]} has fewer {name} ones: measure more "
                            "images, or leave it out")  # fmt: skip
    return {"intra_fid": float(np.mean([real.by_class[k].distance(fake.by_class[k]) for k in real.by_class]))}


MEASURES = {
    "fid": _fid,
    "kid": _kid,
    "is": _inception_score,
    "precision_recall": _precision_recall,
    "density_coverage": _density_coverage,
    "intra_fid": _intra_fid,
}
"""Name -> function of two `Statistics` and a seed, to a dict of results."""


def _as_many(real, fake):
    """Features of as many real as generated images, on which these measures depend."""
    count = min(len(real.features), len(fake.features))
    return real.features[:count], fake.features[:count]


def _restored(arrays, prefix):
    return Moments.from_state({name: arrays[prefix + name] for name in Moments.STATE})
