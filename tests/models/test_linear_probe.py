import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

import ganlib
from ganlib import data
from ganlib.models import linear_probe
from ganlib.networks import Classifier, dcgan

SHAPE = (1, 2, 3)
"""Six features in the form of an image; the body of the classifier flattens them."""


def examples(count, classes=3, seed=0):
    labels = np.arange(count) % classes
    noise = np.random.default_rng(seed).normal(size=(count, 6))
    return (0.3 * np.tanh(noise + 1.5 * np.eye(6)[labels])).astype(np.float32).reshape(-1, *SHAPE), labels


def probe(classes=3, **arguments):
    model = ganlib.LinearProbe(Classifier(keras.layers.Flatten(), SHAPE, classes))
    model.compile(**arguments)
    return model


@pytest.mark.parametrize("classes", [2, 3])
def test_the_weights_are_those_of_a_logistic_regression(classes):
    features, labels = examples(60, classes)
    model = probe(classes)
    model.fit(features, labels)
    flat, held_out = features.reshape(60, 6), examples(40, classes, seed=1)[0].reshape(40, 6)
    scale = np.sqrt(flat.var(axis=0).mean())
    strengths = []
    for strength in linear_probe.STRENGTHS:
        expected = LogisticRegression(C=strength, max_iter=1000).fit(flat / scale, labels).predict_proba(held_out / scale)
        if np.allclose(model.classify(held_out.reshape(-1, *SHAPE)), expected, atol=1e-3):
            strengths.append(strength)
    assert len(strengths) == 1
    assert int(model.step) == 1


def test_the_penalty_is_chosen_by_left_out_labels():
    """Labels without any relation to the features get a stronger penalty than clear ones."""
    features, labels = examples(300)
    clear, random = probe(), probe()
    clear.fit(features, labels)
    random.fit(features, np.random.default_rng(0).permutation(labels))
    size = [float(np.abs(np.array(model.network.head.kernel)).sum()) for model in (clear, random)]
    assert size[0] > 10 * size[1]


def test_balanced_weights_correct_unequal_numbers():
    features, labels = examples(300, 2)
    rare = np.flatnonzero((labels == 0) | (np.arange(300) < 40))
    overlapping = 0.3 * features[rare]
    recall = []
    for balanced in (False, True):
        model = probe(2, balanced=balanced)
        model.fit(overlapping, labels[rare])
        predicted = model.classify(overlapping).argmax(axis=1)
        recall.append((predicted[labels[rare] == 1] == 1).mean())
    assert recall[1] > recall[0] + 0.1


def test_a_single_label_per_class_is_enough():
    features, labels = examples(3)
    model = probe()
    model.fit(features, labels)
    assert (model.classify(features).argmax(axis=1) == labels).all()


def test_a_missing_class_is_refused():
    features, labels = examples(20, 2)
    with pytest.raises(ganlib.UserError, match="2 of 3 classes have labeled images"):
        probe(3).fit(features, labels)


def test_other_heads_are_refused():
    head = keras.Sequential([keras.layers.GaussianNoise(0.1), keras.layers.Dense(2)])
    with pytest.raises(ganlib.UserError, match="needs a classifier whose head is a dense layer"):
        ganlib.LinearProbe(Classifier(keras.layers.Flatten(), SHAPE, 2, head))


def test_images_are_fitted_through_the_body():
    source = data.open("digits")
    keras.utils.set_random_seed(0)
    model = ganlib.LinearProbe(Classifier(dcgan.Discriminator((8, 8, 1), width=16).body, (8, 8, 1), 10))
    model.compile()
    before = [np.array(weight) for weight in model.network.body.weights]
    model.fit(data.batches(source, 500))
    held_out = data.open("digits", "test")
    assert ganlib.metrics.accuracy(held_out.labels, model.classify(held_out.images)) > 0.85  # of random features
    assert all(np.array_equal(a, b) for a, b in zip(before, model.network.body.weights, strict=True))


def test_all_batches_of_a_finite_dataset_are_fitted():
    features, labels = examples(30)
    whole, batched = probe(), probe()
    whole.fit(features, labels)
    history = batched.fit(tf.data.Dataset.from_tensor_slices((features, labels)).batch(7))
    np.testing.assert_allclose(batched.classifier(features), whole.classifier(features), atol=1e-4)
    assert sorted(history.history) == ["inverse_l2", "train_accuracy"]


def test_labels_and_arguments_without_effect_are_refused():
    features, labels = examples(30)
    with pytest.raises(ganlib.UserError, match="labels must be integers from 0 to 2, got int64 from 1 to 3"):
        probe().fit(features, labels + 1)
    with pytest.raises(ganlib.UserError, match="fitted at once, without validation_data"):
        probe().fit(features, labels, validation_data=(features, labels))


def test_a_new_fit_resets_the_calibration():
    features, labels = examples(30)
    model = probe()
    model.classifier.temperature.assign(3.0)
    model.fit(features, labels)
    assert float(model.classifier.temperature) == 1.0


def test_a_saved_probe_classifies_equally(tmp_path):
    features, labels = examples(30)
    model = probe()
    model.fit(features, labels)
    model.save(tmp_path / "probe.keras")
    loaded = keras.saving.load_model(tmp_path / "probe.keras")
    np.testing.assert_allclose(loaded.classify(features), model.classify(features), atol=1e-6)
    assert loaded.get_compile_config() == model.get_compile_config()


def test_labels_that_cannot_be_predicted_do_not_choose_a_constant_classifier(caplog):
    """Without a limit, the strongest penalty would win, because its logits are about 0."""
    pairs = np.random.default_rng(3).normal(size=(10, 40)).astype(np.float32)
    features, labels = np.repeat(pairs, 2, axis=0), np.arange(20) % 2  # each image is in both classes
    shape = (1, 8, 5)

    def chosen(features):
        classifier = Classifier(keras.layers.Flatten(), shape, 2)
        return linear_probe.fit_head([classifier], features, labels)["inverse_l2"]

    assert chosen(features) == pytest.approx(linear_probe.DEFAULT_STRENGTH)
    assert "label more images" in caplog.text
    caplog.clear()
    features[:, 0] += 8 * labels
    assert chosen(features) != linear_probe.STRENGTHS[0]
    assert not caplog.text
