import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data
from ganlib.networks import pixel_cnn
from tests.helpers import SHAPE, adam, replicas, same, sgd, weights


def made(optimizer=None, **arguments):
    keras.utils.set_random_seed(0)
    model = ganlib.DensityModel(pixel_cnn.PixelCNN(SHAPE, width=4, blocks=1, resolutions=1, mixtures=2))
    model.compile(optimizer or adam(1e-2), **arguments)
    return model


def test_training_raises_the_likelihood_of_the_training_images():
    digits, model = data.open("digits"), made()
    before = np.mean(model(digits.images[:200]))
    history = model.fit(data.batches(digits, 32, with_labels=False), epochs=4, steps_per_epoch=20, verbose=0).history
    after = np.mean(model(digits.images[:200]))
    assert after > before + 50  # nats
    assert history["loss"][-1] < history["loss"][0]
    assert history["bits_per_value"][0] == pytest.approx(history["loss"][0] / 64 / np.log(2), rel=1e-5)
    noise = np.random.default_rng(0).integers(0, 256, (50, *SHAPE), np.uint8)
    assert np.mean(model(noise)) < after - 100


def test_gradients_are_those_of_the_negative_log_likelihood(images):
    model = made(sgd())
    before = weights(model.network)
    with tf.GradientTape() as tape:
        loss = -keras.ops.mean(model.network.log_likelihood(images / np.float32(127.5) - 1))
    gradient = tape.gradient(loss, model.network.trainable_variables)
    logs = model.train_on_batch(images, return_dict=True)
    assert float(logs["loss"]) == pytest.approx(float(loss), rel=1e-5)
    for value, slope, variable in zip(before, gradient, model.network.trainable_variables, strict=True):
        np.testing.assert_allclose(variable, value - 0.05 * slope, atol=2e-4)


def test_saved_model_continues_bit_for_bit(tmp_path, images):
    model = made()
    model.train_on_batch(images)
    model.save(tmp_path / "density.keras")
    loaded = keras.saving.load_model(tmp_path / "density.keras")
    for one in (model, loaded):
        one.train_on_batch(images)
    assert same(weights(model), weights(loaded))


@pytest.mark.slow
def test_one_and_two_replicas_give_the_same_weights(float64):
    def trained(count):
        with replicas(count).scope():
            model = made(keras.optimizers.SGD(1e-4))
        model.fit(data.batches(data.open("digits"), 16, with_labels=False), steps_per_epoch=3, verbose=0)
        return weights(model)

    for one, other in zip(trained(1), trained(2), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
