import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import layers


def test_conditional_batch_norm_matches_numpy():
    layer = layers.ConditionalBatchNorm(3)
    images, labels = np.random.default_rng(0).normal(3, 2, (6, 4, 4, 2)).astype(np.float32), np.array([0, 1, 2, 0, 1, 2])
    layer(images, labels)
    gain, bias = np.random.default_rng(1).normal(size=(2, 3, 2)).astype(np.float32)
    layer.gain.set_weights([gain])
    layer.bias.set_weights([bias])
    normalized = (images - images.mean((0, 1, 2))) / np.sqrt(images.var((0, 1, 2)) + 1e-5)
    expected = normalized * gain[labels][:, None, None] + bias[labels][:, None, None]
    np.testing.assert_allclose(layer(images, labels, training=True), expected, atol=1e-4)


def test_normalization_by_name():
    assert isinstance(layers.normalization(None), keras.layers.Identity)
    assert not layers.normalization("batch").synchronized
    assert layers.normalization("sync_batch").synchronized
    with pytest.raises(ganlib.UserError, match="unknown normalization 'bach'.*Did you mean 'batch'"):
        layers.normalization("bach")


@pytest.mark.parametrize("kind", ["plain", "conditional"])
def test_the_moving_variance_is_that_of_unbiased_variances(kind):
    """As in PyTorch and Chainer; the batch itself is normalized by its biased variance."""
    images = np.random.default_rng(0).normal(3, 2, (2, 2, 1, 3)).astype(np.float32)
    layer = layers.batch_norm() if kind == "plain" else layers.ConditionalBatchNorm(2)
    arguments = () if kind == "plain" else (np.array([0, 1]),)
    outputs = layer(images, *arguments, training=True)
    normalization = layer if kind == "plain" else layer.normalization
    np.testing.assert_allclose(np.var(outputs, axis=(0, 1, 2)), 1.0, atol=1e-3)
    np.testing.assert_allclose(normalization.moving_variance, 0.9 + 0.1 * images.var((0, 1, 2), ddof=1), rtol=1e-5)
    np.testing.assert_allclose(normalization.moving_mean, 0.1 * images.mean((0, 1, 2)), rtol=1e-5)
    layer.trainable = False
    before = normalization.moving_variance.numpy()
    layer(images, *arguments, training=True)
    layer(images, *arguments)
    np.testing.assert_array_equal(normalization.moving_variance, before)


def results(layer, inputs, weights):
    """Returns the outputs, the moving statistics, the gradients, and the gradients of a gradient penalty."""
    with tf.GradientTape(persistent=True) as tape:
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(tf.sin(tf.cast(outputs, tf.float32)) * weights)
        gradient = inner.gradient(loss, inputs)
        penalty = tf.reduce_sum(tf.square(tf.cast(gradient, tf.float32)))
    variables = [v.value for v in layer.trainable_variables]
    first = [tape.gradient(loss, v) for v in variables]
    second = [tape.gradient(penalty, v) for v in variables[:1]]  # the shift changes nothing but the sine
    return [outputs, layer.moving_mean.value, layer.moving_variance.value, gradient, *first, *second]


@pytest.mark.parametrize(("policy", "tolerance"), [("float32", 2e-4), ("mixed_bfloat16", 0.1), ("mixed_float16", 0.02)])
@pytest.mark.parametrize("shape", [(5, 4, 4, 3), (6, 3), (1, 4, 4, 3)])
@pytest.mark.parametrize("affine", [True, False])
def test_fused_kernel_equals_the_operations_of_keras(policy, tolerance, shape, affine, monkeypatch):
    rng = np.random.default_rng(0)
    inputs, weights = rng.normal(1.0, 2.0, shape).astype(np.float32), rng.normal(size=shape).astype(np.float32)
    found = []
    for fused in (True, False):
        layer = layers.batch_norm(dtype=policy, center=affine, scale=affine)
        layer.build(shape)
        if affine:
            layer.gamma.assign([0.5, 1.0, 2.0])
        if not fused:
            monkeypatch.setattr(type(layer), "_has_kernel", lambda *_: False)
        arguments = layer, tf.constant(inputs, layer.compute_dtype), weights
        operations = tf.function(results).get_concrete_function(*arguments).graph.get_operations()
        assert fused == any(operation.type == "FusedBatchNormV3" for operation in operations)
        found.append(results(*arguments))
    assert found[0][0].dtype == layer.compute_dtype
    for a, b in zip(*found, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        a, b = (np.asarray(value, np.float32) for value in (a, b))
        np.testing.assert_allclose(a, b, atol=tolerance * max(1.0, np.abs(b).max()))
