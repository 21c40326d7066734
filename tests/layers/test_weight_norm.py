import keras
import numpy as np
import pytest
import tensorflow as tf

from ganlib import layers
from ganlib.training import precision


@pytest.mark.parametrize("layer", [keras.layers.Dense(5), keras.layers.Conv2D(5, 3, padding="same")])
def test_each_unit_has_a_separate_length(layer):
    wrapped = layers.WeightNorm(layer)
    inputs = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype(np.float32)
    wrapped(inputs)
    gain = np.array([1, 2, 0.5, 3, 4], np.float32)
    wrapped.gain.assign(gain)
    kernel = layer.kernel.numpy()
    kernel = kernel * gain / np.linalg.norm(kernel.reshape(-1, 5), axis=0)
    expected = inputs @ kernel if kernel.ndim == 2 else tf.nn.conv2d(inputs, kernel, 1, "SAME")
    np.testing.assert_allclose(wrapped(inputs), expected, atol=1e-5)
    # The length of v has no effect, so the gradient is orthogonal to it: equation 3 of the paper.
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(wrapped(inputs)))
    along = np.sum(tape.gradient(loss, layer.kernel) * layer.kernel.numpy(), axis=tuple(range(kernel.ndim - 1)))
    np.testing.assert_allclose(along, 0, atol=1e-2)


def transposed(inputs, kernel, stride=2):
    """A transposed convolution with "same" padding and a kernel of 5x5, pixel by pixel."""
    count, height, width, _ = inputs.shape
    outputs = np.zeros((count, stride * height + 4, stride * width + 4, kernel.shape[2]))
    for y, x, row, column in np.ndindex(height, width, 5, 5):
        outputs[:, stride * y + row, stride * x + column] += inputs[:, y, x] @ kernel[row, column].T
    return outputs[:, 1 : stride * height + 1, 1 : stride * width + 1]


def test_each_channel_of_a_transposed_convolution_has_a_separate_length():
    layer = keras.layers.Conv2DTranspose(4, 5, strides=2, padding="same")
    wrapped = layers.WeightNorm(layer)
    inputs = np.random.default_rng(0).normal(size=(2, 3, 2, 3)).astype(np.float32)
    wrapped(inputs)
    gain = np.array([1, 2, 0.5, 3], np.float32)
    wrapped.gain.assign(gain)
    layer.bias.assign([0.5, 0, 0, 0])
    kernel = layer.kernel.numpy()  # (height, width, outputs, inputs)
    norms = np.sqrt((kernel**2).sum(axis=(0, 1, 3)))
    expected = transposed(inputs, kernel * (gain / norms)[:, None]) + np.array([0.5, 0, 0, 0])
    np.testing.assert_allclose(wrapped(inputs), expected, atol=1e-5)


