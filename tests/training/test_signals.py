import os
import signal
import threading

import pytest

from ganlib.training import signals


@pytest.mark.parametrize("number", signals.ENDING)
def test_first_signal_is_recorded_and_second_has_its_previous_effect(number):
    handled = []
    previous = signal.signal(number, lambda *arguments: handled.append(number))
    try:
        with signals.noted() as received:
            os.kill(os.getpid(), number)
            assert (received, handled) == ([number], [])
            os.kill(os.getpid(), number)
            assert (received, handled) == ([number], [number])
        os.kill(os.getpid(), number)
        assert (received, handled) == ([number], [number, number])
    finally:
        signal.signal(number, previous)


def test_no_signal_is_recorded_outside_the_main_thread():
    results = []

    def work():
        with signals.noted() as received:
            results.append(received)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [[]]
