import numpy as np
import pytest
import scipy.special
from sklearn import metrics as reference

import ganlib
from ganlib import metrics


def test_metrics_match_scikit_learn():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 4, 50), rng.normal(size=(50, 4))
    predicted = scores.argmax(axis=1)
    assert metrics.accuracy(labels, scores) == pytest.approx(reference.accuracy_score(labels, predicted))
    np.testing.assert_array_equal(metrics.confusion_matrix(labels, scores), reference.confusion_matrix(labels, predicted))


@pytest.mark.parametrize("num_classes", [2, 4])
def test_metrics_by_class_match_scikit_learn(num_classes):
    """The scores are coarse, so that there are ties, and the classes are not equally frequent."""
    rng = np.random.default_rng(0)
    labels = rng.choice(num_classes, 80, p=np.arange(1, num_classes + 1) / np.arange(1, num_classes + 1).sum())
    probabilities = rng.dirichlet(np.ones(num_classes), 80).round(1) + 1e-3
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    f1 = reference.f1_score(labels, predicted, average=None)
    np.testing.assert_allclose(metrics.f1_by_class(labels, probabilities), f1)
    assert metrics.macro_f1(labels, probabilities) == pytest.approx(f1.mean())
    balanced = reference.balanced_accuracy_score(labels, predicted)
    assert metrics.balanced_accuracy(labels, probabilities) == pytest.approx(balanced)
    scores = probabilities if num_classes > 2 else probabilities[:, 1]
    area = reference.roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    assert metrics.roc_auc(labels, probabilities) == pytest.approx(area)


def test_a_class_without_examples_counts_in_no_mean():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.2, 0.7]])
    assert metrics.balanced_accuracy([0, 1, 1], probabilities) == pytest.approx((1 + 0.5) / 2)
    np.testing.assert_allclose(metrics.f1_by_class([0, 1, 1], probabilities), [1, 2 / 3, np.nan])
    assert metrics.macro_f1([0, 1, 1], probabilities) == pytest.approx((1 + 2 / 3) / 2)
    assert metrics.roc_auc([0, 1, 1], probabilities) == pytest.approx((1 + 1) / 2)


def test_a_constant_prediction():
    probabilities = np.full((4, 2), [0.7, 0.3])
    assert metrics.balanced_accuracy([0, 0, 0, 1], probabilities) == metrics.roc_auc([0, 0, 0, 1], probabilities) == 0.5
    np.testing.assert_allclose(metrics.f1_by_class([0, 0, 0, 1], probabilities), [6 / 7, 0])


def test_the_area_of_a_single_class_is_not_defined():
    assert np.isnan(metrics.roc_auc([1, 1], [[0.2, 0.8], [0.6, 0.4]]))


def test_invalid_shapes_are_rejected():
    with pytest.raises(ganlib.UserError, match=r"got \(2,\) and \(3, 4\)"):
        metrics.accuracy([0, 1], np.zeros((3, 4)))
    with pytest.raises(ganlib.UserError, match="n > 0"):
        metrics.confusion_matrix([], np.zeros((0, 4)))


SCORES = np.full((3, 2), 0.5)


@pytest.mark.parametrize(
    "metric",
    [
        metrics.accuracy,
        metrics.confusion_matrix,
        metrics.recall_by_class,
        metrics.balanced_accuracy,
        metrics.f1_by_class,
        metrics.macro_f1,
        metrics.roc_auc,
        metrics.intervals,
        metrics.expected_calibration_error,
        metrics.temperature,
    ],
)
@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1, 2], SCORES, "labels must be integers from 0 to 1, got int64 from 0 to 2"),
        ([0, -1, 1], SCORES, "from 0 to 1, got int64 from -1 to 1"),
        ([0.0, 0.5, 1.0], SCORES, "got float64 from 0.0 to 1.0"),
        ([0, 1, 0], np.array([[0.5, 0.5], [np.nan, 0.5], [0.5, 0.5]]), "1 of 3 rows of scores are not finite"),
    ],
)
def test_invalid_labels_and_scores_are_rejected(metric, labels, scores, message):
    with pytest.raises(ganlib.UserError, match=message):
        metric(labels, scores)


@pytest.mark.parametrize("metric", [metrics.expected_calibration_error, metrics.roc_auc, metrics.intervals])
def test_logits_are_not_probabilities(metric):
    with pytest.raises(ganlib.UserError, match="must sum to 1"):
        metric([0, 1], [[3.0, -1.0], [0.0, 2.0]])


def test_recall_by_class():
    scores = np.eye(4)[[0, 0, 1, 2, 2, 2]]
    recall = metrics.recall_by_class([0, 1, 1, 2, 2, 0], scores)
    np.testing.assert_array_equal(recall, [0.5, 0.5, 1.0, np.nan])


def test_expected_calibration_error_by_hand():
    # Two of the ten bins are used: 0.9 twice with one hit, 0.6 twice with two hits.
    probabilities = [[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]]
    error = metrics.expected_calibration_error([0, 1, 0, 1], probabilities, bins=10)
    assert error == pytest.approx((2 * 0.4 + 2 * 0.4) / 4)
    assert metrics.expected_calibration_error([0, 1], np.eye(2)) == 0


def test_temperature_finds_the_scale_of_the_logits():
    """Labels are drawn from softmax(z) and logits are 3 z, so the temperature is 3."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (probabilities.cumsum(1) < rng.uniform(size=(20_000, 1))).sum(1)
    assert metrics.temperature(labels, 3 * logits) == pytest.approx(3, rel=0.05)
    before = metrics.expected_calibration_error(labels, np.exp(3 * logits) / np.exp(3 * logits).sum(1, keepdims=True))
    after = metrics.expected_calibration_error(labels, probabilities)
    assert after < 0.02 < before


def test_temperature_with_other_frequencies_than_in_training():
    """Class 1 is rarer here than in training, which is not a lack of confidence."""
    rng = np.random.default_rng(0)
    logits, offset = rng.normal(size=(4000, 2)), np.log([1.8, 0.2])
    probabilities = scipy.special.softmax(logits + offset, axis=1)
    labels = (rng.random(4000) < probabilities[:, 1]).astype(int)
    assert metrics.temperature(labels, 2 * logits, offset) == pytest.approx(2, rel=0.1)
    assert metrics.temperature(labels, 2 * logits) > 3


def test_the_temperature_of_perfect_predictions_is_bounded():
    assert 0.009 < metrics.temperature([0, 1], 10 * np.eye(2)) < 0.2
