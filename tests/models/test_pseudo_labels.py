import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import losses
from ganlib.networks import Classifier, mlp
from tests.helpers import SHAPE, adam, same, weights


def make(**arguments):
    keras.utils.set_random_seed(0)
    model = ganlib.PseudoLabelClassifier(Classifier(mlp.Discriminator(SHAPE, width=8).body, SHAPE, 3))
    model.compile(arguments.pop("optimizer", adam()), **arguments)
    return model


def test_the_loss_by_hand():
    logits = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = -(log_p[0, 2] + log_p[2, 1]) / 3  # the second is not sure, and counts in the mean
    loss = losses.pseudo_label_loss([2, 0, 1], [True, False, True], logits)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_a_step_is_that_of_the_two_losses(images, labels):
    model = make(optimizer=keras.optimizers.SGD(0.1), threshold=0.4, unlabeled_weight=0.5)
    labeled, unlabeled = (images[:9] / 127.5 - 1).astype(np.float32), (images[9:] / 127.5 - 1).astype(np.float32)
    guess = tf.nn.softmax(model.network(unlabeled)).numpy()
    sure = guess.max(1) >= 0.4
    assert 0 < sure.sum() < len(sure)
    with tf.GradientTape() as tape:
        loss = ganlib.models.supervised.cross_entropy(labels[:9], model.network(labeled))
        losses = keras.losses.sparse_categorical_crossentropy(guess.argmax(1), model.network(unlabeled), from_logits=True)
        loss += 0.5 * tf.reduce_sum(tf.boolean_mask(losses, sure)) / len(sure)
    gradients = tape.gradient(loss, model.network.trainable_variables)
    expected = [v - 0.1 * g for v, g in zip(model.network.trainable_variables, gradients, strict=True)]
    logs = model.train_step((tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])))
    assert float(logs["sure"]) == pytest.approx(sure.mean())
    for value, variable in zip(expected, model.network.trainable_variables, strict=True):
        np.testing.assert_allclose(value, variable, atol=1e-6)


def test_every_option_changes_the_training(images, labels):
    def trained(**arguments):
        model = make(**{"threshold": 0.0, **arguments})
        for _ in range(2):
            model.train_step((tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])))
        return weights(model.network)

    base = trained()
    assert same(base, trained())
    for arguments in ({"threshold": 1.1}, {"unlabeled_weight": 0.1}, {"augment": "translation"}, {"strong_augment": "cutout"}):
        assert not same(base, trained(**arguments))


def test_round_trip_continues_bit_for_bit(tmp_path, images, labels):
    batch = tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])
    model = make(augment="translation", strong_augment="color,cutout", threshold=0.3)
    model.train_step(batch)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    model.train_step(batch)
    loaded.train_step(batch)
    assert same(weights(model), weights(loaded))
