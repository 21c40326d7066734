"""Keras finds the classes of ganlib in saved models, also before anything has imported the modules that they are in.

Keras looks up a class by the name under which it was registered, and a decorator registers it where its module is imported. The
public names of ganlib load on first use, so that in a new process nothing is registered yet. Until a module is imported,
each of its classes is registered as a stand-in, which imports it when Keras makes the first object of it.

The names are read from the source files, so that `import ganlib` imports neither Keras nor TensorFlow.
"""

import importlib
import sys

_PACKAGE = r'register_keras_serializable\("([\w.]+)"\)'
_CLASS = r"^@(?:register|keras\.saving\.register_keras_serializable\(.*\))\nclass (\w+)"


def when_keras_is_imported():
    """Registers the stand-ins: now, if Keras is there, otherwise as soon as it is."""
    if "keras" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, _Finder())


def register():
    """Registers a stand-in for every class that is not registered itself."""
    import keras

    known = keras.saving.get_custom_objects()
    for name, (module, class_name) in names().items():
        if name not in known:
            package, _, _ = name.rpartition(">")
            keras.saving.register_keras_serializable(package, class_name)(_stand_in(module, class_name))


def names():
    """The name of every registered class -> the module that it is in, and its name there."""
    import pathlib  # here, so that `import ganlib` alone does not wait for them
    import re

    root, found = pathlib.Path(__file__).parent, {}
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        package = re.search(_PACKAGE, text)
        if package:
            module = ".".join(["ganlib", *path.relative_to(root).with_suffix("").parts])
            found |= {f"{package[1]}>{name}": (module, name) for name in re.findall(_CLASS, text, re.MULTILINE)}
    return found


def _stand_in(module, class_name):
    """A class that makes objects of another, whose module it imports; there the other one registers itself in its place."""

    def from_config(config):
        return getattr(importlib.import_module(module), class_name).from_config(config)

    return type(class_name, (), {"from_config": staticmethod(from_config), "get_config": None, "__module__": module})


class _Finder:
    """Finds Keras as Python would without it, and registers the stand-ins when its import is complete."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                sys.meta_path.remove(self)
                register()

            spec.loader.exec_module = exec_module
        return spec
