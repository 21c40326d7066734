import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.layers import basic
from ganlib.training import precision


def kernels():
    return {
        "dense": (basic.dense(5, True), np.zeros((1, 7), np.float32)),
        "conv": (basic.conv(4, 3, True), np.zeros((1, 6, 6, 2), np.float32)),
        "embedding": (basic.embedding(6, 3, True), np.zeros((1,), np.int32)),
    }


@pytest.mark.parametrize("name", kernels())
def test_spectral_norm_converges_to_the_largest_singular_value(name):
    layer, inputs = kernels()[name]
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


def test_spectral_norm_moves_its_vector_in_training_only_and_never_the_kernel():
    layer = basic.dense(5, True)
    inputs = np.ones((1, 7), np.float32)
    layer(inputs)
    kernel, vector = layer.layer.get_weights()[0], layer.singular_vector.numpy()
    layer(inputs, training=False)
    np.testing.assert_array_equal(layer.singular_vector.numpy(), vector)
    layer(inputs, training=True)
    assert not np.array_equal(layer.singular_vector.numpy(), vector)
    np.testing.assert_array_equal(layer.layer.get_weights()[0], kernel)


def test_spectral_norms_gradient_flows_through_the_norm():
    # d/dW of sum(c * W / sigma) is (c - (sum(c * W) / sigma) u v^T) / sigma: Miyato et al. 2018, equation 12.
    layer = basic.dense(3, True, use_bias=False)
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


def test_conditional_batch_norm_against_numpy():
    layer = basic.ConditionalBatchNorm(3)
    images, labels = np.random.default_rng(0).normal(3, 2, (6, 4, 4, 2)).astype(np.float32), np.array([0, 1, 2, 0, 1, 2])
    layer(images, labels)
    gain, bias = np.random.default_rng(1).normal(size=(2, 3, 2)).astype(np.float32)
    layer.gain.set_weights([gain])
    layer.bias.set_weights([bias])
    normal = (images - images.mean((0, 1, 2))) / np.sqrt(images.var((0, 1, 2)) + 1e-5)
    expected = normal * gain[labels][:, None, None] + bias[labels][:, None, None]
    np.testing.assert_allclose(layer(images, labels, training=True), expected, atol=1e-4)


def test_normalization_by_name():
    assert isinstance(basic.normalization(None), keras.layers.Identity)
    assert not basic.normalization("batch").synchronized
    assert basic.normalization("sync_batch").synchronized
    with pytest.raises(ganlib.UserError, match="unknown normalization 'bach'.*Did you mean 'batch'"):
        basic.normalization("bach")


@pytest.mark.parametrize("layer", [keras.layers.Dense(5), keras.layers.Conv2D(5, 3, padding="same")])
def test_weight_norm_gives_each_unit_a_length_of_its_own(layer):
    wrapped = basic.WeightNorm(layer)
    inputs = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype(np.float32)
    wrapped(inputs)
    gain = np.array([1, 2, 0.5, 3, 4], np.float32)
    wrapped.gain.assign(gain)
    kernel = layer.kernel.numpy()
    kernel = kernel * gain / np.linalg.norm(kernel.reshape(-1, 5), axis=0)
    expected = inputs @ kernel if kernel.ndim == 2 else tf.nn.conv2d(inputs, kernel, 1, "SAME")
    np.testing.assert_allclose(wrapped(inputs), expected, atol=1e-5)
    # The length of v is without effect, so the gradient has no part along it: equation 3 of the paper.
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(wrapped(inputs)))
    along = np.sum(tape.gradient(loss, layer.kernel) * layer.kernel.numpy(), axis=tuple(range(kernel.ndim - 1)))
    np.testing.assert_allclose(along, 0, atol=1e-2)


def test_weight_norms_gain_is_trained_if_asked(tmp_path):
    for trainable in (False, True):
        model = keras.Sequential([keras.layers.Input((4,)), basic.WeightNorm(keras.layers.Dense(3), trainable_gain=trainable)])
        assert len(model.trainable_variables) == 2 + trainable
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(loaded(np.ones((2, 4))), model(np.ones((2, 4))))


def test_data_dependent_initialization():
    body = keras.Sequential([
        keras.layers.Input((6, 6, 2)), basic.WeightNorm(keras.layers.Conv2D(4, 3)), keras.layers.LeakyReLU(0.2),
        keras.layers.Dropout(0.5), keras.layers.Flatten(), basic.WeightNorm(keras.layers.Dense(5)),
    ])  # fmt: skip
    inputs = np.random.default_rng(0).normal(2, 3, size=(400, 6, 6, 2)).astype(np.float32)
    basic.initialize_weight_norm(body, inputs)
    convolved = body.layers[0](inputs).numpy()
    for outputs, axes in ((convolved, (0, 1, 2)), (body(inputs).numpy(), 0)):
        np.testing.assert_allclose(outputs.mean(axis=axes), 0, atol=1e-3)
        np.testing.assert_allclose(outputs.std(axis=axes), 1, atol=1e-3)


def test_weight_norm_is_initialized_in_mixed_precision_too():
    with precision.policy("mixed_bfloat16"):
        body = keras.Sequential([basic.WeightNorm(keras.layers.Dense(4)), keras.layers.ReLU(),
                                 basic.WeightNorm(keras.layers.Dense(3))])  # fmt: skip
        body.build((None, 5))
    inputs = np.random.default_rng(0).normal(2, 3, (500, 5)).astype(np.float32)
    basic.initialize_weight_norm(body, inputs)
    outputs = np.asarray(keras.ops.cast(body(inputs), "float32"))
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=0.02)  # bfloat16 has 8 bits
    np.testing.assert_allclose(outputs.std(axis=0), 1, atol=0.02)


def test_grouped_convolutions_in_a_loop_and_by_keras_are_the_same():
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 12)).astype(np.float32)
    for groups in (1, 2, 4, 12):
        ours = basic.GroupedConv(24, 3, groups=groups, padding="same", activation="relu")
        theirs = keras.layers.Conv2D(24, 3, groups=groups, padding="same", activation="relu")
        ours.build(x.shape)
        theirs.build(x.shape)
        weights = [np.random.default_rng(1).normal(size=w.shape) for w in ours.get_weights()]
        ours.set_weights(weights)
        theirs.set_weights(weights)
        np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-4, atol=1e-4)


def test_deviation_of_groups_by_numpy():
    x = np.random.default_rng(0).normal(size=(8, 2, 2, 3)).astype(np.float32)
    result = np.asarray(basic.MinibatchDeviation()(x))
    np.testing.assert_array_equal(result[..., :3], x)
    deviations = x.reshape(2, 4, 12).std(axis=1).mean(axis=1)
    np.testing.assert_allclose(result[..., 3], np.repeat(deviations, 4)[:, None, None] * np.ones((8, 2, 2)), rtol=1e-4)
    assert np.abs(np.asarray(basic.MinibatchDeviation()(x[:3]))[..., 3]).max() < 1e-3  # groups of one


def test_upsample_repeats_each_position():
    maps = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)
    np.testing.assert_array_equal(basic.upsample(maps), maps.repeat(2, axis=1).repeat(2, axis=2))
    assert basic.upsample(keras.KerasTensor((None, 3, 5, 4))).shape == (None, 6, 10, 4)
