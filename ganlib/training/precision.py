"""Mixed precision: the dtype policy of networks, and the loss scaling of their optimizers."""

import contextlib
import logging
import pathlib
import platform

import keras
import tensorflow as tf

from ganlib.errors import UserError

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
CPU_INFO = pathlib.Path("/proc/cpuinfo")
BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16", "bf16"}  # of Intel and AMD, and of Arm


@contextlib.contextmanager
def policy(name):
    """A context manager that sets the dtype policy of layers created inside it. Their weights are always float32.

    Args:
        name: ``"float32"``, ``"mixed_bfloat16"`` or ``"mixed_float16"``.

    Raises:
        UserError: If the name is unknown.
    """
    if name not in POLICIES:
        raise UserError(f"unknown precision {name!r}: known are {', '.join(POLICIES)}")
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def has_bfloat16():
    """Returns whether this machine has bfloat16 instructions: a GPU, or a CPU of which Linux says so."""
    if tf.config.list_physical_devices("GPU"):
        return True
    return platform.system() == "Linux" and CPU_INFO.exists() and not BFLOAT16_FLAGS.isdisjoint(CPU_INFO.read_text().split())


def warn_if_slow(name):
    """Warns if a policy is slow on this machine.

    Args:
        name: The name of the policy.
    """
    if name == "mixed_bfloat16" and not has_bfloat16():
        message = "this CPU has no bfloat16 instructions, so that steps can take ten times as long: set precision='float32'"
        logging.getLogger("ganlib").warning(message)


@keras.saving.register_keras_serializable("ganlib.precision")
class Skipping(keras.optimizers.LossScaleOptimizer):
    """An optimizer that skips updates with non-finite gradients, without scaling the loss.

    Keras's loss scaling halves its scale at each skipped update. Without growth, about 130 skipped updates bring the scale
    to 0, and gradients are divided by it. Here the scale is 1 whenever it is used.

    Args:
        inner_optimizer: A Keras optimizer.
        name: The name of the optimizer. Defaults to None.
    """

    def __init__(self, inner_optimizer, name=None):
        super().__init__(inner_optimizer, initial_scale=1.0, name=name)

    def scale_loss(self, loss):
        """Returns ``loss`` unchanged."""
        return loss

    def apply(self, grads, trainable_variables=None):
        """Applies gradients as any Keras optimizer does, unless one of them is not finite."""
        if self.built:
            self.dynamic_scale.assign(1.0)
        super().apply(grads, trainable_variables)

    def get_config(self):
        config = super().get_config()
        return {name: config[name] for name in ("name", "inner_optimizer")}


def optimizer_for(network, optimizer, skips=False):
    """Wraps ``optimizer`` in dynamic loss scaling if a layer of ``network`` computes in float16.

    Args:
        network: The network that the optimizer updates.
        optimizer: A Keras optimizer.
        skips: Whether to skip updates with non-finite gradients in any precision, as loss scaling always does. If ``network``
            does not compute in float16, the optimizer is then wrapped in `Skipping`, which also replaces a
            `keras.optimizers.LossScaleOptimizer`. Defaults to False.
    """
    scales = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if any(layer.compute_dtype == "float16" for layer in network._flatten_layers()):
        return optimizer if scales else keras.optimizers.LossScaleOptimizer(optimizer)
    if skips and not isinstance(optimizer, Skipping):
        return Skipping(optimizer.inner_optimizer if scales else optimizer)
    return optimizer
