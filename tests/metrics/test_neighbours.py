"""Precision, recall, density and coverage against the `prdc` package, by hand, and on bad input."""

import numpy as np
import prdc
import pytest

import ganlib
from ganlib import metrics
from ganlib.metrics import arrays


@pytest.mark.parametrize("shift", [0.0, 1000.0])
@pytest.mark.parametrize(("reals", "fakes"), [(300, 200), (50, 400)])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_against_prdc(reals, fakes, k, shift, monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_ROWS", 64)  # several blocks
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(reals, 8)), 0.7 * random.normal(size=(fakes, 8)) + 0.3
    expected = prdc.compute_prdc(real, fake, nearest_k=k)
    precision, recall = metrics.precision_recall(real + shift, fake + shift, k)
    density, coverage = metrics.density_coverage(real + shift, fake + shift, k)
    measured = {"precision": precision, "recall": recall, "density": density, "coverage": coverage}
    assert measured == pytest.approx(expected, rel=1e-6)
    assert 0 < precision < 1


def test_by_hand_on_a_line():
    # Real balls (k = 1): 0 +- 1, 1 +- 1, 5 +- 4. Fake balls: 0.5 +- 1, 1.5 +- 1, 20 +- 18.5.
    real, fake = np.array([[0.0], [1.0], [5.0]]), np.array([[0.5], [1.5], [20.0]])
    assert metrics.precision_recall(real, fake, k=1) == pytest.approx((2 / 3, 1.0))
    # 0.5 lies in the balls of 0 and 1; 1.5 in those of 1 and 5; 20 in none.
    assert metrics.density_coverage(real, fake, k=1) == pytest.approx((4 / 3, 1.0))


def test_equal_sets_and_far_sets():
    same = np.random.default_rng(0).normal(size=(40, 3))
    assert metrics.precision_recall(same, same) == (1.0, 1.0)
    assert metrics.density_coverage(same, same).coverage == 1.0
    assert metrics.precision_recall(same, same + 100) == (0.0, 0.0)
    assert metrics.density_coverage(same, same + 100) == (0.0, 0.0)


def test_float32_features_of_large_mean_keep_their_digits():
    random = np.random.default_rng(0)
    real, fake = (np.float32(random.normal(size=(100, 4)) + 1e4) for _ in range(2))
    expected = prdc.compute_prdc(np.float64(real) - 1e4, np.float64(fake) - 1e4, nearest_k=3)
    assert metrics.precision_recall(real, fake) == (expected["precision"], expected["recall"])


@pytest.mark.parametrize("measure", [metrics.precision_recall, metrics.density_coverage])
def test_bad_input(measure):
    with pytest.raises(ganlib.UserError, match="k=3 nearest neighbours need at least 4 images and k >= 1, got 3 images"):
        measure(np.zeros((3, 2)), np.zeros((9, 2)), k=3)
    with pytest.raises(ganlib.UserError, match="k=0 nearest neighbours"):
        measure(np.zeros((3, 2)), np.zeros((9, 2)), k=0)
    with pytest.raises(ganlib.UserError, match="got .3, 2. and .3, 4."):
        measure(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ganlib.UserError, match="2 of 9 real features are not finite, the first in row 0"):
        measure(np.array([[np.inf], [0], [np.nan], *[[1]] * 6]), np.zeros((9, 1)))
