"""Runs jobs as a user does: a process each, from the repository's root."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def start(job, *arguments):
    """Starts ``python -m experiments.JOB`` and returns the process."""
    command = [sys.executable, "-m", f"experiments.{job}", *map(str, arguments)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    """Waits for a process; returns its exit status, standard output, and the lines of its standard error that are ours."""
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, [line for line in errors.splitlines() if line.startswith("error:") or "Trace" in line]


def run(job, *arguments):
    return finish(start(job, *arguments))
