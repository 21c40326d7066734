"""Generators and discriminators, one file per architecture. They use only `keras.ops` and do not depend on training.

A module of this folder is imported on first use, as in ``ganlib.networks.dcgan``. `architectures` lists the modules that define
a generator or a discriminator, so a new file needs no other change.
"""

import functools
import importlib
import pathlib
import pkgutil

from ganlib import registry
from ganlib.networks.base import Discriminator, Generator
from ganlib.networks.classifier import Classifier

_FOLDER = pathlib.Path(__file__).parent
_MODULES = tuple(sorted(module.name for module in pkgutil.iter_modules([str(_FOLDER)])))
__all__ = ["Classifier", "Discriminator", "Generator", "architectures", *_MODULES]


@functools.cache
def architectures():
    """Returns the names of the modules that define a Generator or a Discriminator, read from their source without importing
    them.
    """
    found = registry.modules_with(_FOLDER, r"^class (?:Generator|Discriminator)\b")
    return tuple(name for name in found if name not in ("base", "wrapped"))


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"ganlib.networks.{name}")
    if name == "layers":  # its location in earlier versions
        return importlib.import_module("ganlib.layers")
    raise AttributeError(f"module 'ganlib.networks' has no attribute {name!r}")


def __dir__():
    return __all__
