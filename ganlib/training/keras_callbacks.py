"""Callbacks of Keras that would have no effect on a model, or need a package that is missing."""

import importlib.util

import keras

from ganlib.errors import UserError


def check(callbacks, logs_loss):
    """Checks the callbacks that are passed to `fit`.

    Args:
        callbacks: A callback, a list of callbacks, or None.
        logs_loss: Whether the model logs ``"loss"``.

    Raises:
        UserError: If a callback would have no effect, or a package is missing.
    """
    for callback in _listed(callbacks):
        if isinstance(callback, keras.callbacks.TerminateOnNaN) and not logs_loss:
            raise UserError(
                "keras.callbacks.TerminateOnNaN reads the log 'loss', which this model does not have: use "
                "ganlib.training.callbacks.StopAtNonFinite()"
            )
        if isinstance(callback, keras.callbacks.TensorBoard) and importlib.util.find_spec("tensorboard") is None:
            raise UserError(
                "keras.callbacks.TensorBoard needs the package tensorboard, which is missing: pip install -e '.[tensorboard]'"
            )


def _listed(callbacks):
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks.callbacks
    return keras.tree.flatten(callbacks) if callbacks is not None else []
