"""Writes files as PyTorch and NVIDIA's codes do, without PyTorch: tests/interop/test_torch_files.py compares with PyTorch's."""

import collections
import contextlib
import copyreg
import io
import pickle
import struct
import sys
import types
import zipfile
from unittest import mock

import numpy as np

from ganlib.interop import pickles

STORAGES = {np.dtype(dtype): name for name, dtype in pickles.DTYPES.items()}


class Storage:
    def __init__(self, values, key):
        self.values, self.key = values, key


def _function(module, name):
    def function(*arguments):
        raise AssertionError("this function is only named")

    function.__module__, function.__name__, function.__qualname__ = module, name, name
    return function


def _class(module, name):
    return type(name, (), {"__module__": module, "__qualname__": name})


@contextlib.contextmanager
def named(*full_names, classes=()):
    """Makes functions and classes importable under the given names while a pickle is written, and yields them by name."""
    made = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(sys.modules))
        for full_name in (*full_names, *classes):
            module, _, name = full_name.rpartition(".")
            made[full_name] = (_class if full_name in classes else _function)(module, name)
            for depth in range(1, module.count(".") + 2):
                part = ".".join(module.split(".")[:depth])
                sys.modules.setdefault(part, types.ModuleType(part))
            # PyTorch may be imported: its own names come back afterwards.
            stack.enter_context(mock.patch.object(sys.modules[module], name, made[full_name], create=True))
        yield made


class _Pickler(pickle.Pickler):
    """Pickles arrays as PyTorch pickles tensors."""

    def __init__(self, file, made, storages, inline=False):
        super().__init__(file, protocol=2)
        self.made, self.storages, self.inline = made, storages, inline

    def persistent_id(self, value):
        if not isinstance(value, Storage) or self.inline:
            return None
        kind = self.made[f"torch.{STORAGES[value.values.dtype]}"]
        return ("storage", kind, value.key, "cpu", value.values.size)

    def reducer_override(self, value):
        if isinstance(value, np.ndarray):
            storage = Storage(value.ravel(), str(len(self.storages)))
            self.storages.append(storage)
            strides = tuple(stride // value.itemsize for stride in value.copy().strides)
            arguments = (storage, 0, value.shape, strides, False, collections.OrderedDict())
            return self.made["torch._utils._rebuild_tensor_v2"], arguments
        if isinstance(value, Storage):
            return self.made["torch.storage._load_from_bytes"], (legacy_bytes(value, self.made),)
        if isinstance(value, Module) and value.class_name:
            kind, state = self.made[value.class_name], value.state()
            value.__class__ = kind  # the pickler checks it
            return copyreg.__newobj__, (kind,), state
        if isinstance(value, Module):
            meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": "Generator"}
            return self.made["torch_utils.persistence._reconstruct_persistent_obj"], (meta | {"state": value.state()},)
        return NotImplemented


class Module:
    """A module of the authors' codes, from the arrays of its state dict.

    Args:
        arrays: Name -> array.
        class_names: The full names of the class of the module and of its submodules at each depth, as codes without NVIDIA's
            persistent objects pickle them. Defaults to ``()``, which means NVIDIA's persistent objects.
        attributes: Name -> other attributes of the module. Defaults to none.
    """

    def __init__(self, arrays, class_names=(), attributes=()):
        self.parameters, self.submodules, self.attributes = {}, {}, dict(attributes)
        self.class_name, *self.deeper = class_names or (None,)
        self.deeper = self.deeper or [self.class_name] * bool(self.class_name)
        for name, array in arrays.items():
            first, _, rest = name.partition(".")
            if rest:
                self.submodules.setdefault(first, {})[rest] = array
            else:
                self.parameters[first] = array

    def state(self):
        modules = {name: Module(arrays, self.deeper, self.attributes.get(name, ())) for name, arrays in self.submodules.items()}
        plain = {name: value for name, value in self.attributes.items() if not isinstance(value, dict)}
        return {**plain, "_parameters": collections.OrderedDict(self.parameters), "_buffers": collections.OrderedDict(),
                "_modules": collections.OrderedDict(modules), "training": False}  # fmt: skip


STORAGE_NAMES = [f"torch.{name}" for name in pickles.DTYPES]
NAMES = ("torch._utils._rebuild_tensor_v2", "torch.storage._load_from_bytes",
         "torch_utils.persistence._reconstruct_persistent_obj")  # fmt: skip


def legacy_bytes(value, made):
    """Returns the bytes of PyTorch's format before version 1.6, of an object or of one storage."""
    file, storages = io.BytesIO(), [value] if isinstance(value, Storage) else []
    for part in (pickles.LEGACY_MAGIC_NUMBER, 1001, {"little_endian": True}):
        pickle.dump(part, file, protocol=2)
    _Pickler(file, made, storages).dump(value)
    pickle.dump([storage.key for storage in storages], file, protocol=2)
    for storage in storages:
        file.write(struct.pack("<q", storage.values.size) + storage.values.tobytes())
    return file.getvalue()


def write_legacy(path, value):
    with named(*NAMES, classes=STORAGE_NAMES) as made:
        path.write_bytes(legacy_bytes(value, made))


def write_zip(path, value):
    with named(*NAMES, classes=STORAGE_NAMES) as made, zipfile.ZipFile(path, "w") as archive:
        file, storages = io.BytesIO(), []
        _Pickler(file, made, storages).dump(value)
        archive.writestr("archive/data.pkl", file.getvalue())
        for storage in storages:
            archive.writestr(f"archive/data/{storage.key}", storage.values.tobytes())


def write_nvidia(path, parts, class_names=(), attributes=()):
    """Writes parts, name -> arrays, as a ``.pkl`` file of NVIDIA's training loop. See `Module` for the other arguments."""
    with named(*NAMES, classes=[*STORAGE_NAMES, *class_names]) as made:
        file = io.BytesIO()
        modules = {name: Module(arrays, class_names, attributes) for name, arrays in parts.items()}
        _Pickler(file, made, [], inline=True).dump(modules)
        path.write_bytes(file.getvalue())
