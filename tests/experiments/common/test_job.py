import pathlib
import subprocess
import sys

import pytest
from absl import flags
from ml_collections import config_flags

from experiments.common import job
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


@pytest.fixture
def given(monkeypatch):
    """A function from a training job's arguments to its config."""

    def config(*arguments):
        monkeypatch.setattr("sys.argv", ["job", "--workdir=nowhere", *arguments])
        values = flags.FlagValues()
        monkeypatch.setattr(flags, "FLAGS", values)
        monkeypatch.setattr(config_flags.config_flags, "FLAGS", values)
        config_flags.DEFINE_config_file("config", flag_values=values)
        flags.DEFINE_string("workdir", None, "", flag_values=values)
        job.parse(list(sys.argv))
        return job.config()

    return config


def test_a_config_is_found_by_its_name(given):
    assert given("--config=digits_dcgan", "--config.steps=7") == given(
        "--config=experiments/configs/digits_dcgan.py", "--config.steps=7"
    )


def test_arguments_can_be_added_to_groups_that_have_them_by_name(given):
    added = ["--config.penalties.lecam.weight=0.5", "--config.discriminator.spectral_norm=True", "--config.generator.width=32"]
    config = given("--config=digits_dcgan", *added)
    assert config.penalties.to_dict() == {"r1": {"weight": 1.0, "interval": 4}, "lecam": {"weight": 0.5}}
    assert (config.discriminator.spectral_norm, config.generator.width) == (True, 32)


def test_a_key_that_there_is_not_is_named(given, capsys):
    with pytest.raises(SystemExit):
        given("--config=digits_dcgan", "--config.stepz=7")
    assert 'unknown config key: stepz. Did you mean "steps"' in capsys.readouterr().err


def test_a_file_with_another_method_gives_what_that_reads(given):
    assert given("--config=digits_sgan", "--config.method=supervised") == given("--config=digits_cnn")


def test_help_lists_the_flags_of_the_job():
    command = [sys.executable, "-m", "experiments.train_gan", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=100).stdout
    for flag in ("config", "workdir", "accept_new_config", "strategy", "replicas"):
        assert f"--{flag}" in text.replace("--[no]", "--")


def test_a_stray_argument_is_named(monkeypatch, capsys):
    assert run(monkeypatch, lambda: None, "stray") == 2
    assert "unexpected argument 'stray'" in capsys.readouterr().err


def test_an_unknown_flag_is_named_with_the_nearest(monkeypatch, capsys):
    assert "only_check_args" in flags.FLAGS
    assert run(monkeypatch, lambda: None, "--only_check_arg") == 2
    assert "Unknown command line flag 'only_check_arg'. Did you mean: only_check_args" in capsys.readouterr().err
