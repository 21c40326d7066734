import keras
import numpy as np
import pytest

from ganlib.training.schedules import ConstantThenLinear


@pytest.mark.parametrize("decay", [1.0, 0.3])
def test_constant_then_linear(decay):
    schedule = ConstantThenLinear(0.2, steps=100, decay=decay)
    steps = np.arange(0, 120, 10)
    expected = 0.2 * np.clip((1 - steps / 100) / decay, 0, 1)
    np.testing.assert_allclose([float(schedule(step)) for step in steps], expected, atol=1e-7)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert loaded.get_config() == schedule.get_config()
