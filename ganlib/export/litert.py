"""LiteRT, formerly TensorFlow Lite, for phones and small devices: one file with the main function, optionally quantized."""

import os
import tempfile

import numpy as np
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.export import saved_model
from ganlib.files import written_whole

NAME = "network.tflite"
QUANTIZATIONS = ("none", "float16", "int8")
CALIBRATION = 200
"""The number of calibration examples for int8 quantization, which set the ranges of the activations."""


def write(functions, network, path, quantize="none", examples=None):
    """Writes the first function.

    Args:
        functions: A list of `ganlib.export.functions.Function`.
        network: The network that the functions call.
        path: The file.
        quantize: ``"none"``, ``"float16"`` for weights, or ``"int8"`` for weights and activations. Defaults to ``"none"``.
        examples: Realistic inputs for int8, a dict of arrays with `CALIBRATION` rows each. Defaults to None.

    Raises:
        UserError: If LiteRT does not support the network.
    """
    main = functions[0]
    with tempfile.TemporaryDirectory() as folder:
        saved_model.write(functions[:1], network, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(f"{folder}/{saved_model.VERSION}", signature_keys=[main.name])
        if quantize != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            converter.representative_dataset = lambda: _one_by_one(main.name, examples)
        try:
            content = converter.convert()
        except Exception as error:  # the converter can raise any exception
            raise UserError(f"LiteRT does not support this network: {' '.join(str(error).split())[:300]}") from None
    with written_whole(path) as partial:
        partial.write_bytes(content)


def _one_by_one(name, examples):
    for index in range(len(next(iter(examples.values())))):
        yield name, {key: values[index : index + 1] for key, values in examples.items()}


def read(path):
    """Reads the main function, run by LiteRT's interpreter: see `ganlib.export.saved_model.read`.

    Raises:
        UserError: If the interpreter is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise UserError("running the format litert requires ai-edge-litert: pip install 'ganlib[export]'") from None
    interpreter = Interpreter(model_path=str(path), num_threads=os.cpu_count())
    (name,) = interpreter.get_signature_list()
    runner = interpreter.get_signature_runner(name)
    return {name: lambda **arrays: {key: np.array(value) for key, value in runner(**arrays).items()}}
