"""Mixed precision: the dtype policy of networks, and the loss scaling of their optimizers."""

import contextlib

import keras

from ganlib.errors import UserError

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


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
