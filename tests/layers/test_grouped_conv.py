import keras
import numpy as np

from ganlib import layers


def test_outputs_match_keras():
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 12)).astype(np.float32)
    for groups in (1, 2, 4, 12):
        layer = layers.GroupedConv(24, 3, groups=groups, padding="same", activation="relu")
        reference = keras.layers.Conv2D(24, 3, groups=groups, padding="same", activation="relu")
        layer.build(x.shape)
        reference.build(x.shape)
        weights = [np.random.default_rng(1).normal(size=w.shape) for w in layer.get_weights()]
        layer.set_weights(weights)
        reference.set_weights(weights)
        np.testing.assert_allclose(layer(x), reference(x), rtol=1e-4, atol=1e-4)
