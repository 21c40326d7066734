"""Locks on folders, with real processes. Another host is a process that reports another host name."""

import errno
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from ganlib import UserError, locks
from ganlib.files import append_row, folder_written_whole, read_rows, write_json, write_rows
from ganlib.locks import locked

START = """
import fcntl, os, signal, socket, sys, time
from ganlib import UserError, locks
from ganlib.files import append_row
locks.HEARTBEAT, locks.STALE, locks.LOOK = 0.1, 1.0, 0.05

def no_locks(*arguments):
    raise OSError(37, "No locks available")  # as on a network file system without locks

fcntl.flock = fcntl.lockf = no_locks
folder = sys.argv[1]
"""
ON_ANOTHER_HOST = START + "socket.gethostname = lambda: 'node7'\n"
HOLD = """
try:
    with locks.locked(folder):
        print("locked", flush=True)
        sys.stdin.read()
except UserError as error:
    print(f"error: {error}", flush=True)
"""


@pytest.fixture(autouse=True)
def _short_times(monkeypatch):
    for name, value in {"HEARTBEAT": 0.1, "STALE": 1.0, "LOOK": 0.05}.items():
        monkeypatch.setattr(locks, name, value)


@pytest.fixture
def folder(tmp_path):
    """A folder with a file, so that it is not removed at the end of a lock."""
    (tmp_path / "config.json").touch()
    return tmp_path


@pytest.fixture
def start(folder):
    """A function that starts a process with some code, whose argument is the folder."""
    processes = []

    def started(code, *command):
        command = [*command, sys.executable, "-c", code, str(folder)]
        processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    yield started
    for process in processes:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def holder(start):
    """A function that starts a process and waits until it holds the lock."""

    def started(code, *command):
        process = start(code, *command)
        assert process.stdout.readline() == "locked\n"
        return process

    return started


def is_taken(folder):
    """Takes and releases the lock. Returns the seconds that this took."""
    started = time.monotonic()
    with locked(folder):
        return time.monotonic() - started


def is_taken_at_once(folder):
    """Whether the lock is taken without a wait. The limits are long, since the machine can be busy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locks, "STALE", 60.0)
        return is_taken(folder) < 30


def refusal(folder):
    with pytest.raises(UserError) as error, locked(folder):
        pass
    return str(error.value)


def freeze(process):
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def record(folder):
    (path,) = folder.glob(".lock-*")
    return json.loads(path.read_text())


def write_record(folder, **changes):
    """Writes the lock file of a holder that differs from this process."""
    (folder / ".lock-1").write_text(json.dumps(locks._this_process() | changes))


def test_second_process_is_refused_at_once_with_host_pid_and_time(holder, folder, capsys, monkeypatch):
    process = holder(START + HOLD)
    expected = f"another job is writing to '{folder}': host {socket.gethostname()}, pid {process.pid}, since 20"
    freeze(process)  # a stopped process of the same kernel is alive, whatever its heartbeat
    time.sleep(2 * locks.STALE)
    monkeypatch.setattr(locks, "STALE", 60.0)
    started = time.monotonic()
    assert re.match(re.escape(expected) + r"[-\d]+ [:\d]+\+\d\d:\d\d\. Wait until it ends, stop it, or", refusal(folder))
    assert time.monotonic() - started < 30
    assert not capsys.readouterr().out


@pytest.mark.parametrize("reaped", [True, False], ids=["ended", "zombie"])
def test_lock_of_a_killed_process_is_taken_at_once(holder, folder, reaped):
    process = holder(START + HOLD)
    process.kill()
    if reaped:
        process.wait()
    else:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_taken_at_once(folder)


def test_reused_pid_does_not_count_as_alive(folder):
    _, started = locks._state_of(os.getpid())
    write_record(folder, started=started)
    assert "another job is writing to" in refusal(folder)
    write_record(folder, started=started - 1)
    assert is_taken_at_once(folder)


def test_lock_that_this_process_could_not_release_is_taken_again(folder, monkeypatch):
    def fail(path):
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    with locked(folder):
        (folder / "results").touch()
        with monkeypatch.context() as patch:
            patch.setattr(locks.os, "listdir", fail)
            locks._release(locks._held[-1])
        assert record(folder)["pid"] == os.getpid()
        with locked(folder):
            for other_name in (folder, folder / "." / ".." / folder.name, pathlib.Path(os.path.relpath(folder))):
                assert "another job is writing to" in refusal(other_name), "now this process holds it"


def test_exception_and_end_release_the_lock(folder):
    with pytest.raises(OSError, match="disk full"), locked(folder):
        raise OSError("disk full")
    assert record(folder) == {"holder": None}
    assert is_taken_at_once(folder)


def test_sigterm_releases_all_locks_and_ends_the_process(holder, folder):
    process = holder(START + 'with locks.locked(folder + "/outer"):' + HOLD.replace("\n", "\n    "))
    process.terminate()
    assert process.wait(timeout=60) == -signal.SIGTERM
    assert record(folder) == {"holder": None}
    assert not (folder / "outer").exists()


def test_handler_of_the_caller_stays_and_keeps_the_lock(folder):
    received = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with locked(folder):
            os.kill(os.getpid(), signal.SIGTERM)
            assert received == [signal.SIGTERM]
            assert record(folder)["pid"] == os.getpid()
    finally:
        signal.signal(signal.SIGTERM, previous)
    with locked(folder / "other"):
        assert signal.getsignal(signal.SIGTERM) is not previous
    assert signal.getsignal(signal.SIGTERM) is previous


def test_forked_process_neither_releases_nor_keeps_the_lock(holder, folder):
    code = """
