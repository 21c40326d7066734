import keras
import numpy as np
import pytest

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
