"""Runs jobs as processes of their own, some side by side, each on its share of the machine's cores."""

import concurrent.futures
import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import time


def run_all(tasks, folder, side_by_side=1):
    """Runs every task's commands in order; a task whose command fails ends there, and the others go on.

    Args:
        tasks: objects with a ``label`` and with ``commands()``, lists of Python's arguments, none when it is done.
        folder: where the tasks' output goes, one ``LABEL.log`` each.
        side_by_side: how many tasks run at a time.

    Returns:
        One line for each task that failed.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    free = queue.Queue()
    for index in range(side_by_side):
        free.put(cores[index::side_by_side])
    waiting = [task for task in tasks if task.commands()]
    progress = _Progress(len(waiting))
    folder.mkdir(parents=True, exist_ok=True)

    def work(task):
        share = free.get()
        if share:
            os.sched_setaffinity(0, share)  # of this thread, from which its processes have it
        try:
            return _run(task, folder / f"{task.label.replace(', ', '_').replace(' ', '_')}.log", progress)
        finally:
            free.put(share)

    with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
        return [failure for failure in pool.map(work, waiting) if failure]


def worker_environments(count):
    """The environment variables by which ``count`` processes of this machine train together, a dict for each; one alone has
    no TF_CONFIG of its own."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        cluster = {"worker": [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]}
    if count == 1:
        return [dict(os.environ)]
    tasks = [{"type": "worker", "index": index} for index in range(count)]
    return [{**os.environ, "TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} for task in tasks]


def _run(task, log, progress):
    """Runs one task; returns None, or the line that says how it failed."""
    for command in task.commands():
        progress.say(f"{task.label}: python {' '.join(command)}")
        with log.open("a") as output:
            status = subprocess.run([sys.executable, *command], stdout=output, stderr=output).returncode
        if status:
            last = next((line for line in reversed(log.read_text().splitlines()) if line.strip()), "no output")
            progress.say(f"{task.label} failed: {last}")
            return f"{task.label}: {last} (see {log})"
    progress.done(task)
    return None


class _Progress:
    """Prints what goes on, and the time left from how long tasks took so far."""

    def __init__(self, total):
        self.total, self.finished, self.started = total, 0, time.monotonic()

    def say(self, text):
        print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)

    def done(self, task):
        self.finished += 1
        left = (time.monotonic() - self.started) / self.finished * (self.total - self.finished)
        self.say(f"{task.label}: done, {self.finished}/{self.total}, about {left / 60:.0f} minutes left")
