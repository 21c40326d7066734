"""Arrays of another shape, or without values, are one line for every code and every array."""

import functools
import itertools

import numpy as np
import pytest

import ganlib
from ganlib import interop
from ganlib.networks import fastgan, projected, resnet, stylegan2
from tests.interop import states
from tests.interop.states import from_shapes, stylegan2_discriminator_shapes, stylegan2_generator_shapes
from tests.interop.test_projected_codes import discriminator, light_generator

STATES = {
    "mimicry generator": lambda: states.mimicry_generator(num_classes=3),
    "mimicry discriminator": states.mimicry_discriminator,
    "fastgan generator": lambda: light_generator(3, 256),
    "projected_gan discriminator": lambda: discriminator(3),
    "stylegan2_ada generator": lambda: from_shapes(stylegan2_generator_shapes(8, 64, 8, 2, 3)),
    "stylegan2_ada discriminator": lambda: from_shapes(stylegan2_discriminator_shapes(8, 64, 8, 3, True)),
}


CHANGES = {"flat": np.ravel, "deep": lambda array: array[None], "empty": lambda array: array[..., :0]}
UNUSED = ("num_batches_tracked", "resample_filter")


@pytest.fixture
def networks_of_each_size_are_built_once(monkeypatch):
    for module in (fastgan, projected, resnet, stylegan2):
        for name in {"Generator", "Discriminator"} & set(vars(module)):
            monkeypatch.setattr(module, name, functools.cache(getattr(module, name)))


@pytest.mark.parametrize("name", STATES)
@pytest.mark.usefixtures("networks_of_each_size_are_built_once")
def test_any_array_of_another_shape_is_one_line(name, monkeypatch):
    """The backbone of Projected GAN has 300 arrays, of which every twentieth is tried."""
    monkeypatch.setattr(interop.networks, "_fits", lambda *arguments: False)  # the search for another code takes time
    (code, which), state = name.split(), STATES[name]()
    arrays = [array for array in state if not array.endswith(UNUSED)][:: 20 if "projected" in name else 1]
    for array, (change, changed_shape) in itertools.product(arrays, CHANGES.items()):
        changed = changed_shape(np.atleast_1d(state[array]))
        if np.shape(state[array]) == changed.shape:
            continue
        with pytest.raises(ganlib.UserError) as error:
            getattr(interop, which)(code, state | {array: changed})
            pytest.fail(f"{array} {change}")
        assert "\n" not in str(error.value)


def test_the_beginning_that_a_wrapper_adds_is_removed():
    state = states.mimicry_generator()
    latents = np.random.default_rng(0).normal(size=(2, 6)).astype(np.float32)
    expected = interop.generator("mimicry", state)(latents)
    for wrapper in ("module.", "Model."):
        wrapped = interop.generator("mimicry", {wrapper + name: value for name, value in state.items()})
        np.testing.assert_array_equal(wrapped(latents), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite_are_one_line(value):
    state = states.mimicry_generator()
    state["l1.bias"] = np.full(state["l1.bias"].shape, value)
    with pytest.raises(ganlib.UserError, match=r"array 'l1.bias' of this mimicry network has values that are not finite"):
        interop.generator("mimicry", state)
