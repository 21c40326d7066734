"""Fixtures that several tests share."""

import gc
import os
import pathlib
import resource
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # the tests, and not their operations, go on side by side
if "PYTEST_XDIST_WORKER" not in os.environ:  # where there are workers, they share what the process that starts them has chosen
    os.environ["GANLIB_CACHE"] = tempfile.mkdtemp(prefix="ganlib-tests-")  # nothing is left in the user's own

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.ops import gradient_registry

from tests import time_limit

gc.set_threshold(100_000, 20, 20)  # as for jobs: see experiments/__init__.py
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

LARGEST = []
"""The size in GB of the largest process of each finished worker, including its child processes."""


def pytest_addoption(parser):
    time_limit.add_option(parser)


def pytest_configure(config):
    minutes = config.getoption("--minutes")
    if minutes is not None:
        config.pluginmanager.register(time_limit.TimeLimit(minutes))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("slow")


def pytest_collection_finish(session):
    gc.freeze()  # later collections skip what was imported


@pytest.fixture(scope="module", autouse=True)
def collected():
    """Frees the networks and graphs of a test file, which are large and refer to each other."""
    yield
    for name in [name for name in gradient_registry.list() if name.startswith("CustomGradient-")]:
        del gradient_registry._registry[name]  # TensorFlow never drops these, nor their graphs
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


def pytest_runtest_logreport(report):
    """Prints a failure as soon as it is known: a run that is ended from outside has no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        lines = report.longreprtext.splitlines()
        error = next((line.removeprefix("E").strip() for line in lines if line.startswith("E ")), "")
        print(f"\nfailed: {report.nodeid} ({report.when}): {error}", file=sys.__stderr__, flush=True)


def _largest():
    """Returns the largest size in GB of this process and of the children that it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) * (1 if sys.platform == "darwin" else 1024) / 1e9


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["largest"] = _largest()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    LARGEST.append(getattr(node, "workeroutput", {}).get("largest", 0.0))


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"largest process: {max(LARGEST, default=_largest()):.1f} GB")
