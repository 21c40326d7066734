"""The kernel distance between two sets of features: Bińkowski et al. 2018, "Demystifying MMD GANs" (arXiv:1801.01401)."""

from typing import NamedTuple

import numpy as np

from ganlib.errors import UserError
from ganlib.metrics.arrays import checked_features, log
from ganlib.metrics.metric import Metric, Result


class KernelDistance(NamedTuple):
    """The mean over subsets, which may be slightly negative, and the standard deviation over subsets."""

    mean: float
    std: float


SUBSETS, SUBSET_SIZE = 100, 1000
"""The number of random subsets and the number of images in each, as in the authors' code."""


def kernel_distance(real, fake, subsets=SUBSETS, subset_size=SUBSET_SIZE, seed=0):
    """Computes the squared maximum mean discrepancy with the kernel ``(x . y / F + 1)^3``, using an unbiased estimator.

    With Inception features it is the KID. Unlike that of the Fréchet distance, its expected value does not depend on the number
    of images, so it is reliable for few images.

    Args:
        real: ``(n, F)`` features.
        fake: ``(m, F)`` features.
        subsets: The number of random subsets to average over. Defaults to 100.
        subset_size: The number of images of each set in a subset. If a set has no more images, half of the smaller set is used,
            with a warning: subsets of all images would be identical, and their standard deviation meaningless. Defaults to
            1000.
        seed: An integer that determines the subsets. Defaults to 0.

    Returns:
        A `KernelDistance`.

    Raises:
        UserError: If the shapes are wrong, features are not finite, or there are no subsets.

    Examples:
        >>> import numpy as np
        >>> from ganlib import metrics
        >>> features = np.random.default_rng(0).normal(size=(200, 3))
        >>> metrics.kernel_distance(features[:100], features[100:] + 2.0).mean > 1.0
        True
    """
    real, fake = checked_features(real, fake)
    if subsets < 1 or subset_size < 2:
        raise UserError(f"expected at least 1 subset of at least 2 images, got {subsets} of {subset_size}")
    rng, num_images = np.random.default_rng(seed), min(len(real), len(fake))
    size = _subset_size(num_images, subset_size)
    if size < subset_size:
        log.warning("%d images are too few for subsets of %d: KID uses subsets of %d", num_images, subset_size, size)
    values = [
        _unbiased(real[rng.choice(len(real), size, replace=False)], fake[rng.choice(len(fake), size, replace=False)])
        for _ in range(subsets)
    ]
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def _subset_size(num_images, subset_size):
    return subset_size if num_images > subset_size else max(2, num_images // 2)


def _unbiased(real, fake):
    """Computes the estimator of Gretton et al. 2012 (JMLR 13), equation 3, in which an image is not compared with itself."""
    count, within = len(real), 0.0
    for features in (real, fake):
        kernel = _kernel(features, features)
        within += (kernel.sum() - np.trace(kernel)) / (count * (count - 1))
    return within - 2.0 * _kernel(real, fake).mean()


def _kernel(first, second):
    return (first @ second.T / first.shape[1] + 1.0) ** 3


def _kid(real, fake, seed):
    result = kernel_distance(real.features, fake.features, seed=seed)
    size = _subset_size(min(len(real.features), len(fake.features)), SUBSET_SIZE)
    return {"kid": result.mean, "kid_std": result.std, "kid_subset_size": size}


METRICS = {
    "kid": Metric(
        {"kid": Result("KID x 1000", curve="KID", scale=1000.0)},
        _kid,
        pairwise=True,
        parameters={"subsets": SUBSETS},
    )
}
