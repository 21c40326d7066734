"""The kernel distance between two sets of features: Bińkowski et al. 2018, "Demystifying MMD GANs" (arXiv:1801.01401)."""

from typing import NamedTuple

import numpy as np

from ganlib.errors import UserError
from ganlib.metrics.arrays import checked_features, log


class KernelDistance(NamedTuple):
    """The mean over subsets, which may be slightly negative, and its standard deviation over them."""

    mean: float
    std: float


def kernel_distance(real, fake, subsets=100, subset_size=1000, seed=0):
    """The squared maximum mean discrepancy with the kernel ``(x . y / F + 1)^3``, estimated without bias.

    On Inception features it is the KID. Unlike the Fréchet distance its mean does not depend on the number of images,
    so it can be trusted on few.

    Args:
        real: ``(n, F)`` features.
        fake: ``(m, F)`` features.
        subsets: how many random subsets to average over.
        subset_size: images of each set in a subset. Where a set has no more, half of the smaller set is taken, with a
            warning: subsets of all images would not differ, and the deviation would say nothing.
        seed: an integer, from which the subsets follow.

    Returns:
        A `KernelDistance`.

    Raises:
        UserError: for arrays of other shapes, features that are not finite, or no subsets.

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
    size, rng, fewest = subset_size, np.random.default_rng(seed), min(len(real), len(fake))
    if fewest <= subset_size:
        size = max(2, fewest // 2)
        log.warning("%d images are too few for subsets of %d: KID is of subsets of %d", fewest, subset_size, size)
    values = [
        _unbiased(real[rng.choice(len(real), size, replace=False)], fake[rng.choice(len(fake), size, replace=False)])
        for _ in range(subsets)
    ]
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def _unbiased(real, fake):
    """The estimator of Gretton et al. 2012 (JMLR 13), equation 3: an image is not compared with itself."""
    count, within = len(real), 0.0
    for features in (real, fake):
        kernel = _kernel(features, features)
        within += (kernel.sum() - np.trace(kernel)) / (count * (count - 1))
    return within - 2.0 * _kernel(real, fake).mean()


def _kernel(first, second):
    return (first @ second.T / first.shape[1] + 1.0) ** 3
