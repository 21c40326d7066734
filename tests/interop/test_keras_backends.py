"""Keras on another backend. tests/export/test_keras_file.py compares the results if another backend is installed."""

import concurrent.futures
import os
import subprocess
import sys

import pytest

import ganlib
from ganlib.interop import keras_backends


def test_it_does_not_import_tensorflow():
    """It imports no module of ganlib that imports TensorFlow. Keras imports TensorFlow only if that is its backend."""
    code = (
        "import sys, keras, tensorflow; before = set(sys.modules); import ganlib.interop.keras_backends; "
        "modules = [sys.modules[name] for name in sys.modules if name.startswith('ganlib')]; assert len(modules) > 5; "
        "assert not [module.__name__ for module in modules if tensorflow in vars(module).values()]; "
        "assert not [name for name in set(sys.modules) - before if name.startswith('tensorflow')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_crash_of_the_process_is_reported(monkeypatch, tmp_path):
    process = keras_backends._process_with("numpy")
    with pytest.raises(concurrent.futures.process.BrokenProcessPool):
        process.submit(os._exit, 1).result()
    monkeypatch.setattr(keras_backends, "_process_with", lambda backend: process)
    with pytest.raises(ganlib.UserError, match="Keras on 'numpy' crashed while reading .*network.keras"):
        keras_backends.load_function_on("numpy", tmp_path / "network.keras")
