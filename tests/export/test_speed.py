import time

import numpy as np
import pytest

from ganlib.export import speed


def test_rows_are_counted_after_a_first_call():
    seen = []

    def call(images):
        seen.append(len(images))
        time.sleep(0.5 if len(seen) == 1 else 0.01)

    rate = speed.rows_per_second(call, {"images": np.zeros((5, 2))}, seconds=0.3)
    assert set(seen) == {5}
    assert rate == pytest.approx(5 * (len(seen) - 1) / 0.3, rel=0.1)
