"""Runs jobs in separate processes, several in parallel, each on its share of the machine's cores."""

import concurrent.futures
import contextlib
import json
import os
import queue
import re
import socket
import subprocess
import sys
import time


def run_all(tasks, folder, side_by_side=1):
    """Runs the commands of every task in order. A task stops at its first failed command; the other tasks continue.

    Args:
        tasks: Objects with a ``label`` and a method ``commands()``, which returns lists of arguments of Python, and an empty
            list once the task is done.
        folder: The folder of the log files, one per task: see `log_name`.
        side_by_side: The number of tasks that run in parallel. Defaults to 1.

    Returns:
        One line for each failed task.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    core_sets = queue.Queue()
    for index in range(side_by_side):
        core_sets.put(cores[index::side_by_side])
    waiting = [task for task in tasks if task.commands()]
    progress = _Progress(len(waiting))
    folder.mkdir(parents=True, exist_ok=True)

    def work(task):
        share = core_sets.get()
        if share:
            os.sched_setaffinity(0, share)  # of this thread; its child processes inherit it
        try:
            return _run(task, folder / log_name(task.label), progress)
        finally:
            core_sets.put(share)

    with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
        return [failure for failure in pool.map(work, waiting) if failure]


def log_name(label):
    """Returns the name of the log file of a task. Labels may contain the path of a dataset."""
    return re.sub(r"[ /\\:]", "_", label.replace(", ", "_")) + ".log"


def worker_environments(count):
    """Returns the environment variables with which ``count`` processes on this machine train together, a dict for each. A
    single process gets no new TF_CONFIG."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        cluster = {"worker": [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]}
    if count == 1:
        return [dict(os.environ)]
    tasks = [{"type": "worker", "index": index} for index in range(count)]
    return [{**os.environ, "TF_CONFIG": json.dumps({"cluster": cluster, "task": task})} for task in tasks]


def _run(task, log, progress):
    """Runs one task. Returns None, or a line that describes its failure."""
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
    """Prints progress, and estimates the remaining time from the tasks that have finished."""

    def __init__(self, total):
        self.total, self.finished, self.started = total, 0, time.monotonic()

    def say(self, text):
        print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)

    def done(self, task):
        self.finished += 1
        remaining = (time.monotonic() - self.started) / self.finished * (self.total - self.finished)
        self.say(f"{task.label}: done, {self.finished}/{self.total}, about {remaining / 60:.0f} minutes remaining")
