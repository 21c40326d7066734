import numpy as np
import pytest
import scipy.special

import ganlib
from ganlib import metrics


@pytest.mark.parametrize("training", [[0.5, 0.5], [0.2, 0.8]])
def test_the_frequencies_of_a_mixture_are_recovered(training):
    """The exact posterior of two normal distributions with means -1 and 1, for ``training`` as priors."""
    rng, training = np.random.default_rng(0), np.array(training)
    x = np.concatenate([rng.normal(-1, 1, 14_000), rng.normal(1, 1, 6_000)])
    probability = scipy.special.expit(2 * x + np.log(training[1] / training[0]))
    priors = metrics.class_priors(np.stack([1 - probability, probability], 1), training)
    np.testing.assert_allclose(priors, [0.7, 0.3], atol=0.01)


def test_the_frequencies_have_the_largest_likelihood():
    """A grid search over the frequencies of three classes finds no likelier ones."""
    probabilities = scipy.special.softmax(np.random.default_rng(1).normal(0, 2, (200, 3)), axis=1)
    training = np.array([0.5, 0.3, 0.2])

    def likelihood(priors):
        return np.log((probabilities * (priors / training)).sum(axis=1)).mean()

    best = likelihood(metrics.class_priors(probabilities, training))
    grid = [np.array([a, b, 100 - a - b]) / 100 for a in range(1, 99) for b in range(1, 100 - a)]
    assert best >= max(map(likelihood, grid)) - 1e-6


def test_an_absent_class_stays_possible():
    priors = metrics.class_priors(np.tile([1.0, 0.0], (10, 1)), [0.5, 0.5])
    np.testing.assert_allclose(priors, [0.9999, 0.0001], atol=1e-6)


@pytest.mark.parametrize("training", [[0.5, 0.6], [1.0, 0.0], [1.0]])
def test_invalid_frequencies_are_rejected(training):
    with pytest.raises(ganlib.UserError, match="training_priors must be 2 positive numbers with a sum of 1"):
        metrics.class_priors([[0.5, 0.5]], training)


def test_no_probabilities_are_rejected():
    with pytest.raises(ganlib.UserError, match="pass at least 1 row"):
        metrics.class_priors(np.zeros((0, 2)), [0.5, 0.5])


def test_logits_are_rejected():
    with pytest.raises(ganlib.UserError, match="apply a softmax"):
        metrics.class_priors([[3.0, -1.0]], [0.5, 0.5])
