"""Reads the arrays of networks from files, without running any code of the file."""

import io
import pathlib
import pickle
import zipfile

import ml_dtypes
import numpy as np
import safetensors.numpy

from ganlib.errors import UserError
from ganlib.interop import pickles

WHOLE = "state"
"""The name of the part in a file that holds a single network."""


def read(path):
    """Reads a file of arrays.

    Args:
        path: A ``.npz`` or ``.safetensors`` file, a file of PyTorch (``.pth``, ``.pt``, ``.pkl``; current or before version
            1.6), or a ``.pkl`` file of NVIDIA's codes. The format is recognized by the content. No code of the file is run.

    Returns:
        A dict from the names of the parts, such as ``"G_ema"``, to dicts from names to arrays. A file without parts has one,
        ``"state"``. In ``.npz`` and ``.safetensors`` files, the name of a part ends at the last ``"/"`` of a key.

    Raises:
        UserError: If there is no such file, it is damaged or holds no arrays, or it asks for code.

    Examples:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from ganlib import interop
        >>> path = os.path.join(tempfile.mkdtemp(), "network.npz")
        >>> np.savez(path, **{"G/l1.weight": np.zeros((4, 2))})
        >>> {part: list(arrays) for part, arrays in interop.read(path).items()}
        {'G': ['l1.weight']}
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise UserError(f"there is no file {str(path)!r}")
    try:
        parts = _parts(path)
    except UserError as error:
        raise UserError(f"cannot read {str(path)!r}: {error}") from None
    except _ERRORS as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise UserError(f"cannot read {str(path)!r}: it is truncated, damaged or of another format ({reason})") from None
    if not parts:
        raise UserError(f"{str(path)!r} holds no arrays")
    return parts


_ERRORS = (
    EOFError, zipfile.BadZipFile, pickle.UnpicklingError, safetensors.SafetensorError, MemoryError, RuntimeError, OSError,
    ValueError, LookupError, TypeError, AttributeError, OverflowError,
)  # fmt: skip
"""What reading a damaged file may raise."""


def _parts(path):
    with path.open("rb") as file:
        start = file.read(16)
    if path.suffix == ".safetensors" or start[8:10] == b'{"':  # 8 bytes of length, then JSON
        return _by_part(safetensors.numpy.load_file(path))
    if start.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            is_npz = any(name.endswith(".npy") for name in archive.namelist())
        if is_npz:
            with np.load(path, allow_pickle=False) as arrays:
                return _by_part({name: arrays[name] for name in arrays.files})
        return _states(pickles.read_zip(path))
    return _states(_read_pickle(path.read_bytes()))


def _read_pickle(data):
    """Reads a pickle that begins either with PyTorch's magic number or with the object itself."""
    file = io.BytesIO(data)
    first = pickles.read_pickle(file)
    if first != pickles.LEGACY_MAGIC_NUMBER:
        return first
    file.seek(0)
    return pickles.read_legacy(file)


def _by_part(arrays):
    parts = {}
    for key, array in arrays.items():
        part, _, name = key.rpartition("/")
        parts.setdefault(part or WHOLE, {})[name] = _array(array)
    return parts


def _states(value, path=(), seen=None):
    """Returns the networks in an object by their place in it, such as ``"G_ema"``: dicts with arrays, and modules.

    An object that occurs several times in the file is returned once, since a small file can contain it very often.
    """
    seen = {} if seen is None else seen  # id -> object, which keeps the ids from being reused
    if id(value) in seen:
        return {}
    seen[id(value)] = value
    if isinstance(value, pickles.Placeholder):
        value = dict(_named_tensors(value)) if "_modules" in vars(value) else vars(value)
    if not isinstance(value, dict):
        return {}
    value = {key: entry for key, entry in value.items() if isinstance(key, str)}
    arrays = {key: _array(entry) for key, entry in value.items() if isinstance(entry, pickles.Tensor | np.ndarray)}
    states = {"/".join(path) or WHOLE: arrays} if arrays else {}
    for key, entry in value.items():
        states |= _states(entry, (*path, key), seen)
    return states


def _named_tensors(module, prefix=""):
    """Yields the names and the tensors of a module's parameters and buffers, as in PyTorch's ``state_dict``, and the sizes of
    its groups."""
    state = vars(module)
    if isinstance(state.get("group_size"), int):  # of a minibatch standard deviation, which has no weights
        yield f"{prefix}group_size", np.array(state["group_size"])
    for kind in ("_parameters", "_buffers"):
        for name, tensor in (state.get(kind) or {}).items():
            if isinstance(tensor, pickles.Tensor | np.ndarray):
                yield prefix + name, tensor
    for name, submodule in (state.get("_modules") or {}).items():
        if isinstance(submodule, pickles.Placeholder):
            yield from _named_tensors(submodule, f"{prefix}{name}.")


def _array(value):
    array = value.array() if isinstance(value, pickles.Tensor) else value
    if array.dtype.kind not in "biuf" and array.dtype != ml_dtypes.bfloat16:
        raise ValueError(f"it has an array of {array.dtype}, not of numbers")
    return array
