"""A network's file, run by Keras on a backend of its choice in a process of its own.

This module and what it imports leave TensorFlow alone: TensorFlow and PyTorch, both built for GPUs, can crash in one process.
"""

import concurrent.futures
import multiprocessing
import os

import keras
import numpy as np

from ganlib.errors import UserError
from ganlib.networks import Classifier


def load_function(path):
    """A dict of one function of numpy arrays by name, ``classify`` or ``generate``, of the network in a ``.keras`` file.

    ``path`` is the file's; the function is that of `ganlib.export.functions`, on the backend that Keras runs on here.
    """
    network = keras.saving.load_model(path, compile=False)
    if isinstance(network, Classifier):
        return {"classify": lambda images: {"probabilities": network.classify(images)}}

    def generate(latents, **labels):
        images = network(latents, *labels.values(), training=False)
        return {"images": np.clip(keras.ops.convert_to_numpy(images), -1.0, 1.0)}

    return {"generate": generate}


def load_function_on(backend, path):
    """As `load_function`, in a process in which Keras runs on ``backend``, such as ``"torch"``.

    Raises:
        UserError: if that process dies, as it does where the backend's installation is broken.
    """
    process = _process_with(backend)
    try:
        name = process.submit(_load, str(path)).result()
    except concurrent.futures.process.BrokenProcessPool:
        raise UserError(
            f"Keras on {backend!r} died when it read {str(path)!r}: see above; mend that installation, or uninstall it"
        ) from None
    return {name: lambda **arrays: process.submit(_call, name, arrays).result()}


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
    _loaded.update(load_function(path))
    return next(iter(_loaded))


def _call(name, arrays):
    """In the process."""
    return _loaded[name](**arrays)
