import numpy as np
import pytest

from ganlib import data, metrics
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


def test_the_test_result_is_complete(classifier):
    source = data.open("digits", "test")
    result, figure = classification.test(classifier, source)
    probabilities = classifier.classify(source.images)
    assert (
        result["test_accuracy"] == metrics.accuracy(source.labels, probabilities) == classification.accuracy(classifier, source)
    )
    assert np.sum(result["confusion_matrix"]) == result["test_images"] == 500
    assert list(result["recall_by_class"]) == [str(k) for k in range(10)]
    assert result["expected_calibration_error"] == metrics.expected_calibration_error(source.labels, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(1) != source.labels)
    worst = wrong[probabilities.max(1)[wrong].argmax()]
    first = figure.axes[0]
    expected = f"{probabilities[worst].argmax()}, not {source.labels[worst]}\n{100 * probabilities[worst].max():.0f} %"
    assert first.get_title() == expected
    np.testing.assert_array_equal(first.images[0].get_array(), source.images[worst, ..., 0])


def test_without_mistakes_there_is_no_figure(classifier):
    source = data.open("digits", "test")
    relabeled = data.from_arrays("relabeled", source.images, classifier.classify(source.images).argmax(1), source.class_names)
    result, figure = classification.test(classifier, relabeled)
    assert result["test_accuracy"] == 1.0
    assert figure is None
