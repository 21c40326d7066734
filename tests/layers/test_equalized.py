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


def test_activations_are_clamped():
    x = 1e3 * RNG.normal(size=(2, 7, 7, 4)).astype(np.float32)
    for activate in (True, False):
        free, clamped = (equalized.Conv(5, 3, activate=activate, clamp=limit) for limit in (None, 256.0))
        values = free(x)
        clamped(x)
        clamped.set_weights(free.get_weights())
        assert np.abs(values).max() > 300
        np.testing.assert_allclose(clamped(x), np.clip(values, -256.0, 256.0), rtol=1e-5)


def test_label_mapping_matches_numpy():
    layer = equalized.LabelMapping(3, 6, num_layers=2)
    labels = np.array([2, 0, 1, 2])
    layer(labels)
    layer.set_weights([RNG.normal(size=weight.shape).astype(np.float32) / rate for weight, rate in zip(
        layer.get_weights(), [1.0] * 2 + [0.01] * 4, strict=True)])  # fmt: skip
    kernel, bias, *mapping = layer.get_weights()
    x = kernel[labels] / math.sqrt(3) + bias
    x /= np.sqrt(np.mean(x**2, axis=1, keepdims=True))
    for kernel, bias in (mapping[:2], mapping[2:]):
        x = x @ kernel * 0.01 / math.sqrt(6) + bias * 0.01
        x = math.sqrt(2) * np.where(x > 0, x, 0.2 * x)
    np.testing.assert_allclose(layer(labels), x, rtol=1e-4, atol=1e-5)
    copy = equalized.LabelMapping.from_config(layer.get_config())
    assert (copy.num_classes, copy.units, copy.num_layers) == (3, 6, 2)


def test_projection_matches_numpy():
    layer = equalized.Projection(3)
    features, labels = RNG.normal(size=(4, 6)).astype(np.float32), np.array([2, 0, 1, 2])
    logits = layer(np.ones(4, np.float32), features, labels)
    embedded = np.array(layer.embedding.embeddings)[labels]
    embedded /= np.sqrt(np.mean(embedded**2, axis=1, keepdims=True))
    np.testing.assert_allclose(logits, 1 + np.sum(embedded * features, axis=1) / np.sqrt(6), rtol=1e-5)
