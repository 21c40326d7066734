import numpy as np
import pytest
import scipy.spatial

import ganlib
from ganlib import metrics
from ganlib.metrics import arrays


def test_blocks_contain_every_distance_once(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_ROWS", 7)
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(20, 5)) + 1e4, rng.normal(size=(30, 5)) + 1e4
    distances = np.full((20, 30), np.nan)
    for rows, block in arrays.distance_blocks(first, second):
        assert len(block) <= 7
        assert np.isnan(distances[rows]).all()
        distances[rows] = block
    np.testing.assert_allclose(distances, scipy.spatial.distance.cdist(first, second) ** 2, rtol=1e-6)


def test_radii_are_the_distances_to_the_neighbors(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_ROWS", 7)
    features = np.random.default_rng(0).normal(size=(20, 5))
    features[3] = features[4]  # identical images are each other's nearest neighbors
    distances, _ = scipy.spatial.KDTree(features).query(features, k=4)
    np.testing.assert_allclose(arrays.neighbor_radii(features, 3), distances[:, 3] ** 2, rtol=1e-9)
    assert arrays.neighbor_radii(features, 1)[3] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("metric", [metrics.frechet_distance, metrics.kernel_distance, metrics.precision_recall])
def test_identical_features_are_reported(metric, caplog):
    features = np.random.default_rng(0).normal(size=(20, 3))
    metric(features, np.ones((20, 3)))
    assert "all 20 fake images have identical features: the network is dead, or the images are identical" in caplog.text
    assert "real images" not in caplog.text


@pytest.mark.parametrize("metric", [metrics.precision_recall, metrics.density_coverage])
def test_invalid_input_is_rejected(metric):
    with pytest.raises(ganlib.UserError, match="k=3 nearest neighbors need at least 4 images and k >= 1, got 3 images"):
        metric(np.zeros((3, 2)), np.zeros((9, 2)), k=3)
    with pytest.raises(ganlib.UserError, match="k=0 nearest neighbors"):
        metric(np.zeros((3, 2)), np.zeros((9, 2)), k=0)
    with pytest.raises(ganlib.UserError, match="got .3, 2. and .3, 4."):
        metric(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ganlib.UserError, match="2 of 9 real features are not finite, the first in row 0"):
        metric(np.array([[np.inf], [0], [np.nan], *[[1]] * 6]), np.zeros((9, 1)))
