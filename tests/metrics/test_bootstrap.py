import numpy as np
import pytest
import scipy.stats

import ganlib
from ganlib import metrics


def predictions(num_images, accuracy, num_classes=2, seed=0):
    """Returns random labels, and probabilities of 0.8 for one class that is the label with a given probability."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, num_images)
    wrong = (labels + rng.integers(1, num_classes, num_images)) % num_classes
    predicted = np.where(rng.uniform(size=num_images) < accuracy, labels, wrong)
    return labels, np.where(np.eye(num_classes)[predicted] == 1, 0.8, 0.2 / (num_classes - 1))


def test_the_interval_of_the_accuracy_of_one_class_is_that_of_the_binomial_distribution():
    labels, probabilities = predictions(400, 0.7)
    labels, probabilities = labels[labels == 1], probabilities[labels == 1]
    n, p = len(labels), metrics.accuracy(labels, probabilities)
    expected = scipy.stats.binom(n, p).ppf([0.025, 0.975]) / n
    np.testing.assert_allclose(metrics.intervals(labels, probabilities, 5000)["accuracy"], expected, atol=1.5 / n)


def test_the_interval_of_the_balanced_accuracy_combines_those_of_the_classes():
    labels, probabilities = predictions(600, 0.7, num_classes=3)
    recall, counts = metrics.recall_by_class(labels, probabilities), np.bincount(labels)
    deviation = np.sqrt(np.sum(recall * (1 - recall) / counts)) / 3
    expected = metrics.balanced_accuracy(labels, probabilities) + 1.96 * deviation * np.array([-1, 1])
    np.testing.assert_allclose(metrics.intervals(labels, probabilities, 5000)["balanced_accuracy"], expected, atol=3e-3)


def test_the_interval_of_the_area_is_that_of_hanley_and_mcneil():
    """Hanley & McNeil 1982, for exponential scores."""
    rng, n = np.random.default_rng(0), 500
    scores = np.concatenate([rng.exponential(1, n), rng.exponential(3, n)]) / 40
    labels, probabilities = np.repeat([0, 1], n), np.stack([1 - scores, scores], axis=1)
    area = metrics.roc_auc(labels, probabilities)
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    deviation = np.sqrt((area * (1 - area) + (n - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / n**2)
    expected = area + 1.96 * deviation * np.array([-1, 1])
    np.testing.assert_allclose(metrics.intervals(labels, probabilities, 3000)["roc_auc"], expected, atol=4e-3)


def test_intervals_contain_the_metrics():
    labels, probabilities = predictions(90, 0.6, num_classes=3)
    intervals = metrics.intervals(labels, probabilities)
    assert intervals["f1_by_class"].shape == (3, 2)
    for key, interval in intervals.items():
        low, high = np.moveaxis(interval, -1, 0)
        assert np.all(
            (low < getattr(metrics, key)(labels, probabilities)) & (getattr(metrics, key)(labels, probabilities) < high)
        )


def test_a_rare_class_is_in_every_draw():
    labels, probabilities = predictions(50, 0.8)
    probabilities = np.concatenate([np.full((50, 1), 0.0), probabilities], axis=1)
    labels, probabilities = np.append(labels + 1, 0), np.concatenate([probabilities, [[1.0, 0.0, 0.0]]])
    np.testing.assert_array_equal(metrics.intervals(labels, probabilities)["f1_by_class"][0], [1, 1])


def test_what_is_not_defined_is_nan():
    intervals = metrics.intervals([1, 1], [[0.2, 0.8, 0.0], [0.6, 0.4, 0.0]])
    assert np.isnan(intervals["roc_auc"]).all()
    assert np.isnan(intervals["f1_by_class"]).all(axis=1).tolist() == [True, False, True]


def test_the_seed_determines_the_draws():
    arguments = predictions(50, 0.7)
    first, again, other = (metrics.intervals(*arguments, seed=seed)["roc_auc"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert first.tolist() != other.tolist()
    with pytest.raises(ganlib.UserError, match="resamples must be at least 1"):
        metrics.intervals(*arguments, resamples=0)
