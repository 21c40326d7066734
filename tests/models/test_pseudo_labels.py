import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

import ganlib
from ganlib.networks import Classifier, mlp
from ganlib.training import RandomStream
from tests.helpers import SHAPE, adam, replicas, same, two_replicas, weights


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


def learner(**arguments):
    return make(augment="flip", strong_augment=ganlib.augment.CTAugment("flip", **arguments), threshold=0.4)


def test_ctaugment_is_updated_by_the_averaged_classifier(images, labels):
    """By hand: the probes of a step are the second part of its draws, and a match is the probability of the label."""
    model = learner(decay=0.5)
    rng, batch = RandomStream(7), (tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:]))
    model.classifier_loss(*batch, rng)
    probes, numbers, levels = model.strong_augment.probe(model.augment(images[:9] / np.float32(127.5) - 1, rng), rng)
    matches = scipy.special.softmax(model.classifier(probes).numpy(), axis=1)[np.arange(9), labels[:9]]
    policy = ganlib.augment.CTAugment(decay=0.5)
    policy.update(numbers, levels, tf.constant(matches))

    model = learner(decay=0.5)
    model.random_stream = lambda: RandomStream(7)
    logs = model.train_step(batch)
    assert float(logs["probe_match"]) == pytest.approx(matches.mean(), abs=1e-6)
    np.testing.assert_allclose(model.augment_state.bin_weights, policy.state.bin_weights, atol=1e-6)
    assert np.min(policy.state.bin_weights) < 0.9


def light_and_dark(count):
    """Returns images of two classes, which differ in their brightness alone, and their labels."""
    labels = np.arange(count) % 2
    noise = np.random.default_rng(0).integers(-20, 21, (count, *SHAPE))
    return np.uint8(np.where(labels, 210, 45)[:, None, None, None] + noise), labels


def test_a_transformation_that_destroys_the_classes_loses_its_weight():
    images, labels = light_and_dark(64)
    body = mlp.Discriminator(SHAPE, width=16).body
    model = ganlib.PseudoLabelClassifier(Classifier(body, SHAPE, 2))
    model.compile(adam(1e-2), strong_augment="ctaugment", ema_decay=0.9)
    dataset = tf.data.Dataset.from_tensors((images, labels, images)).repeat()
    model.fit(dataset, steps_per_epoch=60, verbose=0)
    weights = model.strong_augment.learned_weights()
    inverted, rotated = weights["invert"][0], weights["rotate"][0]
    assert inverted[-3:].mean() < inverted[:3].mean() - 0.1  # an image whose levels are inverted looks like the other class
    assert rotated.mean() > inverted[-3:].mean() + 0.1
    assert rotated.min() > 0.8 * rotated.max()  # all angles stay in use


def test_ctaugment_is_saved_and_continues_bit_for_bit(tmp_path, images, labels):
    batch = tf.constant(images[:9]), tf.constant(labels[:9]), tf.constant(images[9:])
    model = make(augment="flip", strong_augment="flip,ctaugment", threshold=0.3)
    for _ in range(2):
        model.train_step(batch)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.min(loaded.augment_state.bin_weights) < 1.0
    model.train_step(batch)
    loaded.train_step(batch)
    assert same(weights(model), weights(loaded))
    np.testing.assert_array_equal(model.augment_state.bin_weights, loaded.augment_state.bin_weights)


def learned_on(count, images, labels, parts=1):
    """Trains on a global batch of 8, on 1 or 2 replicas or in micro-batches. Returns the model and its logs."""
    with replicas(count).scope():
        keras.utils.set_random_seed(0)
        model = ganlib.PseudoLabelClassifier(Classifier(mlp.Discriminator(SHAPE, width=8).body, SHAPE, 3))
        policy = ganlib.augment.CTAugment("flip", depth=1)
        model.compile(keras.optimizers.SGD(0.05), strong_augment=policy, threshold=0.4, ema_decay=0.5, accumulation_steps=parts)
    dataset = tf.data.Dataset.from_tensor_slices((images[:8], labels[:8], images[8:16])).batch(8).repeat()
    return model, model.fit(dataset, steps_per_epoch=4, verbose=0).history


def check_learned(model, logs, bin_weights, match):
    learned = np.array(model.augment_state.bin_weights)
    assert learned.min() < 0.99
    np.testing.assert_allclose(bin_weights, learned, atol=1e-5)
    np.testing.assert_allclose(match, logs["probe_match"], atol=1e-5)


def test_replicas_learn_the_weights_of_one_device(images, labels):
    model, logs = learned_on(2, images, labels)
    values = [np.array(v) for v in two_replicas().experimental_local_results(model.augment_state.bin_weights.value)]
    np.testing.assert_array_equal(*values)
    check_learned(*learned_on(1, images, labels), values[0], logs["probe_match"])


@pytest.mark.slow
def test_micro_batches_learn_the_weights_of_the_whole_batch(images, labels):
    model, logs = learned_on(1, images, labels, parts=2)
    check_learned(*learned_on(1, images, labels), model.augment_state.bin_weights, logs["probe_match"])


@pytest.mark.parametrize("name", ["ada", "flip,ctaugment"])
def test_a_weak_augmentation_that_adapts_is_rejected(name):
    with pytest.raises(ganlib.UserError, match="augmentation .* adapts to"):
        make(augment=name)
