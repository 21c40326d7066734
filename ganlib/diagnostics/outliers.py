"""Images of another kind than the others of a dataset."""

import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from ganlib.diagnostics import appearance
from ganlib.diagnostics.finding import Finding, confidence, share

SAMPLES = 1200
"""The largest number of images from which the kinds are found. Of more images, a random subset is used."""
SEPARATION = (5.2, 10.0)
"""The separation of two kinds, in standard deviations, where the symptom is reported, and where it is certain.

The two most different parts of MNIST, Fashion-MNIST, CIFAR-10 and the digits have a separation of at most 4.9. A twentieth of
other images has 5.6 for solar cells among CIFAR-10, 7.0 for MNIST and 10.7 for noise; 8.7 for CIFAR-10 among solar cells. MNIST
among Fashion-MNIST has 4.5 and is not found.
"""
LARGEST_SHARE = 0.32
"""The largest share of the images that the smaller kind can be."""
SMALLEST_SHARE = 0.01
"""The smallest share of the images that a kind must be. The separation of a few images is high by chance."""
FEWEST = 5
"""The fewest images of a kind."""
FEWEST_IMAGES = 300
"""The fewest images among which kinds are searched. Of fewer, some are far from the others by chance: normally distributed
descriptions of 100 images have a separation of up to 5.8, of 200 up to 4.8."""
COMPONENTS = 10
"""The largest number of principal components of the descriptions."""
IMAGES_PER_COMPONENT = 60
"""The fewest images for each component."""


def outlier_images(images, name_of=str, seed=0):
    """Finds images that look like those of another dataset: drawings among photos, or photos of another machine.

    Two Gaussian distributions are fitted to descriptions of the images. If they are far apart, there are two kinds of images.
    Kinds that differ only in what they show, such as cats and dogs, are not found.

    Args:
        images: ``(n, height, width, channels)`` uint8.
        name_of: A function from the index of an image to its name. Defaults to `str`.
        seed: An integer that determines the subset of a large dataset. Defaults to 0.

    Returns:
        A `Finding`, or None.
    """
    chosen = np.sort(np.random.default_rng(seed).permutation(len(images))[:SAMPLES])
    if len(chosen) < FEWEST_IMAGES or min(images.shape[1:3]) < 2:
        return None
    descriptions = appearance.describe(images[chosen])
    with threadpool_limits(1):  # with several threads, such small matrices take ten times as long
        separation, members = _two_kinds(_components(descriptions))
    sure = confidence(separation, *SEPARATION)
    if sure is None:
        return None
    others = chosen[members]
    examined = " that were examined" if len(chosen) < len(images) else ""
    evidence = (
        f"{share(len(others), len(chosen))} images{examined} look like another kind of image, such as {name_of(others[0])}: in "
        f"color, contrast and edges, they are {separation:.1f} standard deviations from the others."
    )
    advice = (
        "Look at these images. Delete them if they do not belong to the dataset, or train one GAN for each kind. Leave them if "
        "the GAN is meant to generate both kinds."
    )
    return Finding("outlier_images", sure, evidence, advice, others)


def _components(descriptions):
    """Returns the principal components of descriptions, ``(n, 10)`` or fewer columns."""
    from sklearn.decomposition import PCA

    scaled = (descriptions - descriptions.mean(axis=0)) / np.maximum(descriptions.std(axis=0), 0.02)
    count = min(COMPONENTS, len(scaled) // IMAGES_PER_COMPONENT)
    return PCA(count, random_state=0).fit_transform(scaled.astype(np.float64))


def _two_kinds(rows):
    """Returns ``(separation, members)`` of the best division into two kinds: a float, which is 0 if there is none, and the
    ascending indices of the smaller kind."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    best = 0.0, np.zeros(0, np.int64)
    for first in _guesses(rows):
        is_first = np.zeros(len(rows), bool)
        is_first[first] = True
        means = [rows[~is_first].mean(axis=0), rows[is_first].mean(axis=0)]
        weights = [1 - is_first.mean(), is_first.mean()]
        for covariance in ("full", "tied"):
            mixture = GaussianMixture(
                2, covariance_type=covariance, reg_covar=0.01, means_init=means, weights_init=weights, random_state=0
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                belongs = mixture.fit_predict(rows).astype(bool)
            smaller = belongs if belongs.mean() <= 0.5 else ~belongs
            if max(FEWEST, SMALLEST_SHARE * len(rows)) <= smaller.sum() <= LARGEST_SHARE * len(rows):
                best = max(
                    best, (_separation(rows[smaller], rows[~smaller]), np.flatnonzero(smaller)), key=lambda pair: pair[0]
                )
    return best


def _guesses(rows):
    """Yields indices of images that may be of another kind: those far from most others, and the ends of each component."""
    distances = np.sqrt(np.maximum((rows**2).sum(axis=1)[:, None] + (rows**2).sum(axis=1) - 2 * rows @ rows.T, 0.0))
    farthest = np.argsort(-np.quantile(distances, 0.45, axis=1))
    for part in (0.02, 0.1):
        yield farthest[: max(FEWEST, round(part * len(rows)))]
    for column in rows.T[:4]:
        order = np.argsort(column)
        count = max(FEWEST, len(rows) // 20)
        yield order[:count]
        yield order[-count:]


def _separation(first, second):
    """Returns the distance of the means of two groups on their discriminant axis, in standard deviations."""
    count = len(first) + len(second)
    within = sum(np.cov(group.T).reshape(first.shape[1], -1) * len(group) for group in (first, second)) / count
    axis = np.linalg.solve(within + 0.01 * np.eye(first.shape[1]), first.mean(axis=0) - second.mean(axis=0))
    one, other = first @ axis, second @ axis
    return float(abs(one.mean() - other.mean()) / np.sqrt((one.var() + other.var()) / 2 + 1e-12))
