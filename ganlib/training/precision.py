"""The dtype policy under which networks are made."""

import contextlib

import keras

from ganlib.errors import UserError

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


@contextlib.contextmanager
def policy(name):
    """Makes the layers created inside compute in ``name``; their weights are float32 in any case.

    Args:
        name: ``"float32"``, ``"mixed_bfloat16"`` or ``"mixed_float16"``.

    Raises:
        UserError: for any other name.
    """
    if name not in POLICIES:
        raise UserError(f"unknown precision {name!r}: known are {', '.join(POLICIES)}")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def optimizer_for(network, optimizer):
    """``optimizer``, with dynamic loss scaling around it where ``network`` computes in float16."""
    is_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if network.dtype_policy.compute_dtype == "float16" and not is_scaled:
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
