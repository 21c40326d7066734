"""Signals that ask a process to end: noted at once, answered at the end of a train step."""

import contextlib
import signal
import threading

ENDING = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def noted():
    """Inside the block, the first SIGTERM or SIGINT is put into the list that it gives; a second one acts as it did before.

    Outside the main thread, where Python takes no signals, the list stays empty.

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
    before = {number: signal.getsignal(number) for number in ENDING}

    def restore():
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number, frame):
        received.append(signal.Signals(number))
        restore()

    for number in ENDING:
        signal.signal(number, note)
    try:
        yield received
    finally:
        restore()
