import keras
import numpy as np

from ganlib import layers


def test_logits_are_shifted_outside_of_training_only():
    head = layers.with_prior_shift(keras.layers.Dense(2, kernel_initializer="ones"))
    features = np.array([[1.0, 2.0]], np.float32)
    assert np.array_equal(head(features), [[3.0, 3.0]])
    layers.prior_shift_of(head).shift.assign([0.5, -1.0])
    assert np.array_equal(head(features), [[3.5, 2.0]])
    assert np.array_equal(head(features, training=True), [[3.0, 3.0]])
    assert len(head.trainable_variables) == 2


def test_a_head_of_several_layers_keeps_its_layers():
    inner = keras.Sequential([keras.layers.GaussianNoise(0.5), keras.layers.Dense(2)])
    head = layers.with_prior_shift(inner)
    assert head.layers[:2] == inner.layers
    assert layers.prior_shift_of(head) is head.layers[2]
    assert layers.prior_shift_of(inner) is None
    assert layers.prior_shift_of(inner.layers[1]) is None
