"""Keras on another backend; that it computes the same is in tests/export/test_keras_file.py, where there is another."""

import concurrent.futures
import os
import subprocess
import sys

import pytest

import ganlib
from ganlib.interop import keras_backends


def test_it_leaves_tensorflow_alone():
    """Of ganlib it loads nothing that imports TensorFlow; Keras itself does so only where that is its backend."""
    code = (
        "import sys, keras, tensorflow; before = set(sys.modules); import ganlib.interop.keras_backends; "
        "own = [sys.modules[name] for name in sys.modules if name.startswith('ganlib')]; assert len(own) > 5; "
        "assert not [module.__name__ for module in own if tensorflow in vars(module).values()]; "
        "assert not [name for name in set(sys.modules) - before if name.startswith('tensorflow')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_process_that_dies_is_one_line(monkeypatch, tmp_path):
    process = keras_backends._process_with("numpy")
    with pytest.raises(concurrent.futures.process.BrokenProcessPool):
        process.submit(os._exit, 1).result()
    monkeypatch.setattr(keras_backends, "_process_with", lambda backend: process)
    with pytest.raises(ganlib.UserError, match="Keras on 'numpy' died when it read .*network.keras"):
        keras_backends.load_function_on("numpy", tmp_path / "network.keras")
