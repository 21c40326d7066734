"""Reads files of reference numbers, and measures differences from them."""

import functools
import json
import os
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parents[3].parent / "shared" / "parity"
"""The folder of the reference files. The environment variable ``GANLIB_PARITY`` overrides it."""

TOLERANCE = 1e-4
"""The largest relative difference that counts as equal: float32 costs up to 4e-5 in gradients."""


class ReferenceFile:
    """A file of numbers that an authors' code computed.

    Args:
        name: Its name without ``.npz``.

    Attributes:
        meta: What the file says of itself, a dict.
    """

    def __init__(self, name):
        self.name = name
        self._file = np.load(folder() / f"{name}.npz")
        self.meta = json.loads(str(self._file["meta"]))

    def __getitem__(self, key):
        return self._file[key]

    def __contains__(self, key):
        return key in self._file.files

    def group(self, prefix):
        """Returns the arrays whose key begins with ``prefix``, by the rest of their keys."""
        return {key[len(prefix) :]: self._file[key] for key in self._file.files if key.startswith(prefix)}

    def images(self, key):
        """Returns ``(n, height, width, channels)`` images; the file has the channels first."""
        return channels_last(self._file[key])


def folder():
    """Returns the folder of the reference files."""
    return pathlib.Path(os.environ.get("GANLIB_PARITY", FOLDER))


@functools.cache
def available():
    """Returns the names of the reference files that are present."""
    return tuple(sorted(path.stem for path in folder().glob("*.npz")))


def channels_last(images):
    """Converts ``(n, channels, height, width)`` to ``(n, height, width, channels)``."""
    return np.transpose(images, (0, 2, 3, 1))


def difference(value, reference, scale=None):
    """Returns the largest absolute difference, relative to the largest absolute value of ``reference`` or to ``scale``."""
    value, reference = np.asarray(value, np.float64), np.asarray(reference, np.float64)
    if value.shape != reference.shape:
        raise ValueError(f"shapes differ: {value.shape} and {reference.shape}")
    scale = np.abs(reference).max() if scale is None else scale
    return float(np.abs(value - reference).max() / max(scale, 1e-30))
