"""Exports trained networks to formats for services, phones, browsers and other frameworks, and verifies each export."""

from ganlib.export import card, examples, functions, keras_file, litert, onnx, saved_model, speed, verification

FORMATS = {"saved_model": saved_model, "onnx": onnx, "litert": litert, "keras": keras_file}
"""Name -> the module that writes functions to a file or folder, and reads them back as functions of numpy arrays."""

__all__ = [
    "FORMATS", "card", "examples", "functions", "keras_file", "litert", "onnx", "saved_model", "speed",
    "verification",
]  # fmt: skip
