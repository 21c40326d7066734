"""Builds ganlib networks from the arrays of the authors' codes."""

import functools
import importlib
import pathlib

from ganlib import registry
from ganlib.errors import choose
from ganlib.interop.arrays import Arrays

_FOLDER = pathlib.Path(__file__).parent / "codes"


@functools.cache
def codes():
    """Returns the names of the codes whose networks can be loaded, the modules of `ganlib.interop.codes`."""
    return tuple(registry.modules_with(_FOLDER, r"^SOURCE\b"))


def module(code):
    """Imports and returns the module of one code.

    Raises:
        UserError: If the code is unknown; the message lists the known ones.
    """
    return importlib.import_module(f"ganlib.interop.codes.{choose('code', code, {name: name for name in codes()})}")


def generator(code, state):
    """Builds a `ganlib.networks.Generator` from the arrays of the authors' generator.

    The sizes are inferred from the arrays.

    Args:
        code: A name from `codes`.
        state: Name -> array, one part of what `ganlib.interop.read` returns.

    Raises:
        UserError: If the code is unknown, an array is missing or left over, or a shape does not fit. The message has its name.
    """
    return _built(code, state, "generator")


def discriminator(code, state):
    """Builds a `ganlib.networks.Discriminator` from the arrays of the authors' discriminator. See `generator`."""
    return _built(code, state, "discriminator")


def _built(code, state, which):
    arrays = Arrays(code, state)
    network = getattr(module(code), which)(arrays)
    arrays.check_all_used()
    return network
