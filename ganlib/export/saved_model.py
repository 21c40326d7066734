"""TensorFlow's SavedModel, in the folder layout of TensorFlow Serving: PATH/1 is version 1."""

import pathlib

import tensorflow as tf

from ganlib.files import folder_written_whole
from ganlib.training.events import file_errors

NAME = ""  # the folder itself
VERSION = "1"


def write(functions, network, path):
    """Writes all functions as signatures. The first one is also ``serving_default``.

    Args:
        functions: A list of `ganlib.export.functions.Function`.
        network: The network that the functions call.
        path: The folder that contains the version folders.
    """
    module = tf.Module()
    module.network_variables = [variable.value for variable in network.variables]
    traced = {function.name: function.traced() for function in functions}
    for name, function in traced.items():
        setattr(module, name, function)
    signatures = {name: function.get_concrete_function() for name, function in traced.items()}
    signatures["serving_default"] = signatures[functions[0].name]
    with folder_written_whole(pathlib.Path(path) / VERSION) as partial, file_errors():
        tf.saved_model.save(module, str(partial), signatures)


def read(path):
    """Reads an export: a dict from names to functions that take numpy arrays by name and return dicts of numpy arrays."""
    loaded = tf.saved_model.load(str(pathlib.Path(path) / VERSION))
    return {name: _on_arrays(signature, loaded) for name, signature in loaded.signatures.items()}


def _on_arrays(signature, loaded):
    def call(**arrays):
        results = signature(**{name: tf.constant(array) for name, array in arrays.items()})
        return {name: result.numpy() for name, result in results.items()}

    call.loaded = loaded  # a signature does not keep the variables alive
    return call
