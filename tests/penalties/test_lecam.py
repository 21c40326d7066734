import numpy as np
import pytest
import tensorflow as tf

from ganlib import penalties
from tests.helpers import two_replicas
from tests.penalties.critics import FAKE, REAL, critic


@pytest.mark.parametrize("debiased", [False, True])
def test_lecam_over_three_steps_by_hand(debiased):
    lecam = penalties.LeCam(0.5, decay=0.9, debiased=debiased)
    lecam.build(None, None)
    real, fake = (np.asarray(critic(images), np.float64) for images in (REAL, FAKE))
    real_average = fake_average = 0.0
    for step in range(3):
        value = float(lecam(critic, REAL, FAKE, None, step))
        real_average, fake_average = 0.9 * real_average + 0.1 * real.mean(), 0.9 * fake_average + 0.1 * fake.mean()
        bias = 1 - 0.9 ** (step + 1) if debiased else 1.0
        expected = np.square(np.maximum(real - fake_average / bias, 0)).mean()
        expected += np.square(np.maximum(real_average / bias - fake, 0)).mean()
        assert value == pytest.approx(0.5 * expected, rel=1e-4)


def test_lecam_starts_with_the_averages_of_a_batch():
    """As in the authors' code: no term and no memory before the first step, then the old average with the new batch."""
    lecam = penalties.LeCam(1.0, decay=0.9, start=3)
    lecam.build(None, None)
    real, fake = (np.asarray(critic(images), np.float64) for images in (REAL, FAKE))
    assert [float(lecam(critic, FAKE, REAL, None, step)) for step in range(3)] == [0.0, 0.0, 0.0]
    real_average, fake_average = 0.9 * fake.mean() + 0.1 * real.mean(), 0.9 * real.mean() + 0.1 * fake.mean()
    expected = np.square(np.maximum(real - fake_average, 0)).mean() + np.square(np.maximum(real_average - fake, 0)).mean()
    assert float(lecam(critic, REAL, FAKE, None, 3)) == pytest.approx(expected, rel=1e-4)


def test_averages_use_the_global_batch():
    with two_replicas().scope():
        lecam = penalties.LeCam(1.0, decay=0.0)
        lecam.build(None, None)
    halves = [REAL[:2], REAL[2:]]

    def step():
        images = tf.stack(halves)[tf.distribute.get_replica_context().replica_id_in_sync_group]
        lecam(critic, images, images, None)

    two_replicas().run(step)
    values = [float(v) for v in two_replicas().experimental_local_results(lecam.state.real.value)]
    assert values == pytest.approx([float(np.mean(critic(REAL)))] * 2, rel=1e-5)
