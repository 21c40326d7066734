import math

import numpy as np
import pytest
import scipy.spatial

import ganlib
from ganlib.metrics.path_length import path_length, slerp


def length_by_loop(first, second, epsilon):
    """Computes the mean without outliers from sorted distances: the percentiles are ranks, rounded outwards."""
    values = sorted(
        sum((x - y) ** 2 for x, y in zip(*rows, strict=True)) / epsilon**2 for rows in zip(first, second, strict=True)
    )
    low, high = math.floor(0.01 * (len(values) - 1)), math.ceil(0.99 * (len(values) - 1))
    return sum(values[low : high + 1]) / (high + 1 - low)


@pytest.mark.parametrize("count", [2, 99, 250, 1000])
def test_the_mean_matches_a_loop(count):
    rng = np.random.default_rng(0)
    first = rng.normal(size=(count, 5))
    second = first + rng.normal(size=(count, 5)) * 0.01
    assert path_length(first, second, 0.1) == pytest.approx(length_by_loop(first, second, 0.1), rel=1e-9)


def test_outliers_are_dropped_and_values_match_those_by_hand():
    # 0, 1, ..., 300 squared, over 2 squared: the ranks 0-2 and 298-300 are outside of the percentiles (3 and 297).
    second = np.arange(301.0)[:, None]
    assert path_length(np.zeros((301, 1)), second, 2.0) == pytest.approx(sum(i**2 for i in range(3, 298)) / 4 / 295)
    second[-1] = 1e9
    assert path_length(np.zeros((301, 1)), second, 2.0) == pytest.approx(sum(i**2 for i in range(3, 298)) / 4 / 295)
    assert path_length(second, second, 2.0) == 0.0


def test_slerp_matches_scipy_and_the_formula_of_the_authors():
    rng = np.random.default_rng(0)
    a, b, t = rng.normal(size=(20, 6)) * 3, rng.normal(size=(20, 6)), rng.uniform(size=20)
    result = slerp(a, b, t)
    assert result.shape == (20, 6)
    np.testing.assert_allclose(np.linalg.norm(result, axis=1), 1.0)
    for i in range(20):
        ends = [v / np.linalg.norm(v) for v in (a[i], b[i])]
        np.testing.assert_allclose(result[i], scipy.spatial.geometric_slerp(*ends, t[i]), atol=1e-12)
        cosine = ends[0] @ ends[1]
        across = ends[1] - cosine * ends[0]
        angle = t[i] * np.arccos(cosine)
        expected = ends[0] * np.cos(angle) + across / np.linalg.norm(across) * np.sin(angle)
        np.testing.assert_allclose(result[i], expected, atol=1e-12)


def test_the_ends_of_slerp_are_the_directions():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 6)), rng.normal(size=(20, 6))
    np.testing.assert_allclose(slerp(a, b, 0.0), a / np.linalg.norm(a, axis=1, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(slerp(a, b, np.ones(20)), b / np.linalg.norm(b, axis=1, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(slerp([[3.0, 0.0]], [[0.0, 1.0]], 0.5), [[0.5**0.5, 0.5**0.5]])
    np.testing.assert_allclose(slerp(a, a, 0.3), slerp(a, b, 0.0), atol=1e-7)  # no angle: no division by 0
    np.testing.assert_allclose(slerp([[0.0, 1.0]], [[0.0, 2.0]], 0.3), [[0.0, 1.0]])


def test_invalid_input_is_rejected():
    with pytest.raises(ganlib.UserError, match=r"^expected features \(n, F\) and \(m, F\) with n, m >= 2, got [^\n]*$"):
        path_length(np.zeros((3, 2)), np.zeros((3, 4)), 1.0)
    with pytest.raises(ganlib.UserError, match="with n, m >= 2"):
        path_length(np.zeros((1, 2)), np.zeros((1, 2)), 1.0)
    with pytest.raises(ganlib.UserError, match="^expected pairs of features, got 3 and 4 rows$"):
        path_length(np.zeros((3, 2)), np.zeros((4, 2)), 1.0)
    with pytest.raises(ganlib.UserError, match="^1 of 2 fake features are not finite[^\n]*$"):
        path_length(np.zeros((2, 1)), [[0.0], [np.nan]], 1.0)
    for epsilon in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ganlib.UserError, match="^epsilon must be positive, got"):
            path_length(np.zeros((3, 2)), np.zeros((3, 2)), epsilon)


def test_latents_without_a_direction_are_rejected():
    for wrong in (np.zeros((2, 3)), np.full((2, 3), np.nan), np.ones(3)):
        with pytest.raises(ganlib.UserError, match=r"^b must be finite latents \(n, latent_dim\), not 0 in a whole row[^\n]*$"):
            slerp(np.ones((2, 3)), wrong, 0.5)
    with pytest.raises(ganlib.UserError, match="^expected latents of one shape [^\n]*$"):
        slerp(np.ones((2, 3)), np.ones((3, 3)), 0.5)
    with pytest.raises(ganlib.UserError, match="^expected latents of one shape [^\n]*$"):
        slerp(np.ones((2, 3)), np.ones((2, 3)), np.zeros((2, 1)))
