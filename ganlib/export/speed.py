"""Measures the throughput of a function of arrays."""

import time


def rows_per_second(call, inputs, seconds):
    """Returns the rows per second of consecutive calls, after one warm-up call.

    Args:
        call: A function of arrays by name, such as one returned by the ``read`` of a format.
        inputs: A dict of arrays with the same number of rows.
        seconds: The duration of the measurement in seconds.
    """
    rows, calls = len(next(iter(inputs.values()))), 0
    call(**inputs)
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        call(**inputs)
        calls += 1
    return calls * rows / (time.monotonic() - start)
