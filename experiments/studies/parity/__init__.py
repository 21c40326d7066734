"""Comparisons with numbers that the authors' codes computed. See `experiments.studies.parity.comparison`.

A module of this folder with ``FILES``, a tuple of names of reference files, defines ``differences(file)``: from a
`comparison.ReferenceFile` to a dict, name of a family of arrays -> the largest difference relative to the largest value of
the array. Each of them builds ganlib's networks from the authors' weights with `ganlib.interop`. ``TOLERANCES`` has the
families whose tolerance is not `comparison.TOLERANCE`.
"""

import importlib
import pathlib

from ganlib import registry


def comparisons():
    """Returns the module that compares each reference file, by the name of the file."""
    names = registry.modules_with(pathlib.Path(__file__).parent, r"^FILES\b")
    modules = [importlib.import_module(f"experiments.studies.parity.{name}") for name in names]
    return {file: module for module in modules for file in module.FILES}
