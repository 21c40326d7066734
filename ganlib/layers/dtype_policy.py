"""Sublayers inherit the dtype policy of the layer that contains them, whatever the global policy is when they are created."""

import contextlib
import functools
import inspect

import keras


class SublayerPolicy:
    """A mixin for a Keras layer or model that creates sublayers in ``__init__`` or ``build``. They take its dtype policy.

    Keras itself gives them the global policy. A half-precision network that is loaded or copied under a global float32 policy
    would then compute in float32 in its sublayers.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            signature = inspect.signature(cls.__init__)
            cls.__init__ = _with_policy(cls.__init__, lambda layer, arguments: arguments.get("dtype"))
            cls.__init__.__signature__ = signature  # Keras reads the signature and does not unwrap
        if "build" in vars(cls):
            cls.build = _with_policy(cls.build, lambda layer, arguments: layer.dtype_policy)


@contextlib.contextmanager
def policy(dtype):
    """A context manager that sets the dtype policy of the layers created inside it.

    Args:
        dtype: Anything that a Keras layer accepts as its dtype; None keeps the global policy.
    """
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(keras.dtype_policies.get(dtype))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def _with_policy(method, policy_of):
    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        with policy(policy_of(self, kwargs)):
            return method(self, *args, **kwargs)

    return wrapped
