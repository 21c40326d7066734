import numpy as np
import pytest

from ganlib import metrics


def test_results_match_prdc(prdc_case):
    real, fake, k, expected = prdc_case
    density, coverage = metrics.density_coverage(real, fake, k)
    assert (density, coverage) == pytest.approx((expected["density"], expected["coverage"]), rel=1e-6)
    assert 0 < coverage <= 1


def test_results_on_a_line_match_a_count_by_hand():
    # Real balls (k = 1): 0 +- 1, 1 +- 1, 5 +- 4. 0.5 is in those of 0 and 1; 1.5 in those of 1 and 5; 20 in none.
    real, fake = np.array([[0.0], [1.0], [5.0]]), np.array([[0.5], [1.5], [20.0]])
    assert metrics.density_coverage(real, fake, k=1) == pytest.approx((4 / 3, 1.0))


def test_the_border_of_a_ball_does_not_belong_to_it():
    """The formula of the paper and of prdc differs in this from precision and recall."""
    line = np.array([[0.0], [1.0], [3.0]])
    assert metrics.density_coverage(line, np.array([[-1.0], [5.0]]), k=1) == (0.0, 0.0)
    copies = np.repeat(line, 10, axis=0)
    assert metrics.density_coverage(copies, copies) == (0.0, 0.0)


def test_identical_and_distant_sets():
    features = np.random.default_rng(0).normal(size=(40, 3))
    assert metrics.density_coverage(features, features).coverage == 1.0
    assert metrics.density_coverage(features, features + 100) == (0.0, 0.0)
