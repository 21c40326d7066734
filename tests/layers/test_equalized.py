import math

import numpy as np
import pytest
import tensorflow as tf

from ganlib.layers import equalized

RNG = np.random.default_rng(0)


def test_dense_layers_scale_their_weights():
    dense = equalized.Dense(5, bias=0.5, rate=0.1)
    x = RNG.normal(size=(3, 8)).astype(np.float32)
    result = np.asarray(dense(x))
    kernel, bias = dense.get_weights()
    np.testing.assert_allclose(result, x @ kernel * 0.1 / math.sqrt(8) + 0.1 * bias, rtol=1e-4, atol=1e-6)
    assert np.std(equalized.normal(1 / 0.1)((100, 100))) == pytest.approx(10, rel=0.05)
    np.testing.assert_allclose(
        equalized.leaky_relu(tf.constant([-1.0, 2.0])), [-0.2 * math.sqrt(2), 2 * math.sqrt(2)], rtol=1e-6
    )


@pytest.mark.parametrize(("kernel_size", "strides"), [(1, 1), (3, 1), (3, 2)])
def test_convolutions_scale_their_weights(kernel_size, strides):
    x = RNG.normal(size=(2, 7, 7, 4)).astype(np.float32)
    conv = equalized.Conv(5, kernel_size, activate=False, strides=strides)
    padding = "SAME" if strides == 1 else "VALID"
    result = conv(x)
    (kernel,) = conv.get_weights()
    expected = tf.nn.conv2d(x, kernel / math.sqrt(4 * kernel_size**2), strides, padding)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)
    active = equalized.Conv(5, kernel_size, strides=strides)
    active(x)
    bias = RNG.normal(size=5).astype(np.float32)
    active.set_weights([kernel, bias])
    np.testing.assert_allclose(active(x), equalized.leaky_relu(expected + bias), rtol=1e-4, atol=1e-5)


def test_projection_matches_numpy():
    layer = equalized.Projection(3)
    features, labels = RNG.normal(size=(4, 6)).astype(np.float32), np.array([2, 0, 1, 2])
    logits = layer(np.ones(4, np.float32), features, labels)
    embedded = np.array(layer.embedding.embeddings)[labels]
    embedded /= np.sqrt(np.mean(embedded**2, axis=1, keepdims=True))
    np.testing.assert_allclose(logits, 1 + np.sum(embedded * features, axis=1) / np.sqrt(6), rtol=1e-5)
