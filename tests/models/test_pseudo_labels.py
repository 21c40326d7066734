import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.networks import Classifier, mlp
from tests.helpers import SHAPE, adam, same, weights


def make(**arguments):
    keras.utils.set_random_seed(0)
    model = ganlib.PseudoLabelClassifier(Classifier(mlp.Discriminator(SHAPE, width=8).body, SHAPE, 3))
    model.compile(arguments.pop("optimizer", adam()), **arguments)
    return model


def test_train_step_matches_gradients_of_the_two_losses(images, labels):
    model = make(optimizer=keras.optimizers.SGD(0.1), threshold=0.4, unlabeled_weight=0.5)
    labeled, unlabeled = (images[:9] / 127.5 - 1).astype(np.float32), (images[9:] / 127.5 - 1).astype(np.float32)
    predictions = tf.nn.softmax(model.network(unlabeled)).numpy()
    mask = predictions.max(1) >= 0.4
    assert 0 < mask.sum() < len(mask)
    with tf.GradientTape() as tape:
        loss = ganlib.models.supervised.cross_entropy(labels[:9], model.network(labeled))
        losses = keras.losses.sparse_categorical_crossentropy(predictions.argmax(1), model.network(unlabeled), from_logits=True)
        loss += 0.5 * tf.reduce_sum(tf.boolean_mask(losses, mask)) / len(mask)
    gradients = tape.gradient(loss, model.network.trainable_variables)
    expected = [v - 0.1 * g for v, g in zip(model.network.trainable_variables, gradients, strict=True)]
    logs = model.train_step((tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])))
    assert float(logs["sure"]) == pytest.approx(mask.mean())
    for value, variable in zip(expected, model.network.trainable_variables, strict=True):
        np.testing.assert_allclose(value, variable, atol=1e-6)


def test_every_option_affects_training(images, labels):
    def trained(**arguments):
        model = make(**{"threshold": 0.0, **arguments})
        for _ in range(2):
            model.train_step((tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])))
        return weights(model.network)

    base = trained()
    assert same(base, trained())
    for arguments in ({"threshold": 1.1}, {"unlabeled_weight": 0.1}, {"augment": "translation"}, {"strong_augment": "cutout"},
                      {"class_weights": [1, 2, 3]}):  # fmt: skip
        assert not same(base, trained(**arguments))


def test_saved_model_continues_bit_for_bit(tmp_path, images, labels):
    batch = tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])
    model = make(augment="translation", strong_augment="color,cutout", threshold=0.3)
    model.train_step(batch)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    model.train_step(batch)
    loaded.train_step(batch)
    assert same(weights(model), weights(loaded))
