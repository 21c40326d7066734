"""What make does about Python, and which tests it runs. Nothing is installed: make only says what it would do."""

import pathlib
import shlex
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PYTHON = """#!/bin/sh
exec {executable} -c 'import sys; sys.version_info = {version}; exec(sys.argv[1])' "$2"
"""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


def leave_python(path, version):
    """A Python that says that it is of a version, such as (3, 9, 18)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PYTHON.format(executable=shlex.quote(sys.executable), version=version))
    path.chmod(0o755)


@pytest.fixture
def folder(tmp_path):
    """The Makefile and what it depends on, beside two Pythons."""
    for name in ("Makefile", "setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    leave_python(tmp_path / "old", (3, 9, 18))
    leave_python(tmp_path / "new", (3, 11, 7))
    return tmp_path


def make(folder, *arguments):
    """The exit status of ``make --dry-run``, what it would do, and its errors."""
    command = ["make", "--dry-run", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("goals", "python", "found"), [(["demo"], "./old", "3.9"), ([], "./old", "3.9"), (["test"], "./nothing", "not there")]
)
def test_a_python_that_will_not_do_is_one_line(folder, goals, python, found):
    status, output, errors = make(folder, *goals, f"PYTHON={python}")
    goal = (goals or ["demo"])[0]
    assert (status, output) == (2, "")
    assert errors.count("\n") == 1
    assert f"ganlib needs Python 3.10 or newer, and {python} is {found}: type make {goal} PYTHON=python3.11" in errors


def test_after_a_failed_try_with_an_old_python_another_one_makes_the_environment_anew(folder):
    leave_python(folder / ".venv/bin/python", (3, 9, 18))
    status, output, _ = make(folder, "install", "PYTHON=./new")
    assert status == 0
    assert output.startswith("./new -m venv --clear .venv\n")


def test_an_environment_that_will_do_is_kept_whatever_python3_is(folder):
    leave_python(folder / ".venv/bin/python", (3, 11, 7))
    status, output, _ = make(folder, "install")
    assert status == 0
    assert "pip install" in output
    assert "venv --clear" not in output
    (folder / ".venv/installed").touch()
    assert "pip install" not in make(folder, "install", "PYTHON=./new")[1]


def test_the_python_that_is_named_is_the_one_that_is_used(folder):
    leave_python(folder / ".venv/bin/python", (3, 12, 1))
    (folder / ".venv/installed").touch()
    assert make(folder, "install", "PYTHON=./new")[1].startswith("./new -m venv --clear .venv\n")
    assert make(folder, "install", "PYTHON=./old")[0] == 2


def test_which_tests_run(folder):
    leave_python(folder / ".venv/bin/python", (3, 11, 7))
    assert "-m 'not slow' tests\n" in make(folder, "test")[1]
    everything = make(folder, "test-all")[1]
    assert "-m 'not slow' tests\n" in everything
    assert "--minutes" not in everything
    assert " tests docs/tutorials\n" in everything
    assert ".venv-interop/bin/python -m pytest tests/interop " in everything
    assert " -m slow --minutes=30 " in make(folder, "test-slow", "MINUTES=30")[1]
    commands = (ROOT / ".ci/run").read_text()
    assert all(f"make {name}" in commands for name in ("lint", "docs", "test\n", "test-slow MINUTES=", "test-interop"))


@pytest.mark.slow
def test_slow_tests_that_have_no_time_left_are_listed():
    test = "tests/test_registration.py::test_import_of_keras_first_loads_every_kind_of_model"
    command = [sys.executable, "-m", "pytest", "--minutes=0", test, "tests/test_seeds.py"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    assert "2 passed, 1 skipped" in output
    assert f"not run, no time left: {test}\n" in output
