import numpy as np
import pytest
import tensorflow as tf

from ganlib import layers

X = np.random.default_rng(0).normal(size=(8, 2, 2, 3)).astype(np.float32)


def expected_channel(x, groups):
    """Computes the channel for groups given as lists of the indices of their images."""
    channel = np.zeros(len(x))
    for group in groups:
        channel[group] = x[group].reshape(len(group), -1).std(axis=0).mean()
    return channel[:, None, None] * np.ones((1, 2, 2))


def test_consecutive_groups_match_numpy():
    result = np.asarray(layers.MinibatchDeviation()(X))
    np.testing.assert_array_equal(result[..., :3], X)
    np.testing.assert_allclose(result[..., 3], expected_channel(X, [[0, 1, 2, 3], [4, 5, 6, 7]]), rtol=1e-4)
    assert np.abs(np.asarray(layers.MinibatchDeviation()(X[:3]))[..., 3]).max() < 1e-3  # groups of one


@pytest.mark.parametrize(
    ("count", "group_size", "groups"),
    [
        (8, 4, [[0, 2, 4, 6], [1, 3, 5, 7]]),
        (8, 2, [[0, 4], [1, 5], [2, 6], [3, 7]]),
        (8, 32, [list(range(8))]),
        (3, 4, [[0, 1, 2]]),  # fewer images than a group
        (6, 4, [list(range(6))]),  # not a multiple: the next larger divisor
        (5, 2, [list(range(5))]),
    ],
)
@pytest.mark.parametrize("static", [True, False])
def test_strided_groups_match_numpy(count, group_size, groups, static):
    layer = layers.MinibatchDeviation(group_size, strided=True)
    call = layer if static else tf.function(layer, input_signature=[tf.TensorSpec((None, 2, 2, 3))])
    result = np.asarray(call(X[:count]))
    np.testing.assert_array_equal(result[..., :3], X[:count])
    np.testing.assert_allclose(result[..., 3], expected_channel(X[:count], groups), rtol=1e-4)


def test_config():
    layer = layers.MinibatchDeviation.from_config(layers.MinibatchDeviation(8, strided=True).get_config())
    assert (layer.group_size, layer.strided) == (8, True)


@pytest.mark.parametrize("strided", [True, False])
def test_float64(float64, strided):
    layer = layers.MinibatchDeviation(strided=strided)
    assert layer(X.astype(np.float64)).dtype == "float64"
