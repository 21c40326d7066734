import numpy as np
import pytest
import scipy.linalg
import scipy.spatial

import ganlib
from ganlib.metrics.vendi import vendi_score


def score_from_the_kernel(features):
    """Computes the score from the n x n kernel, and the entropy from its matrix logarithm: -trace(K log K)."""
    kernel = (1 - scipy.spatial.distance.cdist(features, features, "cosine")) / len(features)
    eigenvalues, vectors = scipy.linalg.eigh(kernel)
    logarithm = vectors @ np.diag(np.log(np.maximum(eigenvalues, 1e-300))) @ vectors.T
    return np.exp(-np.trace(kernel @ logarithm))


@pytest.mark.parametrize("shape", [(40, 5), (10, 30), (20, 20)])
def test_the_score_matches_the_kernel_of_scipy(shape):
    features = np.random.default_rng(0).normal(size=shape) + 0.3
    score = vendi_score(features)
    assert score == pytest.approx(score_from_the_kernel(features), rel=1e-6)
    assert 2 < score < min(shape)
    assert vendi_score(features * np.arange(1, shape[0] + 1)[:, None]) == pytest.approx(score)  # lengths do not matter


def test_groups_of_identical_images_match_the_entropy_by_hand():
    # Three orthogonal groups of 4, 3 and 1 images: the eigenvalues are 4/8, 3/8, 1/8.
    features = np.eye(3)[[0] * 4 + [1] * 3 + [2]]
    assert vendi_score(features) == pytest.approx(1 / (0.5**0.5 * 0.375**0.375 * 0.125**0.125))
    assert vendi_score(np.ones((9, 4))) == pytest.approx(1.0)
    assert vendi_score(np.eye(9)) == pytest.approx(9.0)
    assert vendi_score(np.ones((1, 4))) == pytest.approx(1.0)
    assert 1.0 <= vendi_score(np.random.default_rng(0).normal(size=(1, 40))) <= 1.0


def test_invalid_input_is_rejected():
    with pytest.raises(ganlib.UserError, match=r"^expected features \(n, F\) with n >= 1, got \(0, 4\)$"):
        vendi_score(np.zeros((0, 4)))
    with pytest.raises(ganlib.UserError, match="expected features"):
        vendi_score(np.zeros(4))
    with pytest.raises(ganlib.UserError, match="^1 of 3 rows of features are not finite, the first in row 1[^\n]*$"):
        vendi_score([[1.0], [np.nan], [1.0]])


def test_images_without_features_are_one_kind_of_image():
    assert vendi_score(np.zeros((9, 4))) == pytest.approx(1.0)
    assert vendi_score([[1.0], [0.0], [2.0], [0.0]]) == pytest.approx(2.0)
