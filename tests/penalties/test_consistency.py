import numpy as np
import pytest

import ganlib
from ganlib import penalties
from ganlib.training import RandomStream
from tests.penalties.critics import FAKE, REAL, critic


def test_consistency_by_hand():
    """T mirrors half of the images, and only their logits change."""
    mirrored = RandomStream(3).uniform((4, 1, 1, 1)).numpy() < 0.5
    assert 0 < mirrored.sum() < 4

    def change(images):
        return np.square(np.asarray(critic(images)) - np.asarray(critic(np.where(mirrored, images[:, :, ::-1], images)))).mean()

    consistency = penalties.Consistency(10.0, augment="flip")
    assert float(consistency(critic, REAL, FAKE, RandomStream(3))) == pytest.approx(10 * change(REAL), rel=1e-5)
    rng = RandomStream(3)
    rng.uniform((4, 1, 1, 1))
    second = np.where(rng.uniform((4, 1, 1, 1)).numpy() < 0.5, FAKE[:, :, ::-1], FAKE)
    expected = change(REAL) + np.square(np.asarray(critic(FAKE)) - np.asarray(critic(second))).mean()
    balanced = penalties.BalancedConsistency(2.0, augment="flip")
    assert float(balanced(critic, REAL, FAKE, RandomStream(3))) == pytest.approx(2 * expected, rel=1e-5)
    with pytest.raises(ganlib.UserError, match="unknown augmentation 'flipp'"):
        penalties.Consistency(1.0, augment="flipp")
