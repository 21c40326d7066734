"""The network as a .keras file, which Keras runs on TensorFlow, PyTorch or JAX wherever ganlib is installed."""

import importlib.util

import keras

from ganlib.errors import UserError
from ganlib.files import written_whole
from ganlib.interop import keras_backends

NAME = "network.keras"
BACKENDS = ("torch", "jax")
"""The Keras backends other than TensorFlow."""


def write(functions, network, path):
    """Writes the network. ``functions`` are ignored."""
    with written_whole(path) as partial:
        network.save(partial)


def installed():
    """Returns the names in `BACKENDS` that are installed."""
    return [name for name in BACKENDS if importlib.util.find_spec(name)]


def read(path, backend=None):
    """Reads the main function: see `ganlib.export.saved_model.read`.

    Args:
        path: The file.
        backend: One of `BACKENDS`, which runs the network in a separate process; None uses the current Keras backend. Defaults
            to None.

    Raises:
        UserError: If the backend is not installed, or its installation is broken.
    """
    if backend in (None, keras.backend.backend()):
        return keras_backends.load_function(path)
    if backend not in installed():
        raise UserError(f"the Keras backend {backend!r} is not available: install one of {', '.join(BACKENDS)}")
    return keras_backends.load_function_on(backend, path)