def test_initialization_in_a_call_of_a_model_of_any_structure():
    """A residual model with batch normalization in training mode, whose second layer has a smaller deviation."""
    first, second = layers.WeightNorm(keras.layers.Dense(4)), layers.WeightNorm(keras.layers.Dense(4), init_std=0.1)
    inputs = keras.Input((4,))
    hidden = first(layers.batch_norm()(inputs))
    model = keras.Model(inputs, [hidden, second(hidden), hidden + second(hidden)])
    x = np.random.default_rng(0).normal(2, 3, size=(400, 4)).astype(np.float32)
    outputs = layers.initialize_in_call(model, x, training=True)
    for values, std in zip(outputs[:2], (1.0, 0.1), strict=True):
        np.testing.assert_allclose(np.mean(values, axis=0), 0, atol=1e-3)
        np.testing.assert_allclose(np.std(values, axis=0), std, rtol=1e-2)
    normalized = (x - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose(first(normalized), outputs[0], atol=1e-3)
    assert np.std(second(7.0 * outputs[0])) > 0.5  # it is as before the call


def test_the_gain_is_trainable_if_requested(tmp_path):
    for trainable in (False, True):
        model = keras.Sequential([keras.layers.Input((4,)), layers.WeightNorm(keras.layers.Dense(3), trainable_gain=trainable)])
        assert len(model.trainable_variables) == 2 + trainable
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(loaded(np.ones((2, 4))), model(np.ones((2, 4))))


def test_data_dependent_initialization():
    body = keras.Sequential([
        keras.layers.Input((6, 6, 2)), layers.WeightNorm(keras.layers.Conv2D(4, 3)), keras.layers.LeakyReLU(0.2),
        keras.layers.Dropout(0.5), keras.layers.Flatten(), layers.WeightNorm(keras.layers.Dense(5)),
    ])  # fmt: skip
    inputs = np.random.default_rng(0).normal(2, 3, size=(400, 6, 6, 2)).astype(np.float32)
    layers.initialize_weight_norm(body, inputs)
    convolved = body.layers[0](inputs).numpy()
    for outputs, axes in ((convolved, (0, 1, 2)), (body(inputs).numpy(), 0)):
        np.testing.assert_allclose(outputs.mean(axis=axes), 0, atol=1e-3)
        np.testing.assert_allclose(outputs.std(axis=axes), 1, atol=1e-3)


def test_initialization_in_mixed_precision():
    with precision.policy("mixed_bfloat16"):
        body = keras.Sequential([layers.WeightNorm(keras.layers.Dense(4)), keras.layers.ReLU(), keras.layers.Reshape((1, 2, 2)),
                                 layers.WeightNorm(keras.layers.Conv2DTranspose(3, 2))])  # fmt: skip
        body.build((None, 5))
    inputs = np.random.default_rng(0).normal(2, 3, (500, 5)).astype(np.float32)
    layers.initialize_weight_norm(body, inputs)
    outputs = np.asarray(keras.ops.cast(body(inputs), "float32"))
    np.testing.assert_allclose(outputs.mean(axis=(0, 1, 2)), 0, atol=0.02)  # bfloat16 has 8 bits
    np.testing.assert_allclose(outputs.std(axis=(0, 1, 2)), 1, atol=0.02)


def test_initialization_with_noise_and_the_statistics_of_the_batch():
    """In inference, the noise would be missing, and batch normalization would do nothing to the first inputs."""
    body = keras.Sequential([keras.layers.Input((5,)), keras.layers.BatchNormalization(), keras.layers.GaussianNoise(1.0),
                             layers.WeightNorm(keras.layers.Dense(3), init_std=0.1)])  # fmt: skip
    inputs = np.random.default_rng(0).normal(2, 3, (4000, 5)).astype(np.float32)
    layers.initialize_weight_norm(body, inputs, training=True)
    np.testing.assert_allclose(np.std(body(inputs, training=True), axis=0), 0.1, rtol=0.05)
    # The gains divide by the standard deviation of unit noise and of normalized inputs, whose direction has length 1.
    np.testing.assert_allclose(body.layers[-1].gain, 0.1 / np.sqrt(2), rtol=0.05)


def test_gains_without_a_deviation_stay_at_1():
    layer = layers.WeightNorm(keras.layers.Dense(3), init_std=None)
    body = keras.Sequential([keras.layers.Input((5,)), layer])
    inputs = np.random.default_rng(0).normal(2, 3, (40, 5)).astype(np.float32)
    np.testing.assert_array_equal(layers.initialize_weight_norm(body, inputs), body(inputs))
    np.testing.assert_array_equal(layer.gain, 1.0)
    assert not layers.has_weight_norm(body)


@keras.saving.register_keras_serializable("tests")
class Recorder(keras.layers.Layer):
    """Passes its inputs on, and records their number."""

    def build(self, input_shape=None):
        self.numbers = []

    def call(self, inputs):
        self.numbers.append(inputs.shape[0])
        return inputs


def test_other_layers_get_their_inputs_in_parts():
    recorder = Recorder()
    inputs = np.random.default_rng(0).normal(2, 3, size=(400, 6, 6, 2)).astype(np.float32)
    body = keras.Sequential([recorder, layers.WeightNorm(keras.layers.Conv2D(4, 3))])
    outputs = layers.initialize_weight_norm(body, inputs, batch_size=150)
    assert recorder.numbers[-3:] == [150, 150, 100]
    np.testing.assert_allclose(np.std(outputs, axis=(0, 1, 2)), 1, atol=1e-3)


def test_models_without_weight_norm_are_recognized():
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    assert not layers.has_weight_norm(plain)
    assert layers.has_weight_norm(keras.Sequential([plain, keras.Sequential([layers.WeightNorm(keras.layers.Dense(2))])]))
