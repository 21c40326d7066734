"""Runs a network's `.keras` file on another Keras backend, in a separate process.

This module and its imports do not import TensorFlow: GPU builds of TensorFlow and PyTorch can crash in one process.
"""

import concurrent.futures
import multiprocessing
import os

import keras
import numpy as np

from ganlib.errors import UserError
from ganlib.networks import Classifier


def load_function(path):
    """Loads the network in a ``.keras`` file on the current Keras backend.

    Args:
        path: The path of the file.

    Returns:
        A dict with one function of numpy arrays by name: ``classify`` or ``generate`` of `ganlib.export.functions`.
    """
    network = keras.saving.load_model(path, compile=False)
    if isinstance(network, Classifier):
        return {"classify": lambda images: {"probabilities": network.classify(images)}}

    def generate(latents, **labels):
        images = network(latents, *labels.values(), training=False)
        return {"images": np.clip(keras.ops.convert_to_numpy(images), -1.0, 1.0)}

    return {"generate": generate}


def load_function_on(backend, path):
    """Loads the network like `load_function`, in a separate process in which Keras runs on ``backend``, such as ``"torch"``.

    Args:
        backend: The name of the backend.
        path: The path of the file.

    Raises:
        UserError: If that process dies, for example because the installation of the backend is broken.
    """
    process = _process_with(backend)
    try:
        name = process.submit(_load, str(path)).result()
    except concurrent.futures.process.BrokenProcessPool:
        raise UserError(
            f"Keras on {backend!r} crashed while reading {str(path)!r}: see above; fix that installation, or uninstall it"
        ) from None
    return {name: lambda **arrays: process.submit(_call, name, arrays).result()}


def _process_with(backend):
    """Starts a process in which Keras runs on a backend. Keras reads the choice once, when it is imported."""
    process = concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    previous = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = backend
    try:
        process.submit(os.getpid).result()  # the process starts with its first task
    finally:
        os.environ.pop("KERAS_BACKEND")
        if previous is not None:
            os.environ["KERAS_BACKEND"] = previous
    return process


_loaded = {}


def _load(path):
    """Runs in the process: loads the network and returns the name of its function."""
    _loaded.update(load_function(path))
    return next(iter(_loaded))


def _call(name, arrays):
    """Runs in the process: calls the function."""
    return _loaded[name](**arrays)
