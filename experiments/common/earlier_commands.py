"""Commands of earlier versions, when studies and benchmarks had no folders of their own: ``python -m experiments.formats``."""

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
"""Module of `experiments` -> its file now."""


def find_spec(name, path=None, target=None):
    """Finds a job under its earlier name, as Python's own finders do."""
    package, _, job = name.rpartition(".")
    if package != "experiments" or job not in NEW_NAMES:
        return None
    return importlib.util.spec_from_file_location(name, FOLDER / f"{NEW_NAMES[job]}.py")


def accept():
    """Makes the earlier names work."""
    sys.meta_path.append(sys.modules[__name__])
