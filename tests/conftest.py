"""Fixtures that several tests share."""

import gc
import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # the tests, and not their operations, go on side by side
if "PYTEST_XDIST_WORKER" not in os.environ:  # where there are workers, they share what the process that starts them has chosen
    os.environ["GANLIB_CACHE"] = tempfile.mkdtemp(prefix="ganlib-tests-")  # nothing is left in the user's own

import keras
import numpy as np
import pytest
import tensorflow as tf

gc.set_threshold(100_000, 20, 20)  # as for jobs: see experiments/__init__.py
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


def pytest_collection_finish(session):
    gc.freeze()  # what was imported stays: no later collection looks at it


@pytest.fixture(scope="module", autouse=True)
def collected():
    """The networks and graphs of a file of tests go with it: they refer to one another, and are large."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


@pytest.fixture
def float64():
    """Networks of float64, whose rounding hardly ever turns a unit on or off; a penalty's gradient would jump there."""
    set_dtype("float64")
    yield
    set_dtype("float32")


def set_dtype(name):
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)  # which Keras does not take from it once it has been looked at


@pytest.fixture
def images():
    """(24, 8, 8, 1) uint8."""
    return np.random.default_rng(0).integers(0, 256, (24, 8, 8, 1), np.uint8)


@pytest.fixture
def labels():
    """(24,) integers in [0, 3)."""
    return np.arange(24) % 3


@pytest.fixture(scope="session")
def tfds_dir():
    """The folder of real TFDS datasets, or a skip that says where it would have to be."""
    shared = pathlib.Path(__file__).parents[2] / "shared" / "tfds"
    folder = pathlib.Path(os.environ.get("TFDS_DATA_DIR", shared))
    if not (folder / "mnist").is_dir():
        pytest.skip(f"needs MNIST as a TFDS folder in {folder}: set TFDS_DATA_DIR")
    return str(folder)
