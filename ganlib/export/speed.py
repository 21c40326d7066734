"""How fast a function of arrays is."""

import time


def rows_per_second(call, inputs, seconds):
    """Rows a second, by calls one after the other for so many seconds, after one that does not count.

    Args:
        call: a function of arrays by name, such as ``read`` of a format returns.
        inputs: a dict of arrays of as many rows.
        seconds: how long.
    """
    rows, calls = len(next(iter(inputs.values()))), 0
    call(**inputs)
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        call(**inputs)
        calls += 1
    return calls * rows / (time.monotonic() - start)
