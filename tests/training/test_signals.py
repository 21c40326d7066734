import os
import signal
import threading

import pytest

from ganlib.training import signals


@pytest.mark.parametrize("number", signals.ENDING)
def test_the_first_is_noted_and_the_second_acts_as_before(number):
    taken = []
    before = signal.signal(number, lambda *arguments: taken.append(number))
    try:
        with signals.noted() as received:
            os.kill(os.getpid(), number)
            assert (received, taken) == ([number], [])
            os.kill(os.getpid(), number)
            assert (received, taken) == ([number], [number])
        os.kill(os.getpid(), number)
        assert (received, taken) == ([number], [number, number])
    finally:
        signal.signal(number, before)


def test_outside_the_main_thread_nothing_is_noted():
    results = []

    def work():
        with signals.noted() as received:
            results.append(received)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [[]]
