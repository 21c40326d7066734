import keras
import numpy as np
import tensorflow as tf

from ganlib import seeds
from ganlib.networks import Classifier, dcgan, improved_mlp
from ganlib.training import draws

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), np.uint8)


def create():
    return Classifier(dcgan.Discriminator((8, 8, 1), width=4).body, (8, 8, 1), num_classes=3)


def test_the_head_is_applied_to_the_shared_body():
    discriminator = dcgan.Discriminator((8, 8, 1), width=4, normalization=None)
    classifier = Classifier(discriminator.body, (8, 8, 1), num_classes=3)
    features = discriminator.features(IMAGES / 127.5 - 1.0)
    kernel, bias = classifier.head.get_weights()
    np.testing.assert_allclose(classifier(IMAGES), features @ kernel + bias, rtol=1e-4, atol=1e-6)
    ids = {id(v) for v in classifier.trainable_variables}
    assert not ids & {id(v) for v in discriminator.head.trainable_variables}


def test_gradients_reach_every_weight():
    classifier = create()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(classifier(IMAGES, training=True)[:, 0])
    assert all(g is not None for g in tape.gradient(loss, classifier.trainable_variables))


def test_classify_returns_equal_probabilities_for_uint8_and_float_images():
    classifier = create()
    probabilities = classifier.classify(IMAGES, batch_size=4)
    assert probabilities.shape == (6, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(classifier.classify((IMAGES / 127.5 - 1).astype("float32")), probabilities, atol=1e-5)


def test_the_discriminator_chooses_the_head(tmp_path):
    discriminator = improved_mlp.Discriminator((8, 8, 1), width=8)
    classifier = Classifier(discriminator.body, (8, 8, 1), 3, discriminator.class_head(3))
    assert classifier(IMAGES).shape == (6, 3)
    assert not np.array_equal(classifier.head(np.ones((1, 2)), training=True), classifier.head(np.ones((1, 2))))  # noise
    classifier.save(tmp_path / "classifier.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "classifier.keras")(IMAGES), classifier(IMAGES))


def test_data_dependent_initialization_of_body_and_head():
    """With the noise of the initialization, as in the authors' code, the logits have mean 0 and standard deviation 1."""
    discriminator = improved_mlp.Discriminator((8, 8, 1), width=80)
    classifier = Classifier(discriminator.body, (8, 8, 1), 3, discriminator.class_head(3))
    images = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), np.uint8)
    seed = seeds.derive(0, seeds.Purpose.INITIALIZATION)
    draws.seed([classifier], seed)
    classifier.initialize(images)
    draws.seed([classifier], seed)
    logits = np.asarray(classifier(images, training=True))
    np.testing.assert_allclose(logits.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(logits.std(0), 1, atol=1e-2)
    assert np.asarray(classifier(images)).std(0).max() < 0.9  # the noise has a part in it


def test_it_is_a_plain_keras_model(tmp_path):
    classifier = create()
    classifier.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    classifier.fit(IMAGES, np.arange(6) % 3, epochs=1, verbose=0)
    classifier.save(tmp_path / "classifier.keras")
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    np.testing.assert_array_equal(loaded(IMAGES), classifier(IMAGES))
