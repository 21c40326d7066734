import time

import numpy as np
import pytest

from ganlib.export import speed


def test_rows_are_counted_after_a_warm_up_call():
    calls = []

    def call(images):
        calls.append(len(images))
        time.sleep(0.5 if len(calls) == 1 else 0.01)

    rate = speed.rows_per_second(call, {"images": np.zeros((5, 2))}, seconds=0.3)
    assert set(calls) == {5}
    assert rate == pytest.approx(5 * (len(calls) - 1) / 0.3, rel=0.1)
