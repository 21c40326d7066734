import numpy as np
import prdc
import pytest

from ganlib import metrics


def test_results_match_prdc(prdc_case):
    real, fake, k, expected = prdc_case
    precision, recall = metrics.precision_recall(real, fake, k)
    assert (precision, recall) == pytest.approx((expected["precision"], expected["recall"]), rel=1e-6)
    assert 0 < precision < 1


def test_results_on_a_line_match_a_count_by_hand():
    # Real balls (k = 1): 0 +- 1, 1 +- 1, 5 +- 4. Fake balls: 0.5 +- 1, 1.5 +- 1, 20 +- 18.5.
    real, fake = np.array([[0.0], [1.0], [5.0]]), np.array([[0.5], [1.5], [20.0]])
    assert metrics.precision_recall(real, fake, k=1) == pytest.approx((2 / 3, 1.0))


def test_identical_and_distant_sets():
    features = np.random.default_rng(0).normal(size=(40, 3))
    assert metrics.precision_recall(features, features) == (1.0, 1.0)
    assert metrics.precision_recall(features, features + 100) == (0.0, 0.0)


@pytest.mark.parametrize("mean", [0.0, 1e4])
def test_the_border_of_a_ball_belongs_to_it(mean):
    """With copies, all radii are 0. prdc excludes the border; the paper's formula includes it."""
    features = np.random.default_rng(0).normal(size=(40, 3)) + mean
    copies = np.repeat(features, 10, axis=0)
    assert metrics.precision_recall(copies, copies) == (1.0, 1.0)
    assert metrics.precision_recall(copies, np.random.default_rng(1).permutation(copies)) == (1.0, 1.0)
    line = np.array([[0.0], [1.0], [3.0]]) + mean  # the ball of 0 has the radius 1, that of 3 the radius 2
    assert metrics.precision_recall(line, np.array([[-1.0], [5.0], [-1.5]]) + mean, k=1).precision == pytest.approx(2 / 3)


def test_float32_features_with_a_large_mean_keep_their_precision():
    rng = np.random.default_rng(0)
    real, fake = (np.float32(rng.normal(size=(100, 4)) + 1e4) for _ in range(2))
    expected = prdc.compute_prdc(np.float64(real) - 1e4, np.float64(fake) - 1e4, nearest_k=3)
    assert metrics.precision_recall(real, fake) == (expected["precision"], expected["recall"])
