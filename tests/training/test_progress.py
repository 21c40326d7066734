import io
import re

import pytest

from ganlib.training import progress
from tests.helpers import mlp_gan
from tests.training.test_callbacks import fit


def test_progress_is_readable_when_redirected():
    output = io.StringIO()
    fit(mlp_gan(), 3, progress.Progress(3, "GAN", seconds=0.0, output=output))
    lines = output.getvalue().splitlines()
    assert "\r" not in output.getvalue()
    assert lines[0].startswith("GAN  [#######.............] 1/3")
    assert "3/3" in lines[-1]
    assert re.search(r"\d steps/s  0:00 left  D loss .*  G loss .*  D\(real\) .*  D\(fake\) ", lines[-1])


def test_progress_updates_one_line_on_a_terminal():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    output = Terminal()
    fit(mlp_gan(), 3, progress.Progress(3, "GAN", output=output))
    assert output.getvalue().count("\n") == 1
    assert output.getvalue().startswith("\r")


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0:00"), (75.2, "1:15"), (3675, "1:01:15")])
def test_duration(seconds, text):
    assert progress.duration(seconds) == text
