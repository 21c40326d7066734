"""From the body of a request to arrays that the network takes, or one line that says what is wrong with it."""

import base64
import binascii

import numpy as np
import orjson

MAX_FILE_BYTES = 8 * 2**20


class BadRequest(Exception):
    """What the client can mend."""


def parse(body):
    """The JSON object of a body.

    Raises:
        BadRequest: if it is none.
    """
    try:
        request = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise BadRequest("the body must be a JSON object with 'instances' or 'inputs'")
    return request


def arrays(request, specs, max_rows, choices=None):
    """The arrays of a request in TensorFlow Serving's row format, ``{"instances": [...]}``, or columns, ``{"inputs": ...}``.

    Args:
        request: the JSON object.
        specs: the inputs of the function, as a model card has them: name -> ``{"shape": [...], "dtype": ...}``.
        max_rows: so many rows at most.
        choices: labels are below this; None does not look.

    Returns:
        A dict from names to arrays; of an input without a batch, a number.

    Raises:
        BadRequest: for anything that does not fit.
    """
    if ("instances" in request) == ("inputs" in request):
        raise BadRequest("give either 'instances', a list, or 'inputs'")
    columns = _columns(request["instances"], specs) if "instances" in request else request["inputs"]
    if not isinstance(columns, dict):
        columns = {next(iter(specs)): columns}
    if columns.keys() != specs.keys():
        raise BadRequest(f"the inputs are {', '.join(specs)}, and the request has {', '.join(map(str, columns)) or 'none'}")
    found = {name: _array(name, columns[name], spec) for name, spec in specs.items()}
    if "count" in found:
        _check_count(found, max_rows)
    else:
        _check_rows(found, max_rows)
    if choices and "labels" in found and found["labels"].ndim == 1 and not _within(found["labels"], 0, choices - 1):
        raise BadRequest(f"labels are from 0 to {choices - 1}")
    return found


def _columns(instances, specs):
    if not isinstance(instances, list) or not instances:
        raise BadRequest("'instances' must be a list that is not empty")
    if any(not spec["shape"] for spec in specs.values()):
        raise BadRequest("this function takes its inputs by column: give 'inputs'")
    if len(specs) == 1 and not (isinstance(instances[0], dict) and "b64" not in instances[0]):
        return {next(iter(specs)): instances}
    if not all(isinstance(instance, dict) and instance.keys() == specs.keys() for instance in instances):
        raise BadRequest(f"every instance must be an object of {', '.join(specs)}")
    return {name: [instance[name] for instance in instances] for name in specs}


def _array(name, value, spec):
    if spec["dtype"] == "string":
        return _contents(name, value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise BadRequest(f"{name!r} has rows of different sizes") from None
    wanted = np.dtype(spec["dtype"])
    if array.dtype.kind not in ("iuf" if wanted.kind == "f" else "iu"):
        raise BadRequest(f"{name!r} must be {'numbers' if wanted.kind == 'f' else 'integers'}")
    if len(array.shape) != len(spec["shape"]) or any(
        have != want for have, want in zip(array.shape, spec["shape"], strict=True) if want != "batch"
    ):
        raise BadRequest(f"{name!r} must have shape {spec['shape']}, not {list(array.shape)}")
    limits = np.finfo(np.float32) if wanted.kind == "f" else np.iinfo(wanted)
    if not _within(array, limits.min, limits.max):
        raise BadRequest(f"{name!r} must be {wanted.name}, from {limits.min} to {limits.max}")
    return array.astype(wanted)


def _contents(name, value):
    """The files of base64 strings, plain or as ``{"b64": ...}``."""
    if not isinstance(value, list) or not value:
        raise BadRequest(f"{name!r} must be a list of base64 strings")
    return np.array(
        [_content(name, each["b64"] if isinstance(each, dict) and "b64" in each else each) for each in value], object
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


def _check_rows(found, max_rows):
    counts = {len(array) for array in found.values()}
    if len(counts) > 1:
        raise BadRequest("every input must have as many rows")
    if not 1 <= counts.pop() <= max_rows:
        raise BadRequest(f"a request has 1 to {max_rows} rows")


def _check_count(found, max_rows):
    if not _within(found["count"], 1, max_rows):
        raise BadRequest(f"count is from 1 to {max_rows}, got {found['count']}")
    if "labels" in found and len(found["labels"]) not in (1, int(found["count"])):
        raise BadRequest(f"labels must be one for all or one each of {found['count']}, got {len(found['labels'])}")


def _within(array, low, high):
    return bool(np.all((array >= low) & (array <= high)))  # what is not a number is not within
