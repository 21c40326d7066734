import pathlib
import subprocess
import sys

import pytest

from experiments.common import earlier_commands


@pytest.mark.parametrize("name", earlier_commands.NEW_NAMES)
def test_every_earlier_name_has_a_file(name):
    spec = earlier_commands.find_spec(f"experiments.{name}")
    assert "job.start(main)" in pathlib.Path(spec.origin).read_text()


def test_an_earlier_command_runs():
    command = [sys.executable, "-m", "experiments.communication", "--helpshort"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert "How much the devices of a distributed training exchange" in result.stdout


def test_a_job_that_there_is_not_is_not_found():
    assert earlier_commands.find_spec("experiments.nothing") is None
    assert subprocess.run([sys.executable, "-m", "experiments.nothing"], capture_output=True).returncode == 1
