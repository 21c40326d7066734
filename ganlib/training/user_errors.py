"""Recovers a `UserError` that TensorFlow has wrapped in an error of its own."""

import contextlib
import re

from ganlib.errors import UserError


@contextlib.contextmanager
def unwrapped():
    """A context manager that raises the original `UserError` instead of a TensorFlow error that wraps it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        message = _wrapped_message(error)
        if message is None:
            raise
        raise UserError(message) from None


def _wrapped_message(error):
    """Returns the message of the `UserError` that a TensorFlow error wraps, or None.

    An exception that is raised in Python code inside a graph, as in `tf.numpy_function` or a data pipeline, passes through
    TensorFlow's C++ runtime. It becomes a TensorFlow error that contains the original exception only as text, as in
    ``UserError: message``. Parsing this text is the only way to recover the message.
    """
    match = re.search(r"UserError: (.*)", str(error))
    return match.group(1) if match else None
