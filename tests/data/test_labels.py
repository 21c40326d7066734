import numpy as np
import pytest

import ganlib
from ganlib.data import labels


def test_split_is_stratified_complete_and_determined_by_the_seed():
    all_labels = np.random.default_rng(0).integers(0, 5, 200)
    labeled, unlabeled = labels.split(all_labels, per_class=4, seed=3)
    assert np.bincount(all_labels[labeled]).tolist() == [4] * 5
    assert sorted([*labeled, *unlabeled]) == list(range(200))
    np.testing.assert_array_equal(labeled, labels.split(all_labels, 4, 3)[0])
    assert not np.array_equal(labeled, labels.split(all_labels, 4, 4)[0])


def test_too_many_labels_per_class():
    with pytest.raises(ganlib.UserError, match="3 labels per class requested, but class 1 has only 2 examples"):
        labels.split([0, 0, 0, 1, 1], per_class=3, seed=0)
    with pytest.raises(ganlib.UserError, match="must be at least 1, got 0"):
        labels.split([0, 1], per_class=0, seed=0)
    with pytest.raises(ganlib.UserError, match="seed of labels must be at least 0, got -1"):
        labels.split([0, 1], per_class=1, seed=-1)
