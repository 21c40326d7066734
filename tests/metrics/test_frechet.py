import numpy as np
import pytest
import scipy.linalg

import ganlib
from ganlib import metrics
from ganlib.metrics import Moments


def features(count, seed, scale=1.0, dimensions=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, dimensions)) @ rng.normal(size=(dimensions, dimensions)) * scale + rng.normal()


def distance_by_scipy(real, fake):
    """Computes the distance with scipy's matrix square root."""
    s1, s2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    difference = real.mean(0) - fake.mean(0)
    return difference @ difference + np.trace(s1 + s2 - 2 * scipy.linalg.sqrtm(s1 @ s2).real)


def test_the_distance_matches_scipys_matrix_square_root():
    real, fake = features(200, 0), features(150, 1, scale=2.0)
    assert metrics.frechet_distance(real, fake) == pytest.approx(distance_by_scipy(real, fake), rel=1e-8)
    assert metrics.frechet_distance(fake, real) == pytest.approx(distance_by_scipy(real, fake), rel=1e-8)


def test_rank_deficient_features_match_scipy_in_their_subspace():
    """Features are in a low-dimensional subspace; rotated into it, scipy's square root is exact."""
    real, fake = features(200, 0, dimensions=4), features(150, 1, dimensions=4)
    basis = np.linalg.qr(np.random.default_rng(2).normal(size=(40, 4)))[0]
    assert metrics.frechet_distance(real @ basis.T, fake @ basis.T) == pytest.approx(distance_by_scipy(real, fake), rel=1e-6)


def test_fewer_images_than_features_match_their_nuclear_norm():
    """The cross term is the nuclear norm of A B^T, where A and B are the centered features, computed exactly from few rows."""
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(10, 100)), 2 * rng.normal(size=(12, 100)) + 1
    a, b = ((x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (real, fake))
    expected = ((real.mean(0) - fake.mean(0)) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2 * np.linalg.norm(a @ b.T, "nuc")
    assert metrics.frechet_distance(real, fake) == pytest.approx(expected, rel=1e-6)


def test_float32_features_with_a_large_mean():
    real, fake = features(200, 0), features(150, 1)
    real, fake = (np.float32(x + 1e4) for x in (real, fake))
    expected = distance_by_scipy(np.float64(real) - 1e4, np.float64(fake) - 1e4)
    assert metrics.frechet_distance(real, fake) == pytest.approx(expected, rel=1e-6)


def test_one_dimension_matches_a_calculation_by_hand():
    # (m1 - m2)^2 + (s1 - s2)^2 with unbiased deviations: means 1 and 4, deviations sqrt(2) and 2 sqrt(2).
    assert metrics.frechet_distance([[0.0], [2.0]], [[2.0], [6.0]]) == pytest.approx(9 + 2)


@pytest.mark.parametrize("count", [4, 300])
def test_the_distance_of_identical_sets_is_zero_even_if_singular(count):
    x = features(count, 0, dimensions=50)
    assert metrics.frechet_distance(x, x) == pytest.approx(0, abs=1e-9 * np.trace(np.cov(x, rowvar=False)))


def test_moments_of_batches_match_those_of_all_rows():
    rows = np.float32(features(1000, 0) + 1e3)
    streamed, other = Moments(6), Moments(6)
    for start in range(0, 700, 64):
        streamed.add(rows[start : min(start + 64, 700)])
    other.add(rows[700:])
    streamed.merge(other)
    streamed.merge(Moments(6))
    assert streamed.count == 1000
    np.testing.assert_allclose(streamed.mean, np.float64(rows).mean(0), rtol=1e-12)
    np.testing.assert_allclose(streamed.covariance, np.cov(np.float64(rows), rowvar=False), rtol=1e-9)


def test_invalid_input_is_rejected():
    with pytest.raises(ganlib.UserError, match=r"got \(3, 2\) and \(3, 4\)"):
        metrics.frechet_distance(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ganlib.UserError, match="n, m >= 2"):
        metrics.frechet_distance(np.zeros((1, 2)), np.zeros((3, 2)))
    with pytest.raises(ganlib.UserError, match=r"expected features \(n, 3\), got \(2, 4\)"):
        Moments(3).add(np.zeros((2, 4)))
    with pytest.raises(ganlib.UserError, match="a covariance requires at least 2 images, got 0"):
        _ = Moments(3).covariance
    bad = np.zeros((5, 2))
    bad[3, 1] = np.nan
    with pytest.raises(ganlib.UserError, match="1 of 5 fake features are not finite, the first in row 3"):
        metrics.frechet_distance(np.zeros((3, 2)), bad)
