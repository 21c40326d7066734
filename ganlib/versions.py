"""Short hashes of everything that a result depends on, so that an outdated result is never mistaken for a current one."""

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
"""Folders and files of the package that affect neither training nor evaluation."""


def of(*parts):
    """Returns a hash of 12 hexadecimal digits of values with a deterministic ``repr``, such as strings and numbers."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


UNCHANGED_RESULTS = {
    "2e4bd954fb03": "774b4b14faeb",  # metrics/extractor.py
    "0b877f034286": "a8e2862cd4c9",  # metrics/features.py
    "e6e04ddadd11": "17662ce975cd",  # metrics/in_domain.py, up to 127x127
    "157ffc637d22": "0d3dbe67d85b",  # metrics/inception_2015.py
}
"""Hash of a file -> the hash of an earlier version of it that computes the same numbers, with other messages or names only.

A run that depends on features, such as one of IC-GAN, can therefore be resumed. A line has no effect after another change of
its file.
"""


@functools.cache
def of_code(*files):
    """Returns a hash of 12 hexadecimal digits of the statements of this package. Comments and docstrings are ignored.

    Args:
        *files: Paths in the package, such as ``"metrics/frechet.py"``. Defaults to the package's version and all files
            except `NOT_IN_RESULTS`.
    """
    if files:
        digest = of(*(_statements((FOLDER / file).read_text()) for file in files))
        return UNCHANGED_RESULTS.get(digest, digest)
    paths = [path.relative_to(FOLDER).as_posix() for path in sorted(FOLDER.rglob("*.py"))]
    counted = [path for path in paths if not path.startswith(NOT_IN_RESULTS)]
    return of(ganlib.__version__, counted, of_code(*counted))


def of_model(model):
    """Returns a hash of 12 hexadecimal digits of a Keras model: its layers, their weights and the code of custom classes.

    The names of layers are ignored, because Keras numbers them by the layers created earlier.
    """
    import keras

    digest = hashlib.sha256()
    try:
        config = keras.saving.serialize_keras_object(model)
        digest.update(json.dumps(_without_names(config, {}), sort_keys=True, default=repr).encode())
    except (NotImplementedError, TypeError, ValueError):  # a custom class without a config: its code is hashed below
        digest.update(type(model).__qualname__.encode())
    for layer in {type(layer): None for layer in model._flatten_layers()}:
        digest.update(_code_of_class(layer).encode())
    for weight in model.weights:
        value = keras.ops.convert_to_numpy(weight)
        digest.update(f"{value.shape}{value.dtype}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()[:12]


def _statements(source):
    """Returns Python source without comments, docstrings and formatting."""
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):  # a string as a statement has no effect
            statements = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
            node.body = statements or [ast.Pass()]
    return ast.unparse(tree)


NAME_KEYS = ("name", "keras_history", "input_layers", "output_layers")
"""Keys of a Keras config that hold names of layers."""
IGNORED_KEYS = ("build_config", "compile_config", "shared_object_id")
"""Keys of a Keras config that do not affect the model's outputs."""


def _without_names(value, numbers, named=False):
    """Returns a Keras config in which the names of layers are replaced by numbers, in the order of their appearance."""
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if key not in IGNORED_KEYS}
        return {
            key: inner if key == "dtype" else _without_names(inner, numbers, named or key in NAME_KEYS)
            for key, inner in kept.items()
        }
    if isinstance(value, (list, tuple)):
        return [_without_names(inner, numbers, named) for inner in value]
    return numbers.setdefault(value, len(numbers)) if named and isinstance(value, str) else value


def _code_of_class(cls):
    """Returns the source code of a class and its bases, except those of Keras and TensorFlow."""
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
