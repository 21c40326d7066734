import pathlib

import pytest
from absl import flags

from experiments import job
from ganlib import UserError


def run(monkeypatch, main, *arguments):
    monkeypatch.setattr("sys.argv", ["job", *arguments])
    with pytest.raises(SystemExit) as exit_:
        job.start(main)
    return exit_.value.code


def test_a_users_error_is_one_line_and_status_2(monkeypatch, capsys):
    def main():
        raise UserError("the batch is too large")

    assert run(monkeypatch, main) == 2
    assert capsys.readouterr().err == "error: the batch is too large\n"


def test_an_error_of_the_file_system_is_one_line(monkeypatch, capsys):
    assert run(monkeypatch, pathlib.Path("/nowhere/file").read_text) == 2
    assert capsys.readouterr().err == "error: [Errno 2] No such file or directory: '/nowhere/file'\n"


def test_done_is_status_0(monkeypatch):
    assert not run(monkeypatch, lambda: None)


def test_an_interrupt_says_how_to_go_on(monkeypatch, capsys):
    def main():
        raise KeyboardInterrupt

    assert run(monkeypatch, main) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_a_stray_argument_is_named(monkeypatch, capsys):
    assert run(monkeypatch, lambda: None, "stray") == 2
    assert "unexpected argument 'stray'" in capsys.readouterr().err


def test_an_unknown_flag_is_named_with_the_nearest(monkeypatch, capsys):
    assert "only_check_args" in flags.FLAGS
    assert run(monkeypatch, lambda: None, "--only_check_arg") == 2
    assert "Unknown command line flag 'only_check_arg'. Did you mean: only_check_args" in capsys.readouterr().err
