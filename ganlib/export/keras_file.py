"""The network itself as a .keras file, which Keras runs on TensorFlow, PyTorch or JAX, where ganlib is installed."""

import importlib.util

import keras

from ganlib.errors import UserError
from ganlib.files import written_whole
from ganlib.interop import keras_backends

NAME = "network.keras"
BACKENDS = ("torch", "jax")
"""What Keras can run on beside TensorFlow."""


def write(functions, network, path):
    """Writes the network; ``functions`` are not part of it."""
    with written_whole(path) as partial:
        network.save(partial)


def installed():
    """Those of `BACKENDS` that are installed here."""
    return [name for name in BACKENDS if importlib.util.find_spec(name)]


def read(path, backend=None):
    """The main function: see `ganlib.export.saved_model.read`.

    Args:
        path: the file.
        backend: one of `BACKENDS`, on which a process of its own runs the network; None for what Keras runs on here.

    Raises:
        UserError: for a backend that is not installed, or whose installation is broken.
    """
    if backend in (None, keras.backend.backend()):
        return keras_backends.load_function(path)
    if backend not in installed():
        raise UserError(f"to run the network on {backend!r} install it: Keras runs on one backend of {', '.join(BACKENDS)}")
    return keras_backends.load_function_on(backend, path)
