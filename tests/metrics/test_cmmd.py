import math

import numpy as np
import pytest

import ganlib
from ganlib.metrics import arrays
from ganlib.metrics.cmmd import cmmd


def distance_by_double_loop(real, fake):
    """Computes the biased estimator with explicit loops."""
    real, fake = ([row / math.sqrt(sum(row**2)) for row in features] for features in (real, fake))
    mean = lambda xs, ys: sum(math.exp(-sum((x - y) ** 2) / 200) for x in xs for y in ys) / (len(xs) * len(ys))  # noqa: E731
    return 1000 * (mean(real, real) + mean(fake, fake) - 2 * mean(real, fake))


def test_the_estimator_matches_a_double_loop(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_ROWS", 7)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(30, 5)), rng.normal(size=(20, 5)) * 1.5 + 0.5
    expected = distance_by_double_loop(real, fake)
    assert cmmd(real, fake) == pytest.approx(expected, rel=1e-9)
    assert cmmd(fake, real) == pytest.approx(expected, rel=1e-9)
    assert cmmd(real * 7, fake * np.arange(1, 21)[:, None]) == pytest.approx(expected, rel=1e-9)  # lengths do not matter


def test_two_points_match_a_value_by_hand():
    # All real images are at (1, 0) and all fake ones at (0, 1), at the squared distance 2.
    real, fake = np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[0.0, 3.0], [0.0, 1.0], [0.0, 2.0]])
    assert cmmd(real, fake) == pytest.approx(2000 * (1 - math.exp(-0.01)))


def test_identical_sets_have_no_distance_and_farther_ones_more():
    rng = np.random.default_rng(0)
    features = np.float32(rng.normal(size=(100, 6)))
    assert cmmd(features, features) == 0.0
    assert cmmd(features, features[::-1]) == pytest.approx(0.0, abs=1e-9)
    assert 0.1 < cmmd(features, features + 0.5) < 0.9 * cmmd(features, features + 1.0)


def test_invalid_input_is_rejected():
    with pytest.raises(ganlib.UserError, match=r"^expected features \(n, F\) and \(m, F\) with n, m >= 2, got [^\n]*$"):
        cmmd(np.ones((3, 2)), np.ones((3, 4)))
    with pytest.raises(ganlib.UserError, match="with n, m >= 2"):
        cmmd(np.ones((3, 2)), np.ones((1, 2)))
    with pytest.raises(ganlib.UserError, match="^3 of 3 real features are not finite, the first in row 0[^\n]*$"):
        cmmd(np.full((3, 2), np.nan), np.ones((3, 2)))


def test_images_without_features_are_one_kind_of_image():
    zeros = np.zeros((3, 2))
    assert cmmd(zeros, zeros) == 0.0
    expected = 1000 * (2 - 2 * np.exp(-2 / 200))  # orthogonal vectors of length 1 have the squared distance 2
    assert cmmd(zeros, np.ones((3, 2))) == pytest.approx(expected)
