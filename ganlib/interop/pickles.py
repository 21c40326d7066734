"""Reads pickles of PyTorch and of NVIDIA's codes without running any code of the file.

A pickle names functions and classes that it wants called. Here each name stands for a function or a class of this file, or for
an inert placeholder, or is refused. PyTorch is not needed.
"""

import collections
import io
import math
import pickle
import struct
import types
import zipfile

import ml_dtypes
import numpy as np

from ganlib.errors import UserError

DTYPES = {
    "FloatStorage": np.float32, "DoubleStorage": np.float64, "HalfStorage": np.float16, "BFloat16Storage": ml_dtypes.bfloat16,
    "LongStorage": np.int64, "IntStorage": np.int32, "ShortStorage": np.int16, "CharStorage": np.int8,
    "ByteStorage": np.uint8, "BoolStorage": np.bool_,
}  # fmt: skip
"""PyTorch's class of a storage -> the dtype of its numbers."""

LEGACY_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


class Placeholder:
    """An object whose class is not known here, such as a module of a network. It keeps its attributes and does nothing."""

    def __init__(self, *arguments, **keywords):
        pass

    def __setstate__(self, state):
        if isinstance(state, dict):
            self.__dict__.update(state)


class _Storage:
    """The numbers of one or more tensors. They may be read after the tensors have been named."""

    def __init__(self, dtype, count):
        if type(count) is not int or count < 0:
            raise ValueError("the size of a storage must be an integer")
        self.dtype, self.count, self.values = np.dtype(dtype), count, None

    def fill(self, data):
        """Reads the numbers from bytes.

        Raises:
            EOFError: If there are too few.
        """
        if len(data) < self.count * self.dtype.itemsize:
            raise EOFError
        self.values = np.frombuffer(data, self.dtype, self.count)


class Tensor:
    """A view of a storage. `array` returns it once the storage is filled.

    Raises:
        ValueError: If the offset, the shape or the strides are not integers.
    """

    def __init__(self, storage, offset, shape, strides):
        numbers = (offset, *shape, *strides)
        if not all(type(number) is int for number in numbers):  # numpy's integers overflow without an error
            raise ValueError("the sizes of a tensor must be integers")
        self._storage, self._offset, self._shape, self._strides = storage, offset, tuple(shape), tuple(strides)

    def array(self):
        """Returns the tensor as a numpy array of its own.

        Raises:
            ValueError: If the tensor is larger than its storage, as in a damaged file.
        """
        values = self._storage.values
        last = self._offset + sum((side - 1) * stride for side, stride in zip(self._shape, self._strides, strict=True))
        beyond = 0 not in self._shape and last >= len(values)
        if beyond or min((*self._shape, *self._strides, self._offset, 0)) < 0 or math.prod(self._shape) > len(values):
            raise ValueError("a tensor reaches beyond its storage")
        strides = [stride * values.itemsize for stride in self._strides]
        return np.lib.stride_tricks.as_strided(values[self._offset :], self._shape, strides).copy()


def _rebuild_tensor(storage, offset, shape, strides, *ignored):
    return Tensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor, *ignored):
    return tensor


def _encode(text, encoding):
    """Returns bytes, which pickles of protocol 2 store as text."""
    if encoding != "latin1":
        raise ValueError(f"bytes are stored as latin1, not as {encoding!r:.20}")
    return text.encode("latin1")


def _load_from_bytes(data):
    return read_legacy(io.BytesIO(data))


def _reconstruct_persistent_object(meta):
    """Returns a placeholder for an object of NVIDIA's codes. Their files contain its source code, which is not run."""
    placeholder = Placeholder()
    placeholder.__setstate__(meta.get("state"))
    return placeholder


class _Mapping(dict):
    """NVIDIA's ``EasyDict``: a dict that the pickle fills and gives attributes, which are dropped."""

    def __setstate__(self, state):
        pass


_MULTIARRAY = (np._core if hasattr(np, "_core") else np.core).multiarray

