"""Whether what was written computes what the network does."""

import numpy as np

from ganlib.errors import UserError

TOLERANCE = 1e-4
"""Of float32: images are in [-1, 1] and probabilities in [0, 1]."""
BATCHES = (1, 3)


def differences(functions, read, seed=0):
    """The largest absolute difference of each function, on random inputs in batches of several sizes.

    Args:
        functions: of `ganlib.export.functions`.
        read: what the ``read`` of a format returned.
        seed: an integer, from which the inputs follow.

    Returns:
        A dict from the names of the functions that are in both to floats.

    Raises:
        UserError: if none is in both, or shapes or strings differ.
    """
    found, rng = {}, np.random.default_rng(seed)
    for function in functions:
        if function.name not in read:
            continue
        expected_of = function.traced()
        for count in BATCHES:
            inputs = function.example(count, rng)
            outputs = expected_of(*(inputs[spec.name] for spec in function.inputs))
            expected = {name: value.numpy() for name, value in outputs.items()}
            result = read[function.name](**inputs)
            own = [_difference(function.name, name, expected[name], result.get(name)) for name in expected]
            found[function.name] = float(np.max([*own, found.get(function.name, 0.0)]))  # NaN, if one is
    if not found:
        raise UserError("nothing of what was written could be compared")
    return found


def check(found, tolerance=TOLERANCE):
    """Raises `UserError` if one of `differences` is above ``tolerance``."""
    for name, value in found.items():
        if not value <= tolerance:
            raise UserError(f"what was written differs from the network: {name!r} by {value:.1e}, and {tolerance:g} is allowed")


def _difference(function, name, expected, result):
    if result is None or np.shape(result) != expected.shape:
        raise UserError(f"{name!r} of {function!r} has shape {np.shape(result)}, not {expected.shape}")
    if expected.dtype.kind in "OSU":
        if not np.array_equal(expected, result):
            raise UserError(f"{name!r} of {function!r} is {result}, not {expected}")
        return 0.0
    return float(np.abs(expected.astype(np.float64) - result).max())
