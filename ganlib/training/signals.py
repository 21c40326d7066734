"""Termination signals: recorded when they arrive and handled at the end of a train step."""

import contextlib
import signal
import threading

ENDING = (signal.SIGTERM, signal.SIGINT)
"""The signals that are recorded."""


@contextlib.contextmanager
def noted():
    """A context manager that appends the first SIGTERM or SIGINT to a list, which it returns.

    A second signal is handled as before. Outside the main thread, where Python receives no signals, the list stays empty.

    Examples:
        >>> import os, signal
        >>> from ganlib.training import signals
        >>> with signals.noted() as received:
        ...     os.kill(os.getpid(), signal.SIGTERM)
        >>> received == [signal.SIGTERM]
        True
    """
    received = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    previous_handlers = {number: signal.getsignal(number) for number in ENDING}

    def restore():
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)

    def record(number, frame):
        received.append(signal.Signals(number))
        restore()

    for number in ENDING:
        signal.signal(number, record)
    try:
        yield received
    finally:
        restore()
