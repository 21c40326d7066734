"""Converts the body of a request to arrays for the network, or raises a one-line error message."""

import base64
import binascii

import numpy as np
import orjson

MAX_FILE_BYTES = 8 * 2**20


class BadRequest(Exception):
    """An error that the client can fix."""


def parse(body):
    """Parses the JSON object in a body.

    Raises:
        BadRequest: If the body is not a JSON object.
    """
    try:
        request = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise BadRequest("the body must be a JSON object with 'instances' or 'inputs'")
    return request


def arrays(request, specs, max_rows, choices=None):
    """Converts a request to arrays. The request is in TensorFlow Serving's row format, ``{"instances": [...]}``, or in its
    column format, ``{"inputs": ...}``.

    Args:
        request: The JSON object.
        specs: The inputs of the function, as in a model card: name -> ``{"shape": [...], "dtype": ...}``.
        max_rows: The maximum number of rows.
        choices: The number of classes, which labels must be below; None does not check labels. Defaults to None.

    Returns:
        A dict from names to arrays. An input without a batch axis is a scalar.

    Raises:
        BadRequest: If the request does not match the specs.
    """
    if ("instances" in request) == ("inputs" in request):
        raise BadRequest("pass either 'instances', a list, or 'inputs'")
    columns = _columns(request["instances"], specs) if "instances" in request else request["inputs"]
    if not isinstance(columns, dict):
        columns = {next(iter(specs)): columns}
    if columns.keys() != specs.keys():
        raise BadRequest(f"the inputs must be {', '.join(specs)}, got {', '.join(map(str, columns)) or 'none'}")
    result = {name: _array(name, columns[name], spec) for name, spec in specs.items()}
    if "count" in result:
        _check_count(result, max_rows)
    else:
        _check_rows(result, max_rows)
    if choices and "labels" in result and result["labels"].ndim == 1 and not _within(result["labels"], 0, choices - 1):
        raise BadRequest(f"labels must be from 0 to {choices - 1}")
    return result


def _columns(instances, specs):
    if not isinstance(instances, list) or not instances:
        raise BadRequest("'instances' must be a non-empty list")
    if any(not spec["shape"] for spec in specs.values()):
        raise BadRequest("this function takes its inputs by column: pass 'inputs'")
    if len(specs) == 1 and not (isinstance(instances[0], dict) and "b64" not in instances[0]):
        return {next(iter(specs)): instances}
    if not all(isinstance(instance, dict) and instance.keys() == specs.keys() for instance in instances):
        raise BadRequest(f"every instance must be an object with the keys {', '.join(specs)}")
    return {name: [instance[name] for instance in instances] for name in specs}


def _array(name, value, spec):
    if spec["dtype"] == "string":
        return _contents(name, value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise BadRequest(f"{name!r} has rows of different sizes") from None
    dtype = np.dtype(spec["dtype"])
    if array.dtype.kind not in ("iuf" if dtype.kind == "f" else "iu"):
        raise BadRequest(f"{name!r} must be {'numbers' if dtype.kind == 'f' else 'integers'}")
    if len(array.shape) != len(spec["shape"]) or any(
        size != expected for size, expected in zip(array.shape, spec["shape"], strict=True) if expected != "batch"
    ):
        raise BadRequest(f"{name!r} must have shape {spec['shape']}, not {list(array.shape)}")
    limits = np.finfo(np.float32) if dtype.kind == "f" else np.iinfo(dtype)
    if not _within(array, limits.min, limits.max):
        raise BadRequest(f"{name!r} must be {dtype.name}, from {limits.min} to {limits.max}")
    return array.astype(dtype)


def _contents(name, value):
    """Decodes base64 strings, plain or as ``{"b64": ...}``, to the contents of files."""
    if not isinstance(value, list) or not value:
        raise BadRequest(f"{name!r} must be a list of base64 strings")
    return np.array(
        [_content(name, item["b64"] if isinstance(item, dict) and "b64" in item else item) for item in value], object
    )


def _content(name, text):
    if not isinstance(text, str):
        raise BadRequest(f"{name!r} must be base64 strings, as in {{'b64': '...'}}")
    if len(text) > MAX_FILE_BYTES * 4 / 3 + 4:
        raise BadRequest(f"a file of {name!r} is larger than {MAX_FILE_BYTES // 2**20} MiB")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"{name!r} is not base64") from None


def _check_rows(inputs, max_rows):
    counts = {len(array) for array in inputs.values()}
    if len(counts) > 1:
        raise BadRequest("all inputs must have the same number of rows")
    if not 1 <= counts.pop() <= max_rows:
        raise BadRequest(f"a request must have 1 to {max_rows} rows")


def _check_count(inputs, max_rows):
    if not _within(inputs["count"], 1, max_rows):
        raise BadRequest(f"count must be from 1 to {max_rows}, got {inputs['count']}")
    if "labels" in inputs and len(inputs["labels"]) not in (1, int(inputs["count"])):
        raise BadRequest(f"labels must have length 1 or {inputs['count']}, got {len(inputs['labels'])}")


def _within(array, low, high):
    return bool(np.all((array >= low) & (array <= high)))  # NaN is not within
