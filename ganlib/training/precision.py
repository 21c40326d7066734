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


def optimizer_for(network, optimizer, skips=False):
    """``optimizer``, with dynamic loss scaling around it where ``network`` computes in float16.

    Args:
        network: the network that it updates.
        optimizer: a Keras optimizer.
        skips: make no update by gradients that are not finite, in any precision; loss scaling never does. Where it is for this
            alone, the scale is 1 at first and halved by each update left out, which changes nothing but it.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    if network.dtype_policy.compute_dtype == "float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    if skips:
        return keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1.0, dynamic_growth_steps=2**31 - 1)
    return optimizer
