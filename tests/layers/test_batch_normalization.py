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
