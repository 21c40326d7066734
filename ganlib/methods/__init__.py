"""The methods that a config can name, a file for each: what it reads of the config, and the model that it trains.

A new file with a `METHOD` is found by its folder: the training jobs, the checks of configs and the table of keys in the
documentation take it from here.
"""

import importlib
import pathlib
import pkgutil
import re

from ganlib.methods.method import Method

_FOLDER = pathlib.Path(__file__).parent


def _found():
    for module in pkgutil.iter_modules([str(_FOLDER)]):
        if re.search(r"^METHOD = ", (_FOLDER / f"{module.name}.py").read_text(encoding="utf-8"), re.MULTILINE):
            yield module.name, importlib.import_module(f"ganlib.methods.{module.name}").METHOD


METHODS = dict(_found())
"""The config's ``method`` -> its `Method`."""

__all__ = ["METHODS", "Method"]
