"""Runs jobs as a user does: a process each, from the repository's root."""

import json
import os
import pathlib
import subprocess
import sys

from experiments.common.processes import worker_environments

ROOT = pathlib.Path(__file__).parents[2]


def start(job, *arguments, before=None, environment=None, folder=ROOT):
    """Starts ``python -m experiments.JOB`` and returns the process.

    Args:
        job: its name.
        arguments: its flags.
        before: what the process calls first, or None.
        environment: its environment variables; None for those of this process.
        folder: where it runs, which has `experiments`.
    """
    command = [sys.executable, "-m", f"experiments.{job}", *map(str, arguments)]
    environment = {**(environment or os.environ), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before
    )


def start_workers(count, job, *arguments):
    """Starts a job as ``count`` workers on this machine; returns the processes, the chief first."""
    return [start(job, *arguments, environment=environment) for environment in worker_environments(count)]


def finish(process):
    """Waits for a process; returns its exit status, standard output, and the lines of its standard error that are ours."""
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, _ours(errors.splitlines())


def run(job, *arguments, folder=ROOT):
    return finish(start(job, *arguments, folder=folder))


def run_in_one_process(commands, folder=ROOT):
    """Runs jobs, ``[(job, *arguments), ...]``, by `tests.end_to_end.several`; returns of each what `finish` does. The folder is
    where they run, which has `experiments`."""
    given = json.dumps([list(map(str, command)) for command in commands])
    done = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.several"], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=given, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return [(status, output, _ours(errors)) for status, output, errors in json.loads(done.stdout)]


def _ours(lines):
    return [line for line in lines if line.startswith("error:") or "Trace" in line]
