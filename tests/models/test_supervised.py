import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data
from ganlib.models import supervised
from ganlib.networks import Classifier, dcgan, mlp
from tests.helpers import SHAPE, adam, same, weights


def make(network=mlp, classes=3, **arguments):
    body = network.Discriminator(SHAPE, width=16).body
    model = ganlib.SupervisedClassifier(Classifier(body, SHAPE, classes))
    model.compile(adam(), **arguments)
    return model


def test_accuracy_by_hand():
    logits = np.log([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]).astype(np.float32)
    assert float(supervised.accuracy([0, 2], logits)) == 0.5


def test_classifier_learns_the_digits():
    source, held_out = data.open("digits"), data.open("digits", "test")
    model = make(dcgan, classes=10, ema_decay=0.9)
    model.fit(data.batches(source, 64), steps_per_epoch=150, verbose=0)
    assert ganlib.metrics.accuracy(held_out.labels, model.classify(held_out.images)) > 0.9


def test_labels_are_used(images, labels):
    def trained(labels):
        keras.utils.set_random_seed(0)
        model = make()
        model.train_step((tf.constant(images), tf.constant(labels)))
        return weights(model.network)

    assert not same(trained(labels), trained((labels + 1) % 3))


def test_class_weights_scale_the_loss_of_each_class(images, labels):
    """With the weight 0 for two classes, only the third one trains the network."""

    def trained(images, labels, **arguments):
        keras.utils.set_random_seed(0)
        model = make(**arguments)
        model.compile(keras.optimizers.SGD(0.1), **arguments)
        model.train_step((tf.constant(images), tf.constant(labels)))
        return weights(model.network)

    of_class_2 = labels == 2
    share = float(np.mean(of_class_2))
    expected = trained(images[of_class_2], labels[of_class_2])
    actual = trained(images, labels, class_weights=[0, 0, 1 / share])
    for value, other in zip(expected, actual, strict=True):
        np.testing.assert_allclose(value, other, atol=1e-6)


@pytest.mark.parametrize("class_weights", [[1.0, 2.0], [1.0, -1.0, 1.0], [1.0, np.nan, 1.0], "balanced", [1.0, "2", 1.0]])
def test_invalid_class_weights_are_rejected(class_weights):
    with pytest.raises(ganlib.UserError, match="class_weights must be 3 numbers of at least 0, one for each class, got"):
        make(class_weights=class_weights)


def test_saved_model_continues_bit_for_bit(tmp_path):
    source = data.open("digits")
    model = make(dcgan, classes=10, augment="translation", class_weights=np.arange(10))
    model.fit(data.batches(source, 16), steps_per_epoch=3, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(data.batches(source, 16, start_step=3), steps_per_epoch=3, verbose=0)
    assert same(weights(model), weights(loaded))
