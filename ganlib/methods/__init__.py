"""The training methods, one file each: the config keys that a method reads, and the model that it trains.

A new file in this folder that defines `METHOD` needs no registration. The training jobs, the checks of configs and the table
of keys in the documentation use `METHODS`.
"""

import importlib
import pathlib

from ganlib import registry
from ganlib.methods.method import Method

_FOLDER = pathlib.Path(__file__).parent


def _discover():
    for name in registry.modules_with(_FOLDER, r"^METHOD = "):
        yield name, importlib.import_module(f"ganlib.methods.{name}").METHOD


METHODS = dict(_discover())
"""Name, the value of the config key ``method`` -> `Method`."""

__all__ = ["METHODS", "Method"]
