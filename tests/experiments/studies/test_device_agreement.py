import numpy as np
import pytest

from experiments.studies import device_agreement
from tests.end_to_end.jobs import run


def test_differences_are_relative_to_the_change_and_to_the_logs():
    one = {
        "a/start/0000": np.zeros(2, np.float32),
        "a/trained/0000": np.float32([2.0, 4.0]),
        "a/start/0001": np.int64(0),
        "a/trained/0001": np.int64(5),
        "a/logs": np.array([[1.0, 2.0], [4.0, 8.0]]),
    }
    other = {**one, "a/trained/0000": np.float32([2.0, 5.0]), "a/logs": np.array([[1.0, 2.2], [4.0, 4.0]])}
    assert device_agreement._differences("a", one, other) == pytest.approx((0.25, 0.1, 0.5))


@pytest.mark.slow
def test_cpu_agrees_with_itself_and_not_with_perturbed_weights():
    code, output, errors = run("device_agreement", "--configs=digits_dcgan", "--steps=2")
    assert (code, errors) == (0, [])
    row = next(line for line in output.splitlines() if line.startswith("| digits_dcgan"))
    _, _, off, _, _, gpu, *logs, equal, _ = [cell.strip() for cell in row.split("|")]
    assert 0 < float(off) < 1
    assert float(gpu) == 0
    assert [float(log) for log in logs] == [0, 0]
    assert equal == "equal"
