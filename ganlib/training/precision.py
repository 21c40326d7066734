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


@keras.saving.register_keras_serializable("ganlib.precision")
class Skipping(keras.optimizers.LossScaleOptimizer):
    """Makes no update by gradients that are not finite, and scales no loss.

    Keras's loss scaling halves its scale with each update that it leaves out. Without growth, some 130 of them bring the scale
    to 0, by which gradients are divided. Here the scale is 1 whenever it is used.

    Args:
        inner_optimizer: a Keras optimizer.
        name: as of any Keras optimizer.
    """

    def __init__(self, inner_optimizer, name=None):
        super().__init__(inner_optimizer, initial_scale=1.0, name=name)

    def scale_loss(self, loss):
        """``loss`` as it is."""
        return loss

    def apply(self, grads, trainable_variables=None):
        """As of any Keras optimizer."""
        if self.built:
            self.dynamic_scale.assign(1.0)
        super().apply(grads, trainable_variables)

    def get_config(self):
        config = super().get_config()
        return {name: config[name] for name in ("name", "inner_optimizer")}


def optimizer_of(name, optimizer):
    """A Keras optimizer, from itself, its name or its configuration, as Keras's own ``compile`` takes them.

    Raises:
        UserError: for anything else.
    """
    try:
        found = keras.optimizers.get(optimizer) if isinstance(optimizer, (str, dict)) else optimizer
    except ValueError:
        found = None
    if not isinstance(found, keras.optimizers.Optimizer):
        raise UserError(
            f"{name} must be a Keras optimizer, such as keras.optimizers.Adam(2e-4, beta_1=0.5), got {optimizer!r:.60}"
        )
    return found


def optimizer_for(network, optimizer, skips=False):
    """``optimizer``, with dynamic loss scaling around it where ``network`` computes in float16.

    Args:
        network: the network that it updates.
        optimizer: a Keras optimizer.
        skips: make no update by gradients that are not finite, in any precision; loss scaling never does. Where ``network``
            does not compute in float16, `Skipping` then takes the place of a `keras.optimizers.LossScaleOptimizer`, too.
    """
    scales = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if network.dtype_policy.compute_dtype == "float16":
        return optimizer if scales else keras.optimizers.LossScaleOptimizer(optimizer)
    if skips and not isinstance(optimizer, Skipping):
        return Skipping(optimizer.inner_optimizer if scales else optimizer)
    return optimizer
