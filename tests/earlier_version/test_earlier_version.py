"""What an earlier version has saved is loaded and goes on: `write.py` says which version, and how.

In a process of its own, on the machine that wrote the files, the numbers are equal bit for bit. The tolerance is for other CPUs
and other numbers of threads, which round differently. The numbers after further
training were written again by ``write.write_after`` where ganlib became equal to the authors' codes: the moving variance of
batch normalization is unbiased, ADA's warp has the authors' center, and in ``gan`` LeCam and the decay of the EMA changed too.
The images before are those of the earlier version.
"""

import gzip
import json
import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from tests.earlier_version import write
from tests.helpers import slow_beyond

FOLDER = pathlib.Path(__file__).parent


def assert_same(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-4)


@pytest.mark.slow
def test_weights_have_the_names_that_they_had():
    with gzip.open(FOLDER / "names.json.gz", "rt") as file:
        assert write.names() == json.load(file)


@pytest.mark.parametrize("name", slow_beyond(["gan", "sgan", "triple", "pseudo"], 1))
def test_a_keras_file_is_loaded_and_trained_further(name):
    model, after = keras.saving.load_model(FOLDER / f"{name}.keras"), np.load(FOLDER / "after.npz")
    assert int(model.step.numpy()) == 2
    if hasattr(model, "generate"):
        assert_same(model.generate(2), after[f"{name}/images"])
    model.fit(write.models()[name][1], steps_per_epoch=3, verbose=0)
    expected = [after[key] for key in sorted(after) if key.startswith(f"{name}/") and key != f"{name}/images"]
    assert len(expected) == len(model.get_weights())
    for value, other in zip(model.get_weights(), expected, strict=True):
        assert_same(value, other)


@pytest.mark.slow
def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    shutil.copytree(FOLDER / "run", tmp_path / "run")
    before = ganlib.load(tmp_path / "run")
    assert int(before.step.numpy()) == 4
    job = [sys.executable, "-m", "experiments.train_gan", *write.JOB, "--config.steps=8", f"--workdir={tmp_path / 'run'}"]
    finished = subprocess.run(job, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert "from step 4" in finished.stdout
    mine, theirs = (tf.train.load_checkpoint(str(p / "weights")) for p in (
        tmp_path / "run" / "checkpoints" / "step_00000008", FOLDER / "run_at_step_8"))  # fmt: skip
    keys = sorted(key for key in theirs.get_variable_to_shape_map() if not key.startswith("_CHECKPOINT"))
    assert keys == sorted(key for key in mine.get_variable_to_shape_map() if not key.startswith("_CHECKPOINT"))
    for key in keys:
        assert_same(mine.get_tensor(key), theirs.get_tensor(key))
