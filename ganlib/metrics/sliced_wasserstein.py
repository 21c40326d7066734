"""Sliced Wasserstein distances of Laplacian pyramids: Karras et al. 2018, "Progressive Growing of GANs" (arXiv:1710.10196),
section 5.
"""

from typing import NamedTuple

import numpy as np
import scipy.ndimage

from ganlib.errors import UserError
from ganlib.metrics.metric import Metric, Result

MAX_IMAGES = 16_384
"""The number of images of each set that are used at most."""

PATCH = 7
"""The height and width of a patch."""

BLOCK = 256
"""The number of images that are filtered at once."""

DIRECTIONS = 16
"""The number of projections that are sorted at once."""


class SlicedWasserstein(NamedTuple):
    """The mean over the levels, and a dict from the height of each level in pixels to its distance."""

    mean: float
    levels: dict


PATCHES, REPEATS, PROJECTIONS = 128, 4, 128
"""The number of patches per image and level, of draws of projections, and of projections in each, as in the authors' code."""


def sliced_wasserstein(real, fake, seed=0, patches=PATCHES, repeats=REPEATS, projections=PROJECTIONS):
    """Computes 1,000 times the sliced Wasserstein distance of patches of 7 x 7 pixels, by level of a Laplacian pyramid.

    The first level holds the finest structures, and the last the coarsest. Images are halved while both sides are even and at
    least 16 afterwards, so images of up to 31 pixels have one level. For each level, patches from random positions are
    normalized by the mean and standard deviation of each channel of their set. So a distance ignores brightness and contrast.

    The first images of both sets are used, equally many, and at most 16,384. The largest arrays are the patches of a level of
    both sets: 16,384 images of 3 channels take 1.2 GB each.

    Args:
        real: ``(n, height, width, channels)`` uint8 images.
        fake: ``(m, height, width, channels)`` uint8 images.
        seed: An integer that determines the positions and the projections. Defaults to 0.
        patches: The number of patches per image and level; the paper uses 128. Defaults to 128.
        repeats: The number of times that projections are drawn; the authors' code uses 4. Defaults to 4.
        projections: The number of projections of each draw; the authors' code uses 128. Defaults to 128.

    Returns:
        A `SlicedWasserstein`.

    Raises:
        UserError: If the images are not uint8 of one shape and at least 7 x 7 pixels, there are none, or a number is less
            than 1.

    Examples:
        >>> import numpy as np
        >>> from ganlib.metrics.sliced_wasserstein import sliced_wasserstein
        >>> images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
        >>> list(sliced_wasserstein(images[:10], images[10:]).levels)
        [32, 16]
    """
    real, fake = np.asarray(real), np.asarray(fake)
    shape = real.shape[1:]
    if real.ndim != 4 or fake.shape[1:] != shape or min(len(real), len(fake), shape[2]) < 1 or min(shape[:2]) < PATCH:
        raise UserError(
            f"expected images (n, height, width, channels) of at least {PATCH} x {PATCH}, got {real.shape} and {fake.shape}"
        )
    if real.dtype != np.uint8 or fake.dtype != np.uint8:
        raise UserError(f"expected uint8 images, got {real.dtype} and {fake.dtype}")
    if min(patches, repeats, projections) < 1:
        raise UserError(f"patches, repeats and projections must be at least 1, got {patches}, {repeats} and {projections}")
    count = min(len(real), len(fake), MAX_IMAGES)
    rng, levels = np.random.default_rng(seed), {}
    for level, height in enumerate(_heights(*shape[:2])):
        sets = [_descriptors(images[:count], level, len(_heights(*shape[:2])), patches, rng) for images in (real, fake)]
        levels[height] = 1000.0 * _distance(*sets, repeats * projections, rng)
    return SlicedWasserstein(float(np.mean(list(levels.values()))), levels)


def _heights(height, width):
    """Returns the heights of the levels, from fine to coarse."""
    heights = [height]
    while height % 2 == width % 2 == 0 and min(height, width) >= 32:
        height, width = height // 2, width // 2
        heights.append(height)
    return heights


def _descriptors(images, level, num_levels, patches, rng):
    """Returns the normalized ``(n * patches, 49 * channels)`` float32 patches of a level."""
    scale = 2**level
    heights, widths = (size // scale - PATCH + 1 for size in images.shape[1:3])
    tops, lefts = (rng.integers(0, size, (len(images), patches)) for size in (heights, widths))
    result = np.empty((len(images), patches, images.shape[3], PATCH, PATCH), np.float32)
    for start in range(0, len(images), BLOCK):
        rows = slice(start, start + BLOCK)
        pyramid = _pyramid(images[rows], min(level + 2, num_levels))
        windows = np.lib.stride_tricks.sliding_window_view(pyramid[level], (PATCH, PATCH), axis=(1, 2))
        result[rows] = windows[np.arange(len(windows))[:, None], tops[rows], lefts[rows]]
    for channel in range(images.shape[3]):  # in place
        values = result[:, :, channel]
        values -= values.mean(dtype=np.float64)
        std = np.sqrt(np.einsum("npij,npij->", values, values, dtype=np.float64) / values.size)
        values /= std if std > 1e-6 else 1.0  # a set of constant images keeps its zeros
    return result.reshape(len(images) * patches, -1)


def _distance(first, second, projections, rng):
    """Computes the mean distance between the sorted projections of ``(n, F)`` descriptors."""
    directions = np.float32(rng.normal(size=(projections, first.shape[1])))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    total = 0.0
    for start in range(0, projections, DIRECTIONS):
        some = directions[start : start + DIRECTIONS]
        difference = np.sort(some @ first.T, axis=1) - np.sort(some @ second.T, axis=1)
        total += np.abs(difference).sum(dtype=np.float64)
    return float(total / (projections * len(first)))


def _pyramid(images, num_levels):
    """Returns the first levels of the Laplacian pyramid; the last one is not a difference, but the remaining image."""
    levels = [np.float32(images)]
    for _ in range(num_levels - 1):
        smaller = _blurred(levels[-1])[:, ::2, ::2]
        larger = np.zeros_like(levels[-1])
        larger[:, ::2, ::2] = smaller
        levels[-1] = levels[-1] - 4.0 * _blurred(larger)
        levels.append(smaller)
    return levels


def _blurred(images):
    """Filters ``(n, height, width, channels)`` float32 images by the binomial coefficients of order 4, in both directions."""
    for axis in (1, 2):
        images = scipy.ndimage.correlate1d(images, np.array([1, 4, 6, 4, 1]) / 16, axis=axis, mode="mirror")
    return images


def _sliced_wasserstein(real, fake, seed):
    result = sliced_wasserstein(real, fake, seed)
    return {"swd": result.mean} | {f"swd_{height}": value for height, value in result.levels.items()}


METRICS = {
    "swd": Metric(
        {"swd": Result("SWD x 1000", "{:.2f}")},
        _sliced_wasserstein,
        inputs="images",
        max_images=MAX_IMAGES,
        min_size=PATCH,
        parameters={"patches": PATCHES, "projections": REPEATS * PROJECTIONS},
    )
}
