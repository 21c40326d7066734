import numpy as np
import pytest
import tensorflow as tf

from ganlib.training.state import State


def test_state_has_named_non_trainable_scalars():
    state = State(real=0.5, fake=-1.0)
    assert (float(state.real), float(state.fake)) == (0.5, -1.0)
    assert state.trainable_variables == []
    assert {str(weight.dtype) for weight in state.weights} == {"float32"}


def test_average_is_updated_only_if_due():
    state = State(length=1.0)
    assert float(state.average("length", tf.constant(3.0), 0.9, tf.constant(False))) == 1.0
    assert float(state.average("length", tf.constant(3.0), 0.9, tf.constant(True))) == pytest.approx(1.2)
    assert float(state.length) == pytest.approx(1.2)


def test_state_stays_float32(float64):
    state = State(length=0.0)
    state.average("length", tf.constant(np.pi, tf.float64), 0.0, tf.constant(True))
    assert state.length.value.dtype == tf.float32
    assert float(state.length) == pytest.approx(np.pi, rel=1e-6)
