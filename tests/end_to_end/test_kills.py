"""A run that is killed repeatedly leaves the same files as an uninterrupted run, bit for bit."""

import os
import random
import resource
import signal
import socket
import time

import numpy as np
import pytest
import tensorflow as tf

from ganlib import locks
from tests.end_to_end.jobs import TIMEOUT, finish, run, start, start_workers

STEPS = 60
ARGUMENTS = (
    "train_gan", "--config=experiments/configs/digits_dcgan.py", "--config.batch_size=16", "--config.generator.width=8",
    "--config.discriminator.width=8", f"--config.steps={STEPS}", "--config.log_every=4", "--config.checkpoint_every=1",
    "--config.sample_every=7",
)  # fmt: skip


def results_of(folder):
    """Returns the contents of the files of a run, and the values of its last checkpoint."""
    files = [folder / "metrics.jsonl", *sorted((folder / "samples").iterdir())]
    path = str(folder / "checkpoints" / f"step_{STEPS:08d}" / "weights")
    reader = tf.train.load_checkpoint(path)
    weights = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if name.startswith("variables/")}
    return {file.name: file.read_bytes() for file in files}, weights


def newest(folder):
    return max((int(p.name[5:]) for p in folder.glob("checkpoints/step_*[0-9]")), default=0)


def kill_after_a_while(processes, folder, generator):
    """Kills a job at a random moment after its next checkpoint. Returns True if the job was still running."""
    before = newest(folder)
    while newest(folder) <= before and processes[0].poll() is None:
        time.sleep(0.01)
    time.sleep(generator.uniform(0.0, 0.3))
    killed = processes[0].poll() is None
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return killed


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "kills"), [(1, 5), (2, 2)])
def test_repeated_kills(tmp_path, workers, kills):
    generator = random.Random(workers)
    uninterrupted, killed = tmp_path / "uninterrupted", tmp_path / "killed"
    for process in start_workers(workers, *ARGUMENTS, f"--workdir={uninterrupted}"):
        assert finish(process)[0] == 0
    count = sum(
        kill_after_a_while(start_workers(workers, *ARGUMENTS, f"--workdir={killed}"), killed, generator) for _ in range(kills)
    )
    assert count >= max(kills - 2, 1)  # the last ones may be too late
    for process in start_workers(workers, *ARGUMENTS, f"--workdir={killed}"):
        assert finish(process)[0] == 0
    for process in start_workers(workers, *ARGUMENTS, f"--workdir={killed}"):
        assert finish(process)[0] == 0  # a complete run is complete for every worker
    files, weights = results_of(uninterrupted)
    killed_files, killed_weights = results_of(killed)
    assert killed_files == files
    assert [row.count(b'"step"') for row in files["metrics.jsonl"].splitlines()] == [1] * (STEPS // 4)
    assert weights.keys() == killed_weights.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(value, killed_weights[name])


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_signal_saves_a_checkpoint(tmp_path, workers):
    processes = start_workers(workers, *ARGUMENTS[:5], "--config.steps=100000", f"--workdir={tmp_path}", "--config.log_every=1")
    while not (tmp_path / "metrics.jsonl").exists() or not (tmp_path / "metrics.jsonl").read_text():
        assert processes[0].poll() is None
        time.sleep(0.05)
    processes[-1].terminate()
    for process in processes:
        _, errors = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 128 + signal.SIGTERM
        assert f"stopped at step {newest(tmp_path)} after saving a checkpoint" in errors
    assert newest(tmp_path) > 0


@pytest.mark.slow
def test_second_job_ends_and_a_frozen_job_gives_way(tmp_path, monkeypatch):
    first = start(*ARGUMENTS[:5], "--config.steps=100000", f"--workdir={tmp_path}", "--config.log_every=1",
                  "--config.checkpoint_every=1", "--config.sample_every=1")  # fmt: skip
    while newest(tmp_path) < 3:
        assert first.poll() is None
        time.sleep(0.05)
    code, _, errors = run(*ARGUMENTS[:5], f"--workdir={tmp_path}")
    assert code == 2
    assert len(errors) == 1
    assert f"error: another job is writing to '{tmp_path}': host {socket.gethostname()}, pid {first.pid}, since" in errors[0]
    first.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WNOWAIT)
    monkeypatch.setattr(locks, "_namespace", lambda: None)  # as on another host
    monkeypatch.setattr(locks, "STALE", 2.0)
    with locks.locked(tmp_path):
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "partial" not in str(path)}
        first.send_signal(signal.SIGCONT)
        code, _, errors = finish(first)
        assert code == 2
        assert len(errors) == 1
        assert f"error: another job took over '{tmp_path}' because" in errors[0]
        after = {path: path.read_bytes() for path in before if "tensorboard" not in str(path) and "lock" not in path.name}
        assert after.items() <= before.items()


@pytest.mark.slow
def test_full_disk_stops_the_job_and_keeps_the_last_checkpoint(tmp_path):
    arguments = (*ARGUMENTS[:5], f"--workdir={tmp_path}", "--config.checkpoint_every=2")
    assert finish(start(*arguments, "--config.steps=4"))[0] == 0

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # a limit on the file size simulates a full disk

    code, _, errors = finish(start(*arguments, "--config.steps=100", before=limit))
    assert code == 2
    assert len(errors) == 1
    assert "checkpoint of step 6 could not be written to" in errors[0]
    assert "the checkpoint of step 4 is still good" in errors[0]
    code, output, _ = finish(start(*arguments, "--config.steps=6"))
    assert code == 0
    assert "from step 4" in output


@pytest.mark.slow
def test_loss_of_a_worker_stops_the_others(tmp_path):
    chief, other = start_workers(
        2, *ARGUMENTS[:5], "--config.steps=100000", "--config.checkpoint_every=5", f"--workdir={tmp_path}"
    )
    while newest(tmp_path) == 0:
        assert chief.poll() is None
        time.sleep(0.05)
    other.kill()
    other.communicate()
    killed_at = time.monotonic()
    code, _, errors = finish(chief)
    assert code == 3
    assert errors == ["error: another worker is lost: restart all workers to resume from the newest checkpoint"]
    assert time.monotonic() - killed_at < 60
