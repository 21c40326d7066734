"""Supports the commands of earlier versions, before studies and benchmarks moved: ``python -m experiments.formats``."""

import importlib.util
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parents[1]
NEW_NAMES = {
    "benchmark": "benchmarks/steps", "benchmark_metrics": "benchmarks/metrics", "benchmark_networks": "benchmarks/networks",
    "benchmark_pytorch": "benchmarks/pytorch", "load": "benchmarks/load", "agreement": "studies/agreement",
    "communication": "studies/communication", "device_agreement": "studies/device_agreement", "formats": "studies/formats",
    "likeness": "studies/likeness", "metric_sanity": "studies/metric_sanity",
}  # fmt: skip
"""Earlier module in `experiments` -> its current file."""


def find_spec(name, path=None, target=None):
    """Finds a job under its earlier name. This is the interface of Python's import finders."""
    package, _, job = name.rpartition(".")
    if package != "experiments" or job not in NEW_NAMES:
        return None
    return importlib.util.spec_from_file_location(name, FOLDER / f"{NEW_NAMES[job]}.py")


def accept():
    """Enables the earlier names."""
    sys.meta_path.append(sys.modules[__name__])
