"""Builds ganlib networks from the arrays of the authors' codes."""

import functools
import importlib
import pathlib

from ganlib import registry
from ganlib.errors import UserError, choose
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
        UserError: If the code is unknown, an array is missing or left over, or a shape does not fit. The message has its name,
            and the other code or network that the arrays look like, if there is one.
    """
    return _built(code, state, "generator")


def discriminator(code, state):
    """Builds a `ganlib.networks.Discriminator` from the arrays of the authors' discriminator. See `generator`."""
    return _built(code, state, "discriminator")


def _built(code, state, which):
    try:
        return _network(code, state, which)
    except UserError as error:
        others = (
            (other, kind)
            for other in sorted(codes(), key="projected_gan".__eq__)  # its files may hold a generator of stylegan2_ada
            for kind in ("generator", "discriminator")
            if (other, kind) != (code, which)
        )
        found = next((f"a {kind} of {other}" for other, kind in others if _fits(other, state, kind)), None)
        raise UserError(f"{error}; it looks like {found}" if found else str(error)) from None


def _network(code, state, which):
    arrays = Arrays(code, state)
    try:
        network = getattr(module(code), which)(arrays)
    except UserError:
        raise
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:  # sizes that no network has, such as 0
        raise UserError(
            f"the sizes of these arrays are not those of a {which} of {code} ({' '.join(str(error).split())})"
        ) from None
    arrays.check_all_used()
    return network


def _fits(code, state, which):
    """Returns whether a network can be built from a state; any error that other arrays cause means that it cannot."""
    try:
        _network(code, state, which)
    except Exception:
        return False
    return True
