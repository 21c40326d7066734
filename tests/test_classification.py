import numpy as np
import pytest

from ganlib import classification, data, metrics
from ganlib.networks import Classifier, mlp
from tests.helpers import SHAPE


@pytest.fixture
def classifier():
    return Classifier(mlp.Discriminator(SHAPE, width=8).body, SHAPE, 10)


def test_calibration_makes_probabilities_of_the_held_out_images_likelier(classifier):
    source = data.open("digits", "test")

    def cross_entropy():
        probabilities = classification.classify(classifier, source)
        return -np.log(probabilities[np.arange(500), source.labels]).mean()

    before, classes = cross_entropy(), classification.classify(classifier, source).argmax(1)
    classifier.head.kernel.assign(5 * classifier.head.kernel)  # far too confident for a network without training
    worse = cross_entropy()
    temperature = classification.calibrate(classifier, source)
    assert temperature > 3
    assert cross_entropy() < min(before, worse)
    np.testing.assert_array_equal(classification.classify(classifier, source).argmax(1), classes)
    assert classification.calibrate(classifier, None) == temperature


def test_a_test_tells_all(classifier):
    source = data.open("digits", "test")
    result, picture = classification.test(classifier, source)
    probabilities = classifier.classify(source.images)
    assert (
        result["test_accuracy"] == metrics.accuracy(source.labels, probabilities) == classification.accuracy(classifier, source)
    )
    assert np.sum(result["confusion_matrix"]) == result["test_images"] == 500
    assert list(result["recall_by_class"]) == [str(k) for k in range(10)]
    assert result["expected_calibration_error"] == metrics.expected_calibration_error(source.labels, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(1) != source.labels)
    worst = wrong[probabilities.max(1)[wrong].argmax()]
    first = picture.axes[0]
    expected = f"{probabilities[worst].argmax()}, not {source.labels[worst]}\n{100 * probabilities[worst].max():.0f} %"
    assert first.get_title() == expected
    np.testing.assert_array_equal(first.images[0].get_array(), source.images[worst, ..., 0])


def test_no_mistakes_no_picture(classifier):
    source = data.open("digits", "test")
    right = data.sources.from_arrays("right", source.images, classifier.classify(source.images).argmax(1), source.class_names)
    result, picture = classification.test(classifier, right)
    assert result["test_accuracy"] == 1.0
    assert picture is None
