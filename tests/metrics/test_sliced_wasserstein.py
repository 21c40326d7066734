import importlib

import numpy as np
import pytest
import scipy.special

import ganlib
from ganlib.metrics import sliced_wasserstein

module = importlib.import_module("ganlib.metrics.sliced_wasserstein")  # the function has the same name


def images_of(count, size, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, channels), np.uint8)


def filtered(image, factor):
    """Filters an image by the 5 x 5 kernel with explicit loops, mirrored at the border without repeating the border."""
    weights, size = [1, 4, 6, 4, 1], image.shape
    result = np.zeros(size)
    mirror = lambda i, n: -i if i < 0 else 2 * (n - 1) - i if i >= n else i  # noqa: E731
    for y in range(size[0]):
        for x in range(size[1]):
            for dy in range(-2, 3):
                for dx in range(-2, 3):
                    weight = factor * weights[dy + 2] * weights[dx + 2] / 256
                    result[y, x] += weight * image[mirror(y + dy, size[0]), mirror(x + dx, size[1])]
    return result


def levels_by_loops(image):
    """Returns the two levels of the Laplacian pyramid of an image."""
    smaller = filtered(image, 1)[::2, ::2]
    larger = np.zeros(image.shape)
    larger[::2, ::2] = smaller
    return image - filtered(larger, 4), smaller


def distances_by_loops(real, fake, seed, patches, projections):
    """Computes the distance of each level with explicit loops, from the same random numbers."""
    rng, result = np.random.default_rng(seed), []
    pyramids = [[levels_by_loops(image.astype(float)) for image in images] for images in (real, fake)]
    for level in range(2):
        sets = []
        for pyramid in pyramids:
            height, width, channels = pyramid[0][level].shape
            tops = rng.integers(0, height - 6, (len(pyramid), patches))
            lefts = rng.integers(0, width - 6, (len(pyramid), patches))
            chosen = np.array(
                [
                    pyramid[i][level][tops[i, j] : tops[i, j] + 7, lefts[i, j] : lefts[i, j] + 7]
                    for i in range(len(pyramid))
                    for j in range(patches)
                ]
            )
            for channel in range(channels):
                chosen[..., channel] = (chosen[..., channel] - chosen[..., channel].mean()) / chosen[..., channel].std()
            sets.append([patch.transpose(2, 0, 1).ravel() for patch in chosen])
        total = 0.0
        for direction in rng.normal(size=(projections, 49 * channels)):
            direction = direction / np.sqrt(sum(direction**2))
            first, second = (sorted(sum(patch * direction) for patch in patches_of_set) for patches_of_set in sets)
            total += np.mean([abs(x - y) for x, y in zip(first, second, strict=True)])
        result.append(1000 * total / projections)
    return result


def test_the_distances_match_loops(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 2)
    monkeypatch.setattr(module, "DIRECTIONS", 3)
    real, fake = images_of(3, 32, 2), images_of(5, 32, 2, seed=1) // 2 + 3
    fake[:, 1:] //= 2
    mean, levels = sliced_wasserstein(real, fake, seed=7, patches=4, repeats=2, projections=4)
    expected = distances_by_loops(real, fake[:3], 7, 4, 8)
    assert list(levels) == [32, 16]
    assert list(levels.values()) == pytest.approx(expected, rel=1e-4)
    assert mean == pytest.approx(np.mean(expected), rel=1e-4)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(28, 28, [28]), (64, 64, [64, 32, 16]), (48, 32, [48, 24]), (36, 36, [36, 18]), (33, 64, [33])],
)
def test_images_are_halved_while_they_are_even_and_large(height, width, expected):
    assert module._heights(height, width) == expected


def test_the_levels_of_a_pyramid_add_up_to_the_image():
    images = images_of(2, 64)
    remaining = None
    for level in module._pyramid(images, 3)[::-1]:
        if remaining is not None:
            larger = np.zeros_like(level)
            larger[:, ::2, ::2] = remaining
            level = level + 4 * module._blurred(larger)
        remaining = level
    np.testing.assert_allclose(remaining, images, atol=1e-3)


def test_a_distance_matches_a_value_by_hand():
    # White and black images are patches of +1 or -1 and of length 7; constant images are patches of 0. The distance is 7 times
    # the mean of |x|, where x is a coordinate of a random unit vector of 49 dimensions.
    half = np.repeat(np.uint8([0, 255]), 10)[:, None, None, None] * np.ones((1, 9, 9, 1), np.uint8)
    gray = np.full((20, 9, 9, 1), 77, np.uint8)
    mean = np.exp(scipy.special.gammaln(49 / 2) - scipy.special.gammaln(50 / 2)) / np.sqrt(np.pi)
    assert sliced_wasserstein(half, gray, patches=3, projections=1000).mean == pytest.approx(7000 * mean, rel=0.04)
    assert sliced_wasserstein(half, half, patches=3).mean == pytest.approx(0.0, abs=1e-3)
    assert sliced_wasserstein(gray, gray, patches=3).mean == 0.0


def test_contrast_does_not_matter_but_structure_does():
    images = images_of(200, 7) // 3  # one position per image: the patches of both sets are the same images
    assert sliced_wasserstein(images, images * 2 + 10, patches=2).mean == pytest.approx(0.0, abs=1e-3)
    smooth = np.uint8(module._blurred(np.float32(images)))
    assert sliced_wasserstein(images, smooth, patches=2).mean > 50


def test_the_seed_determines_the_distance_and_extra_images_do_not_matter(monkeypatch):
    real, fake = images_of(30, 16), images_of(20, 16, seed=1)
    result = sliced_wasserstein(real, fake, seed=1, patches=4)
    assert result == sliced_wasserstein(real[:20], fake, seed=1, patches=4)
    assert result != sliced_wasserstein(real, fake, seed=2, patches=4)
    monkeypatch.setattr(module, "MAX_IMAGES", 10)
    assert sliced_wasserstein(real, fake, patches=4) == sliced_wasserstein(real[:10], fake[:10], patches=4)


def test_invalid_input_is_rejected():
    images = images_of(2, 8)
    for wrong in (images_of(2, 9), images[0], images[:0], images[..., :1]):
        with pytest.raises(ganlib.UserError, match=r"^expected images \(n, height, width, channels\) of at least 7 x 7[^\n]*$"):
            sliced_wasserstein(images, wrong)
    with pytest.raises(ganlib.UserError, match=r"of at least 7 x 7, got \(2, 6, 6, 3\)"):
        sliced_wasserstein(images_of(2, 6), images_of(2, 6))
    with pytest.raises(ganlib.UserError, match="of at least 7 x 7"):
        sliced_wasserstein(np.zeros(4, np.uint8), images)
    with pytest.raises(ganlib.UserError, match="^expected uint8 images, got float64 and uint8$"):
        sliced_wasserstein(images * np.nan, images)
    with pytest.raises(ganlib.UserError, match="^patches, repeats and projections must be at least 1, got 0, 4 and 128$"):
        sliced_wasserstein(images, images, patches=0)
