import numpy as np
import scipy.spatial.distance
import scipy.stats

from ganlib.diagnostics import distances


def sets(first=7, second=11, width=5):
    rng = np.random.default_rng(0)
    return rng.random((first, width), np.float32), rng.random((second, width), np.float32) + 0.5


def test_distances_are_those_of_scipy():
    first, second = sets()
    np.testing.assert_allclose(distances.pairwise(first, second), scipy.spatial.distance.cdist(first, second), atol=1e-5)
    assert abs(distances.mean_distance(first) - scipy.spatial.distance.pdist(first).mean()) < 1e-3


def test_nearest_are_sorted():
    first, second = sets(600)  # more than a batch
    indices, found = distances.nearest(first, second, 3)
    expected = scipy.spatial.distance.cdist(first, second)
    np.testing.assert_array_equal(indices, expected.argsort(axis=1)[:, :3])
    np.testing.assert_allclose(found, np.sort(expected, axis=1)[:, :3], atol=1e-4)
    assert distances.nearest(second[:2], second[:2], 5)[0].shape == (2, 2), "there are only two"


def test_energy_distance_of_one_dimension_is_that_of_scipy():
    """Both are unbiased here only for many values: scipy includes the distances of values from themselves."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(1500, 1)).astype(np.float32), rng.normal(1.0, 2.0, (1500, 1)).astype(np.float32)
    expected = scipy.stats.energy_distance(first[:, 0], second[:, 0]) ** 2
    within = scipy.spatial.distance.pdist(second).mean()
    assert abs(distances.energy_distance(first, second) - expected / within) < 3e-3
    assert abs(distances.energy_distance(second[:700], second[700:])) < 0.01


def test_vote():
    others = np.arange(10, dtype=np.float32)[:, None]
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
    assert distances.vote(np.array([[0.2], [5.4], [9.0]], np.float32), others, labels, 3).tolist() == [0, 1, 2]
    alone = np.array([0, 1, 2], np.int64)
    assert distances.vote(others[:3] ** 2, others[:3] ** 2, alone, 1, excludes_nearest=True).tolist() == [1, 0, 1]
