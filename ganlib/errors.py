"""The error class for users, and helpers for its messages."""

import difflib
import operator
import re


class UserError(ValueError):
    """An error that the user can fix. Its message is one line: what was wrong, with which value, and what to do.

    The jobs in ``experiments/`` print it without a traceback and exit with status 2.
    """


class Stopped(Exception):
    """Raised after a signal has stopped training and a checkpoint was saved. The jobs exit with status 128 + signal.

    Attributes:
        signal: The number of the signal.
        step: The step of the checkpoint.
    """

    def __init__(self, signal, step):
        super().__init__(f"stopped at step {step} after saving a checkpoint: run the same command to resume")
        self.signal, self.step = signal, step


def did_you_mean(name, known):
    """Returns ``" Did you mean 'hinge'?"`` if one of ``known`` is close to ``name``, otherwise an empty string."""
    matches = difflib.get_close_matches(str(name), [str(k) for k in known], n=1)
    return f" Did you mean {matches[0]!r}?" if matches else ""


def choose(kind, name, known):
    """Returns ``known[name]``, or raises an error that lists the known names.

    Args:
        kind: The kind of the value for the message, such as ``"loss"``.
        name: The name to look up.
        known: A dict from names to values.

    Raises:
        UserError: If the name is unknown.
    """
    if name not in known:
        raise UserError(f"unknown {kind} {name!r}: known are {', '.join(sorted(known))}.{did_you_mean(name, known)}")
    return known[name]


def integer(name, value, least):
    """Returns ``value`` as an int.

    Args:
        name: The name of the value for the message.
        value: An integer of Python, numpy or TensorFlow.
        least: The smallest valid value.

    Raises:
        UserError: If the value is not an integer, or below ``least``.
    """
    try:
        result = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        result = None
    if result is None:
        raise UserError(f"{name} must be an integer, got {value!r:.60}")
    if result < least:
        raise UserError(f"{name} must be at least {least}, got {result}")
    return result


def first_line(error):
    """Returns the first line of an error's message, without TensorFlow's names of operations, or its type if it has none."""
    lines = re.sub(r"^\{\{.*?\}\}|\s*\[Op:\w+\]( name:.*)?", "", str(error)).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
