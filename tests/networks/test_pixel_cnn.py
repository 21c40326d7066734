import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import layers
from ganlib.networks import pixel_cnn


def made(shape=(4, 8, 1), **arguments):
    return pixel_cnn.PixelCNN(shape, **{"width": 4, "blocks": 1, "mixtures": 2, **arguments})


def images_of(shape, count=1, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, *shape)).astype(keras.config.floatx())


@pytest.mark.parametrize(("resolutions", "blocks"), [(1, 2), (2, 1), (3, 1)])
def test_each_pixel_depends_on_all_earlier_pixels_and_on_no_others(float64, resolutions, blocks):
    """A batch has one image for each pixel, in which this pixel is changed."""
    network = made((4, 4, 1), resolutions=resolutions, blocks=blocks)
    image = images_of((4, 4, 1))
    changed = image + 0.5 * np.eye(16).reshape(16, 4, 4, 1)
    effects = np.abs(network(changed).numpy() - network(image).numpy()).max(axis=-1).reshape(16, 16)  # pixel, output
    is_earlier = np.arange(16)[:, None] < np.arange(16)
    assert np.all(effects[~is_earlier] < 1e-13)
    assert np.all(effects[is_earlier] > 1e-9)


def test_probabilities_of_all_images_have_the_sum_one():
    """All 256 * 256 images of two pixels."""
    values = np.linspace(-1, 1, 256).astype(np.float32)
    images = np.array(list(itertools.product(values, values)), np.float32).reshape(-1, 1, 2, 1)
    network = made((1, 2, 1), resolutions=1)
    compute = tf.function(network.log_likelihood, reduce_retracing=True)
    log_densities = np.concatenate([compute(part) for part in np.split(images, 16)])
    assert np.exp(log_densities.astype(np.float64)).sum() == pytest.approx(1.0, abs=1e-3)


def test_gradient_with_respect_to_images_by_finite_differences(float64):
    network, image = made((2, 4, 1)), 0.9 * images_of((2, 4, 1))
    x = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = network.log_likelihood(x)
    steps = 1e-6 * np.eye(8).reshape(8, 2, 4, 1)  # an image for each pixel
    high, low = (network.log_likelihood(image + sign * steps).numpy() for sign in (1, -1))
    np.testing.assert_allclose(tape.gradient(y, x).numpy().ravel(), (high - low) / 2e-6, rtol=1e-4, atol=1e-5)


def test_weights_match_a_count_by_hand():
    """Each convolution has kernel, bias and gain. A block of a stream sees each map twice, as x and -x."""
    w, channels = 6, 3
    conv = lambda taps, inputs, outputs: taps * inputs * outputs + 2 * outputs  # noqa: E731
    block = lambda taps, others: (  # noqa: E731
        conv(taps, 2 * w, w) + (conv(1, 2 * others, w) if others else 0) + conv(taps, 2 * w, 2 * w)
    )
    first = conv(6, channels + 1, w) + conv(3, channels + 1, w) + conv(2, channels + 1, w)
    down, up = block(6, 0) + block(4, w), block(6, w) + block(4, 2 * w)
    resampling = conv(6, w, w) + conv(4, w, w)
    blocks, resolutions = 1, 2
    expected = first + resolutions * blocks * down + (resolutions * blocks + resolutions - 1) * up
    expected += 2 * (resolutions - 1) * resampling + conv(1, w, 5 * 10)
    network = made((4, 4, channels), width=w, mixtures=5)
    assert sum(v.value.shape.num_elements() for v in network.trainable_variables) == network.count_params() == expected


def test_gradients_reach_every_weight():
    network = made((4, 4, 3))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network.log_likelihood(images_of((4, 4, 3), 8), training=True))
    for variable, gradient in zip(network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=True):
        assert np.abs(gradient).max() > 0, variable.path


def test_the_initialization_standardizes_every_layer():
    shape = (4, 4, 1)
    network, images = made(shape), images_of(shape, 100)
    network.initialize(images)
    outputs = {}
    for layer in network._flatten_layers():
        if isinstance(layer, layers.WeightNorm):
            layer.call = recording(layer, layer.call, outputs)
    network(images)
    assert len(outputs) > 20
    for layer, values in outputs.items():
        np.testing.assert_allclose(values.mean(axis=(0, 1, 2)), 0, atol=1e-3)
        np.testing.assert_allclose(values.std(axis=(0, 1, 2)), layer.init_std, rtol=0.01)


def recording(layer, call, outputs):
    def wrapped(inputs):
        outputs[layer] = call(inputs).numpy()
        return tf.constant(outputs[layer])

    return wrapped


def test_round_trip(tmp_path):
    network = made(dropout=0.3)
    network.save(tmp_path / "density.keras")
    loaded = keras.saving.load_model(tmp_path / "density.keras")
    np.testing.assert_array_equal(
        loaded.log_likelihood(images_of((4, 8, 1), 3)), network.log_likelihood(images_of((4, 8, 1), 3))
    )
    assert loaded.dropout == 0.3


def test_sides_that_cannot_be_halved_are_refused():
    with pytest.raises(ganlib.UserError, match="resolutions=2 needs sides that are multiples of 2, got images of 7x8"):
        made((7, 8, 1))
    with pytest.raises(ganlib.UserError, match="blocks must be at least 1, got 0"):
        made(blocks=0)
