import numpy as np
import pytest

import ganlib
from ganlib import metrics
from ganlib.metrics import kernel


def distance_by_double_loop(real, fake):
    """Computes the unbiased estimator with explicit loops."""
    k = lambda x, y: (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3  # noqa: E731
    n, m = len(real), len(fake)
    within_real = sum(k(real[i], real[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_fake = sum(k(fake[i], fake[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within_real + within_fake - 2 * sum(k(x, y) for x in real for y in fake) / (n * m)


def test_the_estimator_matches_a_double_loop():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(30, 5)), rng.normal(size=(30, 5)) * 1.5 + 0.2
    assert kernel._unbiased(real, fake) == pytest.approx(distance_by_double_loop(real, fake), rel=1e-6)


@pytest.mark.parametrize("subset_size", [30, 1000])
def test_too_few_images_reduce_the_subset_size_with_a_warning(subset_size, caplog):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(50, 5)), rng.normal(size=(30, 5)) + 0.2
    result = metrics.kernel_distance(real, fake, subset_size=subset_size)
    assert result == metrics.kernel_distance(real, fake, subset_size=15)
    assert result.std > 0.01  # subsets of all images would be identical
    assert caplog.text.count("are too few") == 1
    assert f"30 images are too few for subsets of {subset_size}: KID uses subsets of 15" in caplog.text


def test_subsets_are_unbiased_and_determined_by_the_seed():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(400, 3)), rng.normal(size=(300, 3)) + 1
    expected = distance_by_double_loop(real[:100], fake[:100])
    result = metrics.kernel_distance(real[:100], fake[:100], subsets=400, subset_size=50)
    assert abs(result.mean - expected) < 3 * result.std / 20 + 1e-3
    assert metrics.kernel_distance(real, fake, 5, 50, seed=1) == metrics.kernel_distance(real, fake, 5, 50, seed=1)
    assert metrics.kernel_distance(real, fake, 5, 50, seed=1) != metrics.kernel_distance(real, fake, 5, 50, seed=2)


def test_the_mean_is_zero_for_equal_distributions():
    rng = np.random.default_rng(0)
    result = metrics.kernel_distance(rng.normal(size=(2000, 4)), rng.normal(size=(2000, 4)), subsets=50, subset_size=200)
    assert abs(result.mean) < 0.03 < 0.1 * metrics.kernel_distance(np.zeros((9, 4)), np.ones((9, 4))).mean


def test_invalid_input_is_rejected():
    with pytest.raises(ganlib.UserError, match="at least 1 subset of at least 2 images, got 0 of 1000"):
        metrics.kernel_distance(np.zeros((3, 2)), np.zeros((3, 2)), subsets=0)
    with pytest.raises(ganlib.UserError, match="not finite"):
        metrics.kernel_distance(np.full((3, 2), np.nan), np.zeros((3, 2)))
