import numpy as np
import pytest
from sklearn import metrics as reference

import ganlib
from ganlib import metrics


def test_against_scikit_learn():
    random = np.random.default_rng(0)
    labels, scores = random.integers(0, 4, 50), random.normal(size=(50, 4))
    predicted = scores.argmax(axis=1)
    assert metrics.accuracy(labels, scores) == pytest.approx(reference.accuracy_score(labels, predicted))
    np.testing.assert_array_equal(metrics.confusion_matrix(labels, scores), reference.confusion_matrix(labels, predicted))


def test_wrong_shapes_are_refused():
    with pytest.raises(ganlib.UserError, match=r"got \(2,\) and \(3, 4\)"):
        metrics.accuracy([0, 1], np.zeros((3, 4)))
    with pytest.raises(ganlib.UserError, match="n > 0"):
        metrics.confusion_matrix([], np.zeros((0, 4)))