read, write = os.pipe()
with locks.locked(folder):
    child = os.fork()
    if child:
        os.waitid(os.P_PID, child, os.WEXITED | os.WSTOPPED | os.WNOWAIT)
        print("locked", flush=True)
        sys.stdin.read()
# The child arrives here, and stays alive after its parent is killed.
print(child, locks._held, file=open(folder + "/child", "w"), flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""
    process = holder(START + code)
    (child,) = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    try:
        assert (folder / "child").read_text() == "0 []\n"
        assert f"pid {process.pid}" in refusal(folder)
        process.kill()
        process.wait()
        assert is_taken_at_once(folder)
    finally:
        os.kill(int(child), signal.SIGKILL)


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_living_holder_on_another_host_is_never_taken_over(holder, folder, capsys, hours):
    skewed = f"""
utime = os.utime
os.utime = lambda path: utime(path, (time.time() + {3600 * hours},) * 2)  # a file system with the clock of the client
"""
    process = holder(ON_ANOTHER_HOST + skewed + HOLD)
    time.sleep(0.2)
    assert re.search(f"another job is writing to .*: host node7, pid {process.pid}, since", refusal(folder))
    (line,) = capsys.readouterr().out.splitlines()
    holder_and_age = f"another job holds '{folder}': host node7, pid {process.pid}, since .* was (\\d+) s ago. This job "
    age = int(re.match(holder_and_age, line)[1]) - (3600 if hours == -1 else 0)
    assert 0 <= age < 30
    assert line.endswith("ends at the next heartbeat, or takes over in 1 s if there is none")
    assert record(folder)["host"] == "node7"


def test_dead_holder_on_another_host_is_taken_over_when_its_lock_is_stale(holder, folder, capsys):
    process = holder(ON_ANOTHER_HOST + HOLD)
    process.kill()
    process.wait()
    assert locks.STALE <= is_taken(folder) < 30 * locks.STALE
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_holder_on_another_host_that_ends_in_time_is_followed_at_once(holder, start, folder):
    process = holder(ON_ANOTHER_HOST.replace("= 0.1, 1.0", "= 60.0, 60.0") + HOLD)
    waiting = start(START.replace("= 0.1, 1.0", "= 60.0, 60.0") + HOLD)
    assert waiting.stdout.readline().startswith("another job holds")
    process.communicate()
    assert waiting.stdout.readline() == "locked\n"


def elsewhere(index, value):
    namespace = list(locks._namespace())
    namespace[index] = value
    return namespace


@pytest.mark.parametrize(("index", "value"), [(0, "another boot"), (1, "pid:[1]"), (2, "time:[1]")])
def test_same_host_name_and_pid_under_another_kernel_or_in_another_namespace(folder, capsys, index, value):
    write_record(folder, pid=2**22 + 1, namespace=elsewhere(index, value))  # no process has this PID here
    assert is_taken(folder) >= locks.STALE
    write_record(folder, pid=os.getpid(), namespace=elsewhere(index, value))  # this PID is that of another process
    for path in folder.glob(".lock-2"):
        path.unlink()
    assert is_taken(folder) >= locks.STALE


def test_holder_in_another_container(holder, folder, capsys):
    container = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*container, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs unshare and user namespaces")
    process = holder(START + HOLD, *container)
    assert record(folder)["pid"] == 1
    assert re.search("another job is writing to .*, pid 1, since", refusal(folder))
    assert "takes over" in capsys.readouterr().out
    process.kill()
    process.wait()
    assert is_taken(folder) >= locks.STALE


def test_one_of_many_waiting_processes_takes_over(holder, start, folder):
    process = holder(ON_ANOTHER_HOST + HOLD)
    process.kill()
    process.wait()
    waiting = [start(START + HOLD) for _ in range(8)]
    for other in waiting:
        assert other.stdout.readline().startswith("another job holds")
    results = [other.stdout.readline() for other in waiting]
    (winner,) = [other for other, result in zip(waiting, results, strict=True) if result == "locked\n"]
    assert sum(f"pid {winner.pid}" in result for result in results) == 7
    assert record(folder)["pid"] == winner.pid


@pytest.mark.parametrize("name", ["", "/new"])
def test_two_of_many_processes_never_hold_the_lock_together(start, folder, name):
    """The folder ``new`` holds nothing else, so each holder removes it."""
    code = f"""
rounds = 0
while rounds < 20:
    try:
        with locks.locked(folder + "{name}"):
            os.close(os.open(folder + "/exclusive", os.O_CREAT | os.O_EXCL))
            time.sleep(0.001)
            os.unlink(folder + "/exclusive")
            rounds += 1
    except UserError:
        time.sleep(0.001)
"""
    processes = [start(START + code) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4


def test_process_that_is_late_to_take_over_gives_way(folder):
    with locked(folder):
        (folder / ".lock-1").rename(folder / ".lock-5")
        for number in (5, 3):
            assert not locks._create(locks._Lock(folder, number))
            assert [path.name for path in folder.glob(".lock*")] == [".lock-5"]


FREEZE_AND_WRITE = """
import pathlib
rows = pathlib.Path(folder) / "rows.jsonl"
check, checks = locks.check, []

def check_and_freeze():
    check()
    checks.append(1)
    if len(checks) == 3 and frozen_in == "write":
        os.kill(os.getpid(), signal.SIGSTOP)

locks.check = check_and_freeze
try:
    with locks.locked(folder):
        print("locked", flush=True)
        for step in (1, 2):
            append_row(rows, {"step": step})
        if frozen_in == "step":
            os.kill(os.getpid(), signal.SIGSTOP)
        while True:
            append_row(rows, {"step": 3})
except UserError as error:
    sys.exit(print(error) or 2)
"""


@pytest.mark.parametrize("frozen_in", ["step", "write"])
def test_frozen_holder_stops_at_its_next_write(holder, folder, frozen_in):
    process = holder(f"{ON_ANOTHER_HOST}frozen_in = {frozen_in!r}\n{FREEZE_AND_WRITE}")
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    with locked(folder):
        rows = folder / "rows.jsonl"
        write_rows(rows, read_rows(rows))  # as at the start of training
        process.send_signal(signal.SIGCONT)
        message, _ = process.communicate(timeout=60)
        assert process.returncode == 2
        assert message.startswith(f"another job took over '{folder}' because this job showed no heartbeat for 1 s: host ")
        assert f", pid {os.getpid()}, since" in message
        assert len(message.splitlines()) == 1
        assert read_rows(rows) == [{"step": 1}, {"step": 2}]
        locks.check()


def test_every_kind_of_write_stops_after_the_loss_of_the_lock(folder):
    write_json(folder / "a.json", 1)
    append_row(folder / "rows.jsonl", {"step": 1})
    before = {path: path.read_bytes() for path in folder.iterdir()}

    def write_folder():
        with folder_written_whole(folder / "folder") as partial:
            (partial / "a").touch()

    writes = [
        lambda: write_json(folder / "a.json", 2),
        lambda: append_row(folder / "rows.jsonl", {"step": 2}),
        write_folder,
        locks.check,
        locks.check_heartbeat,
    ]
    with locked(folder):
        (folder / ".lock-1").unlink()
        locks.check_heartbeat()  # does not look at the file
        for write in writes:
            with pytest.raises(UserError, match=r"lock-1' was removed while .* run the same command to resume"):
                write()
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_heartbeat_notices_the_loss(folder):
    with locked(folder):
        (folder / ".lock-1").rename(folder / ".lock-2")
        time.sleep(5 * locks.HEARTBEAT)
        with pytest.raises(UserError, match=f"another job took over '{folder}'"):
            locks.check_heartbeat()


def test_heartbeat_outlives_an_error_of_the_file_system(folder, monkeypatch):
    def fail(path):
        raise OSError(errno.EIO, "Input/output error")

    with locked(folder):
        with monkeypatch.context() as context:
            context.setattr(os, "utime", fail)
            time.sleep(3 * locks.HEARTBEAT)
        before = (folder / ".lock-1").stat().st_mtime_ns
        time.sleep(3 * locks.HEARTBEAT)
        assert (folder / ".lock-1").stat().st_mtime_ns > before
        locks.check()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]", b'{"pid": 1', b'{"a": 1}'])
def test_damaged_lock_file_is_that_of_an_unknown_job(folder, capsys, content):
    (folder / ".lock-1").write_bytes(content)
    assert is_taken(folder) >= locks.STALE
    assert "host unknown, pid unknown, since unknown" in capsys.readouterr().out


def test_disk_that_is_full_leaves_no_lock(tmp_path, monkeypatch):
    def fail(descriptor, mode):
        os.close(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(locks, "open", fail, raising=False)
    with pytest.raises(OSError, match="No space left"), locked(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_folder_without_files_is_removed(tmp_path):
    with locked(tmp_path / "run"):
        assert (tmp_path / "run").is_dir()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_file_in_place_of_a_folder_is_reported(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=f"{name}' is a file, not a folder"), locked(tmp_path / name):
        pass
