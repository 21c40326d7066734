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


def test_user_error_is_one_line_and_status_2(monkeypatch, capsys):
    def main():
        raise UserError("the batch is too large")

    assert run(monkeypatch, main) == 2
    assert capsys.readouterr().err == "error: the batch is too large\n"


def test_file_system_error_is_one_line(monkeypatch, capsys):
    assert run(monkeypatch, pathlib.Path("/nowhere/file").read_text) == 2
    assert capsys.readouterr().err == "error: [Errno 2] No such file or directory: '/nowhere/file'\n"


def test_success_is_status_0(monkeypatch):
    assert not run(monkeypatch, lambda: None)


def test_interrupt_tells_how_to_resume(monkeypatch, capsys):
    def main():
        raise KeyboardInterrupt

    assert run(monkeypatch, main) == 130
    assert "run the same command to resume" in capsys.readouterr().err


@pytest.fixture
def parse_config(monkeypatch):
    """A function that parses the arguments of a training job and returns its config."""

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


def test_config_is_found_by_its_name(parse_config):
    assert parse_config("--config=digits_dcgan", "--config.steps=7") == parse_config(
        "--config=experiments/configs/digits_dcgan.py", "--config.steps=7"
    )


def test_arguments_can_be_added_to_open_groups(parse_config):
    added = ["--config.penalties.lecam.weight=0.5", "--config.discriminator.spectral_norm=True", "--config.generator.width=32"]
    config = parse_config("--config=digits_dcgan", *added)
    assert config.penalties.to_dict() == {"r1": {"weight": 1.0, "interval": 4}, "lecam": {"weight": 0.5}}
    assert (config.discriminator.spectral_norm, config.generator.width) == (True, 32)


def test_unknown_key_is_reported(parse_config, capsys):
    with pytest.raises(SystemExit):
        parse_config("--config=digits_dcgan", "--config.stepz=7")
    assert 'unknown config key: stepz. Did you mean "steps"' in capsys.readouterr().err


def test_changed_method_resets_unused_keys(parse_config):
    assert parse_config("--config=digits_sgan", "--config.method=supervised") == parse_config("--config=digits_cnn")


def test_help_lists_the_flags_of_the_job():
    command = [sys.executable, "-m", "experiments.train_gan", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=100).stdout
    for flag in ("config", "workdir", "accept_new_config", "strategy", "replicas"):
        assert f"--{flag}" in text.replace("--[no]", "--")


def test_positional_argument_is_reported(monkeypatch, capsys):
    assert run(monkeypatch, lambda: None, "stray") == 2
    assert "unexpected argument 'stray'" in capsys.readouterr().err


def test_unknown_flag_is_reported_with_the_closest_name(monkeypatch, capsys):
    assert "only_check_args" in flags.FLAGS
    assert run(monkeypatch, lambda: None, "--only_check_arg") == 2
    assert "Unknown command line flag 'only_check_arg'. Did you mean: only_check_args" in capsys.readouterr().err
