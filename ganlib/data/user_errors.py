"""Recovers a `UserError` that TensorFlow has wrapped in an error of its own."""

import contextlib
import re

import tensorflow as tf

from ganlib.errors import UserError

DECODERS = r"\b(?:Decode(?:Image|Jpeg|Png|Gif|Bmp|WebP)|image_ops)\b|Invalid (?:JPEG|PNG|GIF) data|Unknown image file format"
"""What the errors of TensorFlow's image decoders contain."""


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
    if match:
        # An assertion in a graph puts the message into brackets, followed by details of TensorFlow.
        return re.sub(r"\]( \[\[?\{\{.*| \[Op:.*)?$", "", match[1]) if f"[{match[0]}" in str(error) else match[1]
    if isinstance(error, tf.errors.InvalidArgumentError) and re.search(DECODERS, str(error)):
        return (
            "an image of the dataset is damaged: open the dataset with skip_corrupt to skip such images, or write it once with "
            "python -m experiments.prepare, which names the file"
        )
    return None
