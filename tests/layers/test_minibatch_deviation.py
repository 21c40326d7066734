import numpy as np

from ganlib import layers


def test_deviation_matches_numpy():
    x = np.random.default_rng(0).normal(size=(8, 2, 2, 3)).astype(np.float32)
    result = np.asarray(layers.MinibatchDeviation()(x))
    np.testing.assert_array_equal(result[..., :3], x)
    deviations = x.reshape(2, 4, 12).std(axis=1).mean(axis=1)
    np.testing.assert_allclose(result[..., 3], np.repeat(deviations, 4)[:, None, None] * np.ones((8, 2, 2)), rtol=1e-4)
    assert np.abs(np.asarray(layers.MinibatchDeviation()(x[:3]))[..., 3]).max() < 1e-3  # groups of one
