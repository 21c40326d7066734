"""Keras on another backend; that it computes the same is in tests/export/test_keras_file.py, where there is another."""

import concurrent.futures
import os
import subprocess
import sys

import pytest

import ganlib
from ganlib import elsewhere


def test_it_leaves_tensorflow_alone():
    code = "import sys, ganlib.elsewhere; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "KERAS_BACKEND": "numpy"})


def test_a_process_that_dies_is_one_line(monkeypatch, tmp_path):
    process = elsewhere._process_with("numpy")
    with pytest.raises(concurrent.futures.process.BrokenProcessPool):
        process.submit(os._exit, 1).result()
    monkeypatch.setattr(elsewhere, "_process_with", lambda backend: process)
    with pytest.raises(ganlib.UserError, match="Keras on 'numpy' died when it read .*network.keras"):
        elsewhere.main_function_on("numpy", tmp_path / "network.keras")
