import keras
import numpy as np
import pytest
import scipy.special
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


def test_one_pass_has_the_batch_statistics_of_all_images(images, labels):
    """By hand: the network is a batch normalization and a dense layer, and all three parts are normalized together."""
    body = keras.Sequential([keras.layers.Flatten(), keras.layers.BatchNormalization(center=False, scale=False)])

    def logs(joint_pass):
        keras.utils.set_random_seed(0)
        model = ganlib.PseudoLabelClassifier(Classifier(keras.models.clone_model(body), SHAPE, 3))
        model.compile(keras.optimizers.SGD(0.0), threshold=0.4, joint_pass=joint_pass)
        results = model.train_step((tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])))
        return {name: float(value) for name, value in results.items()}, model.network.head.get_weights()

    x = images.reshape(24, -1) / 127.5 - 1
    (joint, (kernel, bias)), (apart, _) = logs(True), logs(False)
    batch = np.concatenate([x[9:], x[:9], x[9:]])
    normalized = (batch - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-3)
    log_p = scipy.special.log_softmax(normalized @ kernel + bias, axis=1)
    assert joint["labeled_loss"] == pytest.approx(-log_p[15:24][np.arange(9), labels[:9]].mean(), rel=1e-4)
    guesses, sure = log_p[:15].argmax(1), np.exp(log_p[:15]).max(1) >= 0.4
    assert joint["unlabeled_loss"] == pytest.approx(-(log_p[24:][np.arange(15), guesses] * sure).mean(), rel=1e-4)
    assert apart["labeled_loss"] != pytest.approx(joint["labeled_loss"], rel=1e-3)


def test_weight_decay_shrinks_kernels_and_not_biases(images, labels):
    """With a loss of images that is the same, the step adds -rate * weight_decay * kernel."""
    batch = tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])
    plain, decayed = make(optimizer=keras.optimizers.SGD(0.1)), make(optimizer=keras.optimizers.SGD(0.1), weight_decay=0.5)
    before = [np.array(variable) for variable in plain.network.trainable_variables]
    plain.train_step(batch)
    decayed.train_step(batch)
    for variable, other, value in zip(
        decayed.network.trainable_variables, plain.network.trainable_variables, before, strict=True
    ):
        expected = -0.1 * 0.5 * value if variable.name == "kernel" else 0 * value
        np.testing.assert_allclose(np.array(variable) - np.array(other), expected, atol=1e-6)


def test_a_file_of_an_earlier_version_keeps_its_passes():
    config = make().get_compile_config()
    del config["joint_pass"]
    loaded = make()
    loaded.compile_from_config(config)
    assert not loaded.joint_pass


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
