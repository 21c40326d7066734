import numpy as np
import pytest
import tensorflow as tf

from ganlib import penalties
from tests.helpers import two_replicas
from tests.penalties.critics import FAKE, REAL, critic


def test_by_hand_over_three_steps():
    lecam = penalties.LeCam(0.5, decay=0.9)
    lecam.build(None, None)
    real, fake = (np.asarray(critic(images), np.float64) for images in (REAL, FAKE))
    to_real = to_fake = 0.0
    for _ in range(3):
        value = float(lecam(critic, REAL, FAKE, None))
        to_real, to_fake = 0.9 * to_real + 0.1 * real.mean(), 0.9 * to_fake + 0.1 * fake.mean()
        expected = np.square(real - to_fake).mean() + np.square(fake - to_real).mean()
        assert value == pytest.approx(0.5 * expected, rel=1e-4)


def test_averages_are_those_of_all_replicas():
    with two_replicas().scope():
        lecam = penalties.LeCam(1.0, decay=0.0)
        lecam.build(None, None)
    halves = [REAL[:2], REAL[2:]]

    def step():
        own = tf.stack(halves)[tf.distribute.get_replica_context().replica_id_in_sync_group]
        lecam(critic, own, own, None)

    two_replicas().run(step)
    values = [float(v) for v in two_replicas().experimental_local_results(lecam.state.real.value)]
    assert values == pytest.approx([float(np.mean(critic(REAL)))] * 2, rel=1e-5)
