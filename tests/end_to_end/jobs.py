"""Runs jobs like a user: each in a separate process, from the root of the repository."""

import json
import os
import pathlib
import subprocess
import sys

from experiments.common.processes import worker_environments

ROOT = pathlib.Path(__file__).parents[2]
TIMEOUT = 1200
"""Seconds after which a process is killed. A busy machine takes several times as long as an idle one."""


def start(job, *arguments, before=None, environment=None, folder=ROOT):
    """Starts ``python -m experiments.JOB`` and returns the process.

    Args:
        job: The name of the job.
        arguments: The flags of the job.
        before: A function that the process calls first. Defaults to None.
        environment: The environment variables of the process. Defaults to those of this process.
        folder: The working directory, which must contain `experiments`. Defaults to the root of the repository.
    """
    command = [sys.executable, "-m", f"experiments.{job}", *map(str, arguments)]
    environment = {**(environment or os.environ), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before
    )


def start_workers(count, job, *arguments):
    """Starts a job as ``count`` workers on this machine. Returns the processes, the chief first."""
    return [start(job, *arguments, environment=environment) for environment in worker_environments(count)]


def finish(process):
    """Waits for a process. Returns its exit status, its standard output, and the error lines in its standard error."""
    output, errors = process.communicate(timeout=TIMEOUT)
    return process.returncode, output, _error_lines(errors.splitlines())


def run(job, *arguments, folder=ROOT):
    return finish(start(job, *arguments, folder=folder))


def run_in_one_process(commands, folder=ROOT):
    """Runs jobs, ``[(job, *arguments), ...]``, with `tests.end_to_end.several`. Returns a list of the results of `finish`.
    ``folder`` is the working directory, which must contain `experiments`."""
    command_lines = json.dumps([list(map(str, command)) for command in commands])
    process = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.several"], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=command_lines, capture_output=True, text=True, timeout=TIMEOUT, check=True,
    )  # fmt: skip
    return [(status, output, _error_lines(errors)) for status, output, errors in json.loads(process.stdout)]


def _error_lines(lines):
    return [line for line in lines if line.startswith("error:") or "Trace" in line]
