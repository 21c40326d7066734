"""Short hashes of what a result depends on, so that an old one is never taken for a new one."""

import ast
import functools
import hashlib
import inspect
import json
import pathlib
import textwrap

import ganlib

FOLDER = pathlib.Path(__file__).parent
NOT_IN_RESULTS = ("export/", "serving/", "interop/", "runs/report.py")
"""Folders and files of the package that change neither what is trained nor what is measured."""


def of(*parts):
    """Twelve hexadecimal digits that follow from values with a ``repr`` of their own, such as strings and numbers."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


@functools.cache
def of_code(*files):
    """Twelve hexadecimal digits that follow from statements of this package; comments and docstrings do not count.

    Args:
        *files: paths in the package, such as ``"metrics/frechet.py"``. Without any: the package's version, and all files
            but `NOT_IN_RESULTS`.
    """
    if files:
        return of(*(_statements((FOLDER / file).read_text()) for file in files))
    paths = [path.relative_to(FOLDER).as_posix() for path in sorted(FOLDER.rglob("*.py"))]
    counted = [path for path in paths if not path.startswith(NOT_IN_RESULTS)]
    return of(ganlib.__version__, counted, of_code(*counted))


def of_model(model):
    """Twelve hexadecimal digits that follow from a Keras model: its layers, their weights and the code of its own classes.

    The names of layers do not count, since Keras numbers them by what was made before.
    """
    import keras

    digest = hashlib.sha256()
    try:
        config = keras.saving.serialize_keras_object(model)
        digest.update(json.dumps(_without_names(config, {}), sort_keys=True, default=repr).encode())
    except (NotImplementedError, TypeError, ValueError):  # a class of one's own without a config: its code has to do
        digest.update(type(model).__qualname__.encode())
    for layer in {type(layer): None for layer in model._flatten_layers()}:
        digest.update(_code_of_class(layer).encode())
    for weight in model.weights:
        value = keras.ops.convert_to_numpy(weight)
        digest.update(f"{value.shape}{value.dtype}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()[:12]


def _statements(source):
    """Python source without comments, docstrings and layout."""
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):  # a string that stands alone does nothing
            kept = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
            node.body = kept or [ast.Pass()]
    return ast.unparse(tree)


NAMES = ("name", "keras_history", "input_layers", "output_layers")
"""Keys of a Keras config under which names of layers stand."""
NO_PART = ("build_config", "compile_config", "shared_object_id")
"""Keys that hold nothing of what a model computes."""


def _without_names(value, numbers, named=False):
    """A Keras config in which the names of layers are their numbers, in the order in which they appear."""
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if key not in NO_PART}
        return {
            key: inner if key == "dtype" else _without_names(inner, numbers, named or key in NAMES)
            for key, inner in kept.items()
        }
    if isinstance(value, (list, tuple)):
        return [_without_names(inner, numbers, named) for inner in value]
    return numbers.setdefault(value, len(numbers)) if named and isinstance(value, str) else value


def _code_of_class(cls):
    """What a class that is not Keras's own computes, as far as its source says."""
    code = []
    for base in cls.__mro__:
        if base.__module__.startswith("ganlib"):
            code.append(of_code())
        elif not base.__module__.startswith(("keras.", "tensorflow.", "builtins", "abc")):
            try:
                code.append(_statements(inspect.getsource(base)))
            except (OSError, TypeError, SyntaxError):  # defined at a prompt
                code.append(base.__qualname__)
    return repr(code)
