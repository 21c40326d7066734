import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import layers


def normalized_layers():
    return {
        "dense": (layers.dense(5, True), np.zeros((1, 7), np.float32)),
        "conv": (layers.conv(4, 3, True), np.zeros((1, 6, 6, 2), np.float32)),
        "embedding": (layers.embedding(6, 3, True), np.zeros((1,), np.int32)),
    }


@pytest.mark.parametrize("name", normalized_layers())
def test_the_norm_converges_to_the_largest_singular_value(name):
    layer, inputs = normalized_layers()[name]
    for _ in range(200):
        layer(inputs, training=True)
    kernel = layer.layer.trainable_variables[0].numpy()
    norm = np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), ord=2)
    if name == "conv":
        images = np.random.default_rng(0).normal(size=(1, 6, 6, 2)).astype(np.float32)
        np.testing.assert_allclose(layer(images), tf.nn.conv2d(images, kernel / norm, 1, "SAME"), atol=1e-4)
    elif name == "dense":
        np.testing.assert_allclose(layer(np.eye(7, dtype=np.float32)), kernel / norm, atol=1e-4)
    else:
        np.testing.assert_allclose(layer(np.arange(6)), kernel / norm, atol=1e-4)


def test_only_training_updates_the_singular_vector_and_nothing_updates_the_kernel():
    layer = layers.dense(5, True)
    inputs = np.ones((1, 7), np.float32)
    layer(inputs)
    kernel, vector = layer.layer.get_weights()[0], layer.singular_vector.numpy()
    layer(inputs, training=False)
    np.testing.assert_array_equal(layer.singular_vector.numpy(), vector)
    layer(inputs, training=True)
    assert not np.array_equal(layer.singular_vector.numpy(), vector)
    np.testing.assert_array_equal(layer.layer.get_weights()[0], kernel)


def test_the_gradient_flows_through_the_norm():
    # d/dW of sum(c * W / sigma) is (c - (sum(c * W) / sigma) u v^T) / sigma: Miyato et al. 2018, equation 12.
    layer = layers.dense(3, True, use_bias=False)
    for _ in range(300):
        layer(np.ones((1, 4), np.float32), training=True)
    coefficients = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(coefficients * layer(np.eye(4, dtype=np.float32)))
    kernel = layer.layer.trainable_variables[0]
    left, values, right = np.linalg.svd(kernel.numpy())
    outer = np.outer(left[:, 0], right[0])
    expected = (coefficients - (coefficients * kernel.numpy()).sum() / values[0] * outer) / values[0]
    np.testing.assert_allclose(tape.gradient(value, kernel), expected, atol=1e-4)


def unit(vector):
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("form", ["fresh", "stored"])
def test_the_forms_of_inference_by_hand(form):
    """Both iterate once in a training call. In inference, "fresh" iterates again without storing, and "stored" does not."""
    layer = layers.dense(3, {"form": form}, use_bias=False)
    inputs = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    layer(inputs)
    kernel, right = layer.layer.get_weights()[0], layer.singular_vector.numpy()
    left = unit(kernel @ right)
    right = unit(left @ kernel)
    np.testing.assert_allclose(layer(inputs, training=True), inputs @ kernel / (left @ kernel @ right), rtol=1e-4)
    np.testing.assert_allclose(layer.singular_vector, right, rtol=1e-4, atol=1e-6)
    if form == "fresh":
        left = unit(kernel @ right)
        right = unit(left @ kernel)
    np.testing.assert_allclose(layer(inputs), inputs @ kernel / (left @ kernel @ right), rtol=1e-4)
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (copy.form, copy.epsilon) == (form, 1e-12)


def test_an_unknown_form_is_refused():
    with pytest.raises(ganlib.UserError, match="unknown form of spectral normalization 'frech'.*Did you mean 'fresh'"):
        layers.dense(3, {"form": "frech"})
