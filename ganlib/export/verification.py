"""Verifies that an export computes the same results as the network."""

import numpy as np

from ganlib.errors import UserError

TOLERANCE = 1e-4
"""The tolerance in float32. Images are in [-1, 1] and probabilities in [0, 1]."""
BATCHES = (1, 3)


def differences(functions, read, seed=0):
    """Computes the largest absolute difference of each function, on random inputs in batches of several sizes.

    Args:
        functions: A list of `ganlib.export.functions.Function`.
        read: The functions that the ``read`` of a format returned.
        seed: The seed of the inputs, an integer. Defaults to 0.

    Returns:
        A dict from the names of the functions that are in both to floats.

    Raises:
        UserError: If no function is in both, or if shapes or strings differ.
    """
    largest, rng = {}, np.random.default_rng(seed)
    for function in functions:
        if function.name not in read:
            continue
        network_function = function.traced()
        for count in BATCHES:
            inputs = function.example(count, rng)
            outputs = network_function(*(inputs[spec.name] for spec in function.inputs))
            expected = {name: value.numpy() for name, value in outputs.items()}
            result = read[function.name](**inputs)
            values = [_difference(function.name, name, expected[name], result.get(name)) for name in expected]
            largest[function.name] = float(np.max([*values, largest.get(function.name, 0.0)]))  # NaN if any of them is NaN
    if not largest:
        raise UserError("the export has no function that can be compared with the network")
    return largest


def check(values, tolerance=TOLERANCE):
    """Checks that the differences are within a tolerance.

    Args:
        values: A dict from the names of functions to floats, from `differences`.
        tolerance: The largest permitted difference. Defaults to `TOLERANCE`, 1e-4.

    Raises:
        UserError: If a difference is above the tolerance.
    """
    for name, value in values.items():
        if not value <= tolerance:
            raise UserError(f"the export differs from the network: {name!r} by {value:.1e}, and the tolerance is {tolerance:g}")


def _difference(function, name, expected, result):
    if result is None or np.shape(result) != expected.shape:
        raise UserError(f"{name!r} of {function!r} has shape {np.shape(result)}, not {expected.shape}")
    if expected.dtype.kind in "OSU":
        if not np.array_equal(expected, result):
            raise UserError(f"{name!r} of {function!r} is {result}, not {expected}")
        return 0.0
    return float(np.abs(expected.astype(np.float64) - result).max())
