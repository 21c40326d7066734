"""Layers inside layers compute as the one that they are in, whatever Keras's global policy is when they are made."""

import contextlib
import functools
import inspect

import keras


class SublayerPolicy:
    """Mixed into a Keras layer or model that makes other layers in ``__init__`` or ``build``: they take its dtype policy.

    In Keras they take the global one. A half-precision network that was loaded, or copied, where that is float32 would compute
    in float32 inside.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            signature = inspect.signature(cls.__init__)
            cls.__init__ = _made_under(cls.__init__, lambda layer, arguments: arguments.get("dtype"))
            cls.__init__.__signature__ = signature  # Keras reads it, and does not look through wrappers
        if "build" in vars(cls):
            cls.build = _made_under(cls.build, lambda layer, arguments: layer.dtype_policy)


@contextlib.contextmanager
def policy(dtype):
    """Makes the layers created inside compute in ``dtype``, all that a Keras layer takes; None changes nothing."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(keras.dtype_policies.get(dtype))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _made_under(method, policy_of):
    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        with policy(policy_of(self, kwargs)):
            return method(self, *args, **kwargs)

    return wrapped
