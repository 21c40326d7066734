"""The training methods, one file each: the config keys that a method reads, and the model that it trains.

A new file in this folder that defines `METHOD` needs no registration. The training jobs, the checks of configs and the table
of keys in the documentation use `METHODS`.
"""

import importlib
import pathlib
import pkgutil
import re

from ganlib.methods.method import Method

_FOLDER = pathlib.Path(__file__).parent


def _discover():
    for module in pkgutil.iter_modules([str(_FOLDER)]):
        if re.search(r"^METHOD = ", (_FOLDER / f"{module.name}.py").read_text(encoding="utf-8"), re.MULTILINE):
            yield module.name, importlib.import_module(f"ganlib.methods.{module.name}").METHOD


METHODS = dict(_discover())
"""Name, the value of the config key ``method`` -> `Method`."""

__all__ = ["METHODS", "Method"]
