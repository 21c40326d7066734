"""Lets Keras find the classes of ganlib in saved models before the modules that define them are imported.

Keras looks up a class by its registered name, and a decorator registers it when its module is imported. The public names of
ganlib are imported on first use, so in a new process nothing is registered yet. Until a module is imported, a stand-in is
registered for each of its classes. The stand-in imports the module when Keras creates the first instance.

The names are read from the source files, so that `import ganlib` imports neither Keras nor TensorFlow.
"""

import importlib
import sys

_PACKAGE = r'register_keras_serializable\("([\w.]+)"\)'
_CLASS = r"^@(?:register|keras\.saving\.register_keras_serializable\(.*\))\nclass (\w+)"


def when_keras_is_imported():
    """Registers the stand-ins: now if Keras is imported, otherwise as soon as it is."""
    if "keras" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, _Finder())


def register():
    """Registers a stand-in for every class that is not registered yet."""
    import keras

    known = keras.saving.get_custom_objects()
    for name, (module, class_name) in names().items():
        if name not in known:
            package, _, _ = name.rpartition(">")
            keras.saving.register_keras_serializable(package, class_name)(_stand_in(module, class_name))


def names():
    """Returns a dict from the registered name of every class to its module and its name there."""
    import pathlib  # imported here to keep `import ganlib` fast
    import re

    root, classes = pathlib.Path(__file__).parent, {}
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        package = re.search(_PACKAGE, text)
        if package:
            module = ".".join(["ganlib", *path.relative_to(root).with_suffix("").parts])
            classes |= {f"{package[1]}>{name}": (module, name) for name in re.findall(_CLASS, text, re.MULTILINE)}
    return classes


def _stand_in(module, class_name):
    """Returns a class whose ``from_config`` imports the real class, which then replaces it in the registry."""

    def from_config(config):
        return getattr(importlib.import_module(module), class_name).from_config(config)

    return type(class_name, (), {"from_config": staticmethod(from_config), "get_config": None, "__module__": module})


class _Finder:
    """An import hook that delegates to Python's other finders, and registers the stand-ins after Keras is imported."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        finders = [finder for finder in sys.meta_path if finder is not self]
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in finders)), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                sys.meta_path.remove(self)
                register()

            spec.loader.exec_module = exec_module
        return spec
