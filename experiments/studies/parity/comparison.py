"""Reads files of reference numbers, and measures differences from them."""

import functools
import json
import math
import os
import pathlib

import numpy as np
import tensorflow as tf

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

    def get(self, key):
        """Returns an array, or None if the file has none under this key."""
        return self._file.get(key)

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


class Names:
    """Translates values of a ganlib network's weights, such as gradients, to the names and layouts of the authors' arrays.

    A second network is built from arrays that hold the positions of their own numbers. Its weights then hold, for each of
    their numbers, the position in the authors' arrays.

    Args:
        code: A name from `ganlib.interop.codes`.
        which: ``"generator"`` or ``"discriminator"``.
        state: Name -> array, the authors' weights.
    """

    def __init__(self, code, which, state):
        from ganlib import interop

        self._shapes, positions, start = {}, {}, 0
        for name, array in state.items():
            self._shapes[name] = start, array.shape
            positions[name] = np.arange(start, start + array.size, dtype=np.float32).reshape(array.shape)
            start += array.size
        self._count = start
        network = getattr(interop, which)(code, positions)
        self._of_weights = [self._positions(v) for v in network.weights]
        self._of_trainable = [self._positions(v) for v in network.trainable_variables]

    def _positions(self, variable):
        value = variable.numpy()
        return np.where(value == np.round(value), value, -1).astype(int)

    def weights(self, network):
        """Returns name -> array of all weights of a network."""
        return self._by_name(self._of_weights, [v.numpy() for v in network.weights])

    def gradients(self, gradients):
        """Returns name -> array of the gradients of the trainable variables. A missing gradient is zero."""
        return self._by_name(self._of_trainable, gradients)

    def _by_name(self, positions, values):
        flat = np.full(self._count, np.nan)
        for where, value in zip(positions, values, strict=True):
            kept = where >= 0
            flat[where[kept]] = np.broadcast_to(0.0 if value is None else np.asarray(value), where.shape)[kept]
        arrays = {name: flat[start : start + math.prod(shape)].reshape(shape) for name, (start, shape) in self._shapes.items()}
        return {name: array for name, array in arrays.items() if not np.isnan(array).any()}


def largest(values, references, scale=None):
    """Returns the largest `difference` of two dicts of arrays with the same names.

    Args:
        values: Name -> array. It may have more names than ``references``.
        references: Name -> array. ``NAME__every<k>`` has every k-th number of NAME, ``NAME__sum_norm`` its sum and norm.
        scale: Divide by this number instead of the largest value of each array. Defaults to None.
    """
    differences = {}
    for name, reference in references.items():
        whole, _, part = name.partition("__")
        value = np.asarray(values[whole], np.float64)
        if part.startswith("every"):
            value = value.ravel()[:: int(part.removeprefix("every"))]
        elif part == "sum_norm":
            value, reference = np.linalg.norm(value), reference[1]  # the sum cancels
        differences[name] = difference(value, reference, scale)
    return max(differences.values())


def gradients_of(tape, loss, network):
    """Returns the dense gradients of a loss for a network's trainable variables, None where there is none."""
    gradients = tape.gradient(loss, network.trainable_variables)
    return [g if g is None else tf.convert_to_tensor(g) for g in gradients]


def gradient_difference(file, run, net, gradients):
    """Returns the largest difference of gradients from those of a file.

    Each array is compared relative to its own largest value. Gradients that vanish in exact arithmetic are compared relative to
    the largest of all.

    Args:
        file: A `ReferenceFile` of mimicry or BigGAN.
        run: The name of the run, such as ``"D_step"``.
        net: ``"G"`` or ``"D"``.
        gradients: Name -> array.
    """
    prefix = f"grad/{run}/{net}/"
    references = file.group(prefix)
    vanishing = {name: value for name, value in references.items() if prefix + name in file.meta["exact_zero_gradients"]}
    others = {name: value for name, value in references.items() if name not in vanishing}
    scale = max(np.abs(value).max() for name, value in others.items() if "__" not in name)
    return max(largest(gradients, others), largest(gradients, vanishing, scale) if vanishing else 0.0)
