import numpy as np
import pytest

from ganlib.networks import mlp
from ganlib.training import averaging, schedules


def network():
    return mlp.Generator((4, 4, 1), latent_dim=3, width=5)


def test_clone_is_equal_independent_and_not_trainable():
    original = network()
    clone = averaging.clone_network(original)
    latents = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(original(latents), clone(latents))
    assert clone.trainable_variables == []
    assert original.trainable_variables
    original.trainable_variables[0].assign_add(np.ones_like(original.trainable_variables[0]))
    assert not np.array_equal(original(latents), clone(latents))


@pytest.mark.parametrize(("step", "decay"), [(0, 0.1), (5, 6 / 15), (10_000, 0.99)])
def test_update_of_weights_and_batch_statistics_by_hand(step, decay):
    current = network()
    average = averaging.clone_network(current)
    current.set_weights([w + 1 for w in current.get_weights()])
    before = average.get_weights()
    averaging.update(average, current, 0.99, step)
    for old, new, after in zip(before, current.get_weights(), average.get_weights(), strict=True):
        np.testing.assert_allclose(after, decay * old + (1 - decay) * new, rtol=1e-5, atol=1e-6)
    assert len(before) == len(current.weights) > len(current.trainable_variables)


def test_average_without_decay_equals_the_network():
    current = network()
    average = averaging.clone_network(current)
    current.set_weights([w + 1 for w in current.get_weights()])
    averaging.update(average, current, 0.0, 100)
    for a, b in zip(average.get_weights(), current.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_schedule_alone_sets_the_decay_from_the_first_step():
    current = network()
    average = averaging.clone_network(current)
    current.set_weights([w + 1 for w in current.get_weights()])
    before = average.get_weights()
    averaging.update(average, current, schedules.HalfLife(1.0), 0)
    for old, new, after in zip(before, current.get_weights(), average.get_weights(), strict=True):
        np.testing.assert_allclose(after, (old + new) / 2, rtol=1e-5, atol=1e-6)


def test_weights_without_average_are_copied(monkeypatch):
    current = network()
    monkeypatch.setattr(type(current), "weights_without_average", property(lambda self: self.weights[:1]))
    average = averaging.clone_network(current)
    current.set_weights([w + 1 for w in current.get_weights()])
    averaging.update(average, current, schedules.HalfLife(1.0), 0)
    np.testing.assert_array_equal(average.get_weights()[0], current.get_weights()[0])
    assert not np.array_equal(average.get_weights()[1], current.get_weights()[1])
