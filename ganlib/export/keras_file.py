"""The network itself as a .keras file, which Keras runs on TensorFlow, PyTorch or JAX, where ganlib is installed."""

import concurrent.futures
import importlib.util
import multiprocessing
import os

import keras
import numpy as np

from ganlib.errors import UserError
from ganlib.networks import Classifier

NAME = "network.keras"
BACKENDS = ("torch", "jax")
"""What Keras can run on beside TensorFlow."""


def write(functions, network, path):
    """Writes the network; ``functions`` are not part of it."""
    network.save(path)


def installed():
    """Those of `BACKENDS` that are installed here."""
    return [name for name in BACKENDS if importlib.util.find_spec(name)]


def read(path, backend=None):
    """The main function: see `ganlib.export.saved_model.read`.

    Args:
        path: the file.
        backend: one of `BACKENDS`, on which a process of its own runs the network; None for what Keras runs on here.

    Raises:
        UserError: for a backend that is not installed.
    """
    if backend in (None, keras.backend.backend()):
        return _main_function(path)
    if backend not in installed():
        raise UserError(f"to run the network on {backend!r} install it: Keras runs on one backend of {', '.join(BACKENDS)}")
    process = _process_with(backend)
    name = process.submit(_load, str(path)).result()
    return {name: lambda **arrays: process.submit(_call, name, arrays).result()}


def _main_function(path):
    network = keras.saving.load_model(path, compile=False)
    if isinstance(network, Classifier):
        return {"classify": lambda images: {"probabilities": network.classify(images)}}

    def generate(latents, **labels):
        images = network(latents, *labels.values(), training=False)
        return {"images": np.clip(keras.ops.convert_to_numpy(images), -1.0, 1.0)}

    return {"generate": generate}


def _process_with(backend):
    """A process in which Keras runs on a backend: it reads the choice once, when it is imported."""
    process = concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    own = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = backend
    try:
        process.submit(os.getpid).result()  # it starts with the first task
    finally:
        os.environ.pop("KERAS_BACKEND")
        if own is not None:
            os.environ["KERAS_BACKEND"] = own
    return process


_loaded = {}


def _load(path):
    """In the process: reads the network, and says the name of its function."""
    _loaded.update(_main_function(path))
    return next(iter(_loaded))


def _call(name, arrays):
    """In the process."""
    return _loaded[name](**arrays)
