"""Runs jobs as a user does: a process each, from the repository's root."""

import json
import os
import pathlib
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def start(job, *arguments, before=None, **variables):
    """Starts ``python -m experiments.JOB`` and returns the process.

    Args:
        job: its name.
        arguments: its flags.
        before: what the process calls first, or None.
        variables: environment variables of its own.
    """
    command = [sys.executable, "-m", f"experiments.{job}", *map(str, arguments)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", **variables}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before
    )


def start_workers(count, job, *arguments):
    """Starts a job as ``count`` workers on this machine; returns the processes, the chief first."""
    if count == 1:
        return [start(job, *arguments)]
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(count)]
    configs = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}} for index in range(count)]
    return [start(job, *arguments, TF_CONFIG=json.dumps(config)) for config in configs]


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for free in sockets:
        free.bind(("127.0.0.1", 0))
    ports = [free.getsockname()[1] for free in sockets]
    for free in sockets:
        free.close()
    return ports


def finish(process):
    """Waits for a process; returns its exit status, standard output, and the lines of its standard error that are ours."""
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, [line for line in errors.splitlines() if line.startswith("error:") or "Trace" in line]


def run(job, *arguments):
    return finish(start(job, *arguments))
