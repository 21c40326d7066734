import numpy as np
import pytest

import ganlib
from ganlib import metrics


def test_the_score_matches_a_calculation_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    marginal = [0.55, 0.45]
    divergences = [sum(p * np.log(p / q) for p, q in zip(row, marginal, strict=True)) for row in probabilities]
    assert metrics.inception_score(probabilities, splits=1) == pytest.approx((np.exp(np.mean(divergences)), 0))


def test_the_score_ranges_from_1_to_the_number_of_classes():
    assert metrics.inception_score(np.full((20, 4), 0.25)) == pytest.approx((1, 0))
    assert metrics.inception_score(np.tile(np.eye(4), (10, 1)), splits=10) == pytest.approx((4, 0))


def test_splits_are_consecutive_parts():
    sharp, flat = np.tile(np.eye(2), (10, 1)), np.full((20, 2), 0.5)
    assert metrics.inception_score(np.concatenate([sharp, flat]), splits=2) == pytest.approx((1.5, 0.5))


def test_fewer_images_than_classes_are_reported(caplog):
    metrics.inception_score(np.tile(np.eye(4), (10, 1)))
    assert not caplog.text
    metrics.inception_score(np.tile(np.eye(4), (5, 1)))
    assert "20 images are too few for an Inception score in 10 splits" in caplog.text


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (np.full((5, 2), 0.5), "at least splits=10 images, got shape .5, 2."),
        (np.full((20, 2), 0.7), "each row of probabilities must sum to 1"),
        (np.tile([1.5, -0.5], (20, 1)), "without negative values"),
        (np.full((20, 2), np.nan), "20 of 20 rows of probabilities are not finite"),
    ],
)
def test_invalid_input_is_rejected(probabilities, message):
    with pytest.raises(ganlib.UserError, match=message):
        metrics.inception_score(probabilities)
