import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.layers import conditioning
from ganlib.networks import mlp

RNG = np.random.default_rng(0)
LOGITS, FEATURES = RNG.normal(size=4).astype(np.float32), RNG.normal(size=(4, 5)).astype(np.float32)
LABELS = np.array([0, 2, 1, 0])


def layer(name, spectral_norm=False):
    built = conditioning.get(name, 3, spectral_norm)
    built(LOGITS, FEATURES, LABELS)
    return built


def test_projection_matches_numpy():
    projection = layer("projection")
    expected = LOGITS + np.sum(projection.embedding.get_weights()[0][LABELS] * FEATURES, axis=1)
    np.testing.assert_allclose(projection(LOGITS, FEATURES, LABELS), expected, rtol=1e-5)


def test_concatenation_matches_numpy():
    concatenation = layer("concatenation")
    embedding, kernel, bias, head, head_bias = concatenation.get_weights()
    hidden = np.concatenate([FEATURES, embedding[LABELS]], axis=1) @ kernel + bias
    expected = LOGITS + (np.where(hidden > 0, hidden, 0.2 * hidden) @ head + head_bias)[:, 0]
    np.testing.assert_allclose(concatenation(LOGITS, FEATURES, LABELS), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["auxiliary", "contrastive"])
def test_auxiliary_and_contrastive_heads_leave_the_logits_unchanged(name):
    np.testing.assert_array_equal(layer(name)(LOGITS, FEATURES, LABELS), LOGITS)


def test_embeddings_of_images_and_classes_have_length_1():
    contrastive = layer("contrastive")
    for embedded in (contrastive.embed(FEATURES), contrastive.proxies(LABELS)):
        assert embedded.shape == (4, conditioning.Contrastive.DIMENSIONS)
        np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, rtol=1e-5)
    assert layer("auxiliary").class_logits(FEATURES).shape == (4, 3)


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("name", conditioning.CONDITIONINGS)
def test_each_layer_is_saved_with_a_discriminator(name, spectral_norm, tmp_path):
    network = mlp.Discriminator((4, 4, 1), width=6, num_classes=3, conditioning=name, spectral_norm=spectral_norm)
    images = RNG.uniform(-1, 1, (4, 4, 4, 1)).astype(np.float32)
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(network(images, LABELS), loaded(images, LABELS))
    assert len(network.trainable_variables) == len(loaded.trainable_variables)


def test_labels_of_concatenation_affect_the_logits_and_its_weights():
    concatenation = layer("concatenation")
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(concatenation(LOGITS, FEATURES, LABELS))
    assert all(np.abs(tf.convert_to_tensor(g)).max() > 0 for g in tape.gradient(value, concatenation.trainable_variables))
    assert not np.allclose(concatenation(LOGITS, FEATURES, LABELS), concatenation(LOGITS, FEATURES, LABELS[::-1]))


def test_unknown_names_are_rejected():
    with pytest.raises(ganlib.UserError, match="unknown conditioning 'projektion'.*Did you mean 'projection'"):
        mlp.Discriminator((4, 4, 1), num_classes=3, conditioning="projektion")
