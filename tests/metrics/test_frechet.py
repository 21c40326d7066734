import numpy as np
import pytest
import scipy.linalg

import ganlib
from ganlib import metrics


def features(count, seed, scale=1.0, dimensions=6):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, dimensions)) @ random.normal(size=(dimensions, dimensions)) * scale + random.normal()


def test_against_scipys_matrix_square_root():
    real, fake = features(200, 0), features(150, 1, scale=2.0)
    s1, s2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    difference = real.mean(0) - fake.mean(0)
    expected = difference @ difference + np.trace(s1 + s2 - 2 * scipy.linalg.sqrtm(s1 @ s2).real)
    assert metrics.frechet_distance(real, fake) == pytest.approx(expected, rel=1e-8)
    assert metrics.frechet_distance(fake, real) == pytest.approx(expected, rel=1e-8)


def test_of_one_dimension_by_hand():
    # (m1 - m2)^2 + (s1 - s2)^2 with unbiased deviations: means 1 and 4, deviations sqrt(2) and 2 sqrt(2).
    assert metrics.frechet_distance([[0.0], [2.0]], [[2.0], [6.0]]) == pytest.approx(9 + 2)


def test_of_equal_sets_is_zero_even_when_singular():
    few = features(4, 0)
    assert metrics.frechet_distance(few, few) == pytest.approx(0, abs=1e-6)


def test_wrong_shapes_are_refused():
    with pytest.raises(ganlib.UserError, match=r"got \(3, 2\) and \(3, 4\)"):
        metrics.frechet_distance(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ganlib.UserError, match="n, m >= 2"):
        metrics.frechet_distance(np.zeros((1, 2)), np.zeros((3, 2)))
