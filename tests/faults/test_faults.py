"""The file system fails at each call in turn: nothing is lost, and the same command continues afterwards."""

import subprocess
import sys

import pytest

import ganlib
from tests.end_to_end.jobs import ROOT
from tests.faults import failing_calls
from tests.faults.failing_calls import FROM_THEN_ON, ONCE, WRITES_FROM_THEN_ON
from tests.helpers import same, weights


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    library = failing_calls.compiled(tmp_path_factory.mktemp("library"))
    if library is None:
        pytest.skip("this test needs a C compiler and Linux")
    return library


def lines_of(library, program, *arguments, clock=False):
    """Runs a program of this folder with failing calls. Returns the lines that it prints."""
    command = [sys.executable, "-m", f"tests.faults.{program}", *map(str, arguments)]
    environment = failing_calls.environment(library, clock)
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["new", "anew"])
@pytest.mark.parametrize(
    ("error", "mode"),
    [("EIO", ONCE), ("ENOSPC", WRITES_FROM_THEN_ON), ("EROFS", WRITES_FROM_THEN_ON), ("ESTALE", FROM_THEN_ON)],
)
def test_last_good_checkpoint_stays(library, tmp_path, error, mode, kind):
    outcomes = dict(line.rsplit(" ", 1) for line in lines_of(library, "saving", tmp_path / "checkpoints", error, mode, kind))
    assert int(outcomes["none saved"]) == 1
    assert {"fwrite error", "fclose error", "fopen error", "mkdir error", "write error", "rename error"} <= set(outcomes)
    assert sum(map(int, outcomes.values())) > 30


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "mode", "start"), [("ENOSPC", WRITES_FROM_THEN_ON, 0), ("EACCES", ONCE, 4), ("ESTALE", FROM_THEN_ON, 4)]
)
def test_training_resumes_after_a_failure(library, tmp_path, error, mode, start):
    tries = [line for line in lines_of(library, "training", tmp_path, error, mode, 8, start) if line.startswith("call ")]
    assert len(tries) == 8
    assert sum("The checkpoints are intact" in line or "could not be written" in line for line in tries) > 1


@pytest.mark.slow
def test_jumps_of_the_clock_change_nothing(library, tmp_path):
    for clock in (False, True):
        first, *_ = lines_of(library, "training", tmp_path / str(clock), "EIO", ONCE, 0, 0, clock=clock)
        assert (first == "the clock jumps by 0 s") != clock
    usual, jumping = (ganlib.load(tmp_path / str(clock) / "whole") for clock in (False, True))
    assert same(weights(usual), weights(jumping))
