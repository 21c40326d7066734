import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

import ganlib
from ganlib.layers.attention import SelfAttention
from ganlib.networks import resnet

IMAGES = np.random.default_rng(0).normal(size=(2, 4, 6, 16)).astype(np.float32)


def test_attention_is_the_identity_at_first_and_then_matches_numpy():
    layer = SelfAttention(spectral_norm=False)
    np.testing.assert_array_equal(layer(IMAGES), IMAGES)
    layer.scale.assign(0.7)
    q, k, v, o = (conv.get_weights()[0][0, 0] for conv in (layer.queries, layer.keys, layer.values, layer.outputs))
    assert (q.shape, k.shape, v.shape, o.shape) == ((16, 2), (16, 2), (16, 8), (8, 16))

    def pooled(x):
        return x.reshape(2, 2, 2, 3, 2, -1).max(axis=(2, 4)).reshape(2, 6, -1)

    weights = scipy.special.softmax((IMAGES @ q).reshape(2, 24, 2) @ pooled(IMAGES @ k).transpose(0, 2, 1), axis=-1)
    expected = IMAGES + 0.7 * (weights @ pooled(IMAGES @ v) @ o).reshape(IMAGES.shape)
    np.testing.assert_allclose(layer(IMAGES), expected, rtol=1e-4, atol=1e-5)


def test_each_position_attends_to_all_others():
    layer = SelfAttention()
    inputs = tf.constant(IMAGES)
    layer(inputs)
    layer.scale.assign(1.0)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = tf.reduce_sum(layer(inputs, training=True)[0, 0, 0])
    gradient = np.asarray(tape.gradient(value, inputs))
    assert (np.abs(gradient[0]).max(axis=-1) > 0).mean() > 0.2  # only pooled maxima receive gradients
    assert not gradient[1].any()


@pytest.mark.parametrize("classes", [None, 3])
def test_sagan_networks_are_trained_and_saved(classes, tmp_path):
    generator = resnet.Generator((16, 16, 1), 4, width=16, num_classes=classes, attention=8)
    discriminator = resnet.Discriminator((16, 16, 1), width=16, num_classes=classes, attention=8)
    scales = [v for network in (generator, discriminator) for v in network.trainable_variables if v.path.endswith("/scale")]
    assert len(scales) == 2
    for scale in scales:
        scale.assign(0.5)
    labels = [np.arange(4) % 3] if classes else []
    latents = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        logits = discriminator(generator(latents, *labels, training=True), *labels, training=True)
    variables = generator.trainable_variables + discriminator.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(logits, variables), strict=True):
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.path
    generator.save(tmp_path / "generator.keras")
    loaded = keras.saving.load_model(tmp_path / "generator.keras")
    np.testing.assert_array_equal(generator(latents, *labels), loaded(latents, *labels))


def test_a_resolution_without_a_block_is_rejected():
    with pytest.raises(ganlib.UserError, match="no block at resolution 7 for attention: choose one of 8, 16"):
        resnet.Generator((16, 16, 1), 4, width=8, attention=7)
    with pytest.raises(ganlib.UserError, match="no block at resolution 16 for attention: choose one of 8, 4"):
        resnet.Discriminator((16, 16, 1), width=8, attention=16)
