import json

import keras
import numpy as np
import pytest

from ganlib import data, layers, metrics
from ganlib.evaluation import classification
from ganlib.networks import Classifier, mlp
from tests.helpers import SHAPE


@pytest.fixture
def classifier():
    return Classifier(mlp.Discriminator(SHAPE, width=8).body, SHAPE, 10)


def test_calibration_lowers_the_cross_entropy_of_held_out_images(classifier):
    source = data.open("digits", "test")

    def cross_entropy():
        probabilities = classification.classify(classifier, source)
        return -np.log(probabilities[np.arange(500), source.labels]).mean()

    before, classes = cross_entropy(), classification.classify(classifier, source).argmax(1)
    classifier.head.kernel.assign(5 * classifier.head.kernel)  # overconfident for an untrained network
    overconfident = cross_entropy()
    temperature = classification.calibrate(classifier, source)
    assert temperature > 3
    assert cross_entropy() < min(before, overconfident)
    np.testing.assert_array_equal(classification.classify(classifier, source).argmax(1), classes)
    assert classification.calibrate(classifier, None) == temperature


def test_cross_fitted_temperatures_have_not_seen_their_images(classifier):
    source = data.open("digits", "test").subset(np.arange(50))
    raw = classification.logits(classifier, source).astype(np.float64)
    probabilities = classification.cross_fitted(classifier, source)
    temperatures = (raw[:, 0] - raw[:, 1]) / np.log(probabilities[:, 0] / probabilities[:, 1])
    assert len(set(temperatures.round(6))) == 5
    for temperature in set(temperatures.round(6)):
        left_out = temperatures.round(6) == temperature
        assert left_out.sum() == 10
        kept = source.subset(np.flatnonzero(~left_out))
        assert classification.calibrate(classifier, kept) == pytest.approx(temperature, rel=1e-3)


def test_cross_fitted_probabilities_have_the_shifted_frequencies():
    body, source = mlp.Discriminator(SHAPE, width=8).body, data.open("digits", "test").subset(np.arange(60))
    classifier = Classifier(body, SHAPE, 10, layers.with_prior_shift(keras.layers.Dense(10)))
    training = np.linspace(1, 2, 10) / np.linspace(1, 2, 10).sum()
    temperature = classification.calibrate(classifier, source, training)
    unshifted = classification.logits(classifier, source).astype(np.float64)
    log_ratios = np.linspace(-1, 1, 10)
    layers.prior_shift_of(classifier.head).shift.assign(temperature * log_ratios)
    probabilities = classification.cross_fitted(classifier, source, training)
    logs = np.log(probabilities) - log_ratios
    for image, row in zip(unshifted, logs, strict=True):
        fitted = (image[0] - image[1]) / (row[0] - row[1])
        assert fitted == pytest.approx(temperature, rel=0.5)
        np.testing.assert_allclose(row - row[0], (image - image[0]) / fitted, atol=1e-3)


def test_calibration_error_of_held_out_images_is_the_cross_fitted_one(classifier):
    source = data.open("digits", "test").subset(np.arange(60))
    classification.calibrate(classifier, source)
    cross_fitted = np.full((60, 10), 0.05)
    cross_fitted[:, 3] = 0.55
    result, _ = classification.test(classifier, source, cross_fitted=cross_fitted)
    assert result["expected_calibration_error"] == metrics.expected_calibration_error(source.labels, cross_fitted)
    assert result["test_accuracy"] == classification.accuracy(classifier, source)


def test_the_test_result_is_complete(classifier):
    source = data.open("digits", "test")
    result, figure = classification.test(classifier, source)
    probabilities = classifier.classify(source.images)
    assert (
        result["test_accuracy"] == metrics.accuracy(source.labels, probabilities) == classification.accuracy(classifier, source)
    )
    assert np.sum(result["confusion_matrix"]) == result["test_images"] == 500
    assert list(result["recall_by_class"]) == [str(k) for k in range(10)]
    assert result["majority_accuracy"] == np.bincount(source.labels).max() / 500
    for key in ("balanced_accuracy", "macro_f1", "roc_auc"):
        assert result[key] == getattr(metrics, key)(source.labels, probabilities)
    np.testing.assert_array_equal(list(result["f1_by_class"].values()), metrics.f1_by_class(source.labels, probabilities))
    intervals = metrics.intervals(source.labels, probabilities)
    np.testing.assert_array_equal(result["intervals"].pop("test_accuracy"), intervals.pop("accuracy"))
    np.testing.assert_array_equal(list(result["intervals"].pop("f1_by_class").values()), intervals.pop("f1_by_class"))
    assert result["intervals"] == {key: value.tolist() for key, value in intervals.items()}
    assert result["expected_calibration_error"] == metrics.expected_calibration_error(source.labels, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(1) != source.labels)
    worst = wrong[probabilities.max(1)[wrong].argmax()]
    first = figure.axes[0]
    expected = f"{probabilities[worst].argmax()}, not {source.labels[worst]}\n{100 * probabilities[worst].max():.0f} %"
    assert first.get_title() == expected
    np.testing.assert_array_equal(first.images[0].get_array(), source.images[worst, ..., 0])


def test_test_images_of_one_class(classifier):
    source = data.open("digits", "test")
    result, _ = classification.test(classifier, source.subset(np.flatnonzero(source.labels == 3)))
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["majority_accuracy"] == 1.0
    assert result["roc_auc"] is result["intervals"]["roc_auc"] is None
    defined = {str(k) for k in range(10)} - {name for name, value in result["f1_by_class"].items() if value is None}
    assert defined == {"3"}
    assert result["intervals"]["f1_by_class"]["4"] is None
    assert result["balanced_accuracy"] == result["recall_by_class"]["3"] == result["test_accuracy"]


def test_without_mistakes_there_is_no_figure(classifier):
    source = data.open("digits", "test")
    relabeled = data.from_arrays("relabeled", source.images, classifier.classify(source.images).argmax(1), source.class_names)
    result, figure = classification.test(classifier, relabeled)
    assert result["test_accuracy"] == 1.0
    assert figure is None
