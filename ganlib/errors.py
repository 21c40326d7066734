"""The error that is meant for the user, and the helpers that word it."""

import difflib
import operator


class UserError(ValueError):
    """Something the user can mend. Its message is one line: what was wrong, with which value, and what to do.

    The jobs in ``experiments/`` print it without a traceback and exit with status 2.
    """


class Stopped(Exception):
    """Training has ended, since a signal asked it to, after a checkpoint was saved. The jobs exit with status 128 + signal.

    Attributes:
        signal: its number.
        step: the step of the checkpoint.
    """

    def __init__(self, signal, step):
        super().__init__(f"stopped at step {step}, which is saved: the same command goes on")
        self.signal, self.step = signal, step


def did_you_mean(name, known):
    """``" Did you mean 'hinge'?"`` when one of ``known`` is close to ``name``, otherwise an empty string."""
    close = difflib.get_close_matches(str(name), [str(k) for k in known], n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def choose(kind, name, known):
    """``known[name]``, or a `UserError` that lists what there is.

    Args:
        kind: what is being chosen, for the message, such as ``"loss"``.
        name: the key asked for.
        known: a dict from names to values.

    Raises:
        UserError: if it is none of them.
    """
    if name not in known:
        raise UserError(f"unknown {kind} {name!r}: known are {', '.join(sorted(known))}.{did_you_mean(name, known)}")
    return known[name]


def integer(name, value, least):
    """``value`` as an int.

    Args:
        name: what it is, for the message.
        value: an integer of Python, numpy or TensorFlow.
        least: the smallest one that is allowed.

    Raises:
        UserError: if it is no integer, or less.
    """
    try:
        found = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        found = None
    if found is None:
        raise UserError(f"{name} must be an integer, got {value!r:.60}")
    if found < least:
        raise UserError(f"{name} must be at least {least}, got {found}")
    return found