FUNCTIONS = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch.storage._load_from_bytes": _load_from_bytes,
    "torch.Size": tuple,
    "torch_utils.persistence._reconstruct_persistent_obj": _reconstruct_persistent_object,
    "_codecs.encode": _encode,
    "builtins.set": set,
    "__builtin__.set": set,
    "numpy.dtype": np.dtype,
    "numpy.ndarray": np.ndarray,
    **{f"numpy.{core}.multiarray.{name}": getattr(_MULTIARRAY, name)
       for core in ("core", "_core") for name in ("_reconstruct", "scalar")},
}  # fmt: skip
"""A name in a pickle -> what it stands for here."""

CLASSES = {"dnnlib.util.EasyDict": _Mapping, "argparse.Namespace": Placeholder}
"""A name of a class in a pickle -> the class that is derived to stand for it."""

INERT = (
    "torch.nn.", "torch.device", "torch.float", "torch.bfloat", "torch.int", "torch.optim.",
    "training.networks.", "R3GAN.", "pg_modules.", "timm.",
)  # fmt: skip
"""The beginnings of names that stand for a `Placeholder`: modules of PyTorch, and of the authors' codes whose pickles name the
classes of their networks."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, storages):
        super().__init__(file)
        self._storages = storages

    def find_class(self, module, name):
        full_name = f"{module}.{name}"
        if module in ("torch", "torch.storage", "torch.cuda") and name in DTYPES:
            return types.SimpleNamespace(dtype=DTYPES[name])
        # A pickle can set attributes of what it gets here, so it gets new functions and classes.
        if full_name in FUNCTIONS:
            function = FUNCTIONS[full_name]
            return function if isinstance(function, type) else lambda *arguments: function(*arguments)
        if full_name in CLASSES or full_name.startswith(INERT):
            return type(name, (CLASSES.get(full_name, Placeholder),), {})
        raise UserError(f"it asks for {full_name!r}, which could run code of the file, and only tensors are read")

    def persistent_load(self, identifier):
        """Returns what is stored outside the object: the numbers of a tensor, as in
        ``("storage", type, key, location, count)``, or a class, as in ``("module", class, file, source)``.
        """
        if identifier[0] == "module":
            return identifier[1]
        _, kind, key, _, count = identifier[:5]
        key = str(key)
        if key not in self._storages:
            self._storages[key] = _Storage(kind.dtype, count)
        return self._storages[key]


def read_zip(path):
    """Reads a file in PyTorch's current format, a zip archive, and returns the object with `Tensor`s in it.

    Raises:
        UserError: If it is another archive, or asks for code.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickled = next((name for name in names if name == "data.pkl" or name.endswith("/data.pkl")), None)
        if pickled is None:
            raise UserError("it is a zip archive without data.pkl, not a file of PyTorch")
        folder, storages = pickled.removesuffix("data.pkl"), {}
        value = _Unpickler(io.BytesIO(archive.read(pickled)), storages).load()
        for key, storage in storages.items():
            with archive.open(f"{folder}data/{key}") as file:
                storage.fill(_exactly(file, storage.count * storage.dtype.itemsize))
    return value


def read_legacy(file):
    """Reads a file in PyTorch's format before version 1.6, from an open binary file.

    It has a magic number, the version, facts of the machine, the object, the keys of the storages, and for each of them the
    number of its values and the values.

    Raises:
        UserError: If it is another file, or asks for code.
    """
    magic_number, *_ = (_Unpickler(file, {}).load() for _ in range(3))
    if magic_number != LEGACY_MAGIC_NUMBER:
        raise UserError("it is not a file of PyTorch: its magic number differs")
    storages = {}
    value = _Unpickler(file, storages).load()
    for key in _Unpickler(file, {}).load():
        (count,) = struct.unpack("<q", _exactly(file, 8))
        storage = storages.setdefault(str(key), _Storage(np.uint8, count))
        storage.count = count
        storage.fill(_exactly(file, count * storage.dtype.itemsize))
    return value


def read_pickle(file):
    """Reads a plain pickle, such as NVIDIA's, from an open binary file, and returns the object with `Tensor`s in it."""
    return _Unpickler(file, {}).load()


def _exactly(file, count):
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data
