"""Trained networks in forms that services, phones, browsers and other frameworks run, each checked against the network."""

from ganlib.export import card, decoding, examples, functions, keras_file, litert, onnx, saved_model, speed, verification

FORMATS = {"saved_model": saved_model, "onnx": onnx, "litert": litert, "keras": keras_file}
"""Name -> a module that writes functions to a file or folder, and reads them back as functions of numpy arrays."""

__all__ = [
    "FORMATS", "card", "decoding", "examples", "functions", "keras_file", "litert", "onnx", "saved_model", "speed",
    "verification",
]  # fmt: skip
