"""Locks on folders: one process at a time writes to a folder, also if the processes run on different hosts.

The lock of a folder is the file ``.lock-N`` in it with the largest N. The file names its holder. Every `HEARTBEAT` seconds, the
holder sets the modification time of the file; this is its heartbeat. A process takes a lock by creating ``.lock-(N+1)``, which
succeeds for only one process, and then removes the earlier file. A holder that was frozen meanwhile finds that its file is
missing, and knows that it has lost the lock. It looks for the file before each write: see `check`.

Whether the holder is alive is decided as follows.

- If the holder runs under the same kernel and in the same PID namespace, the process table decides at once.
- Otherwise the heartbeat decides. Modification times are only compared for equality, and the waiting process counts how often
  it has looked at the file. Clocks that disagree have no effect, nor has a pause of all processes or of the file system.

Locks of the operating system are not used. Many network file systems do not support them, and a server may keep the lock of a
host that no longer exists.
"""

import contextlib
import dataclasses
import datetime
import json
import math
import os
import pathlib
import re
import signal
import socket
import tempfile
import threading
import time

from ganlib.errors import UserError

HEARTBEAT = 10.0
"""Seconds between two heartbeats."""
STALE = 60.0
"""Seconds without a heartbeat after which another host takes over the lock."""
LOOK = 1.0
"""Seconds between two looks at the heartbeat of another host."""

_PREFIX = ".lock-"
_FREE = {"holder": None}
_held = []  # the locks that this process holds
_left_over = set()  # the lock files that this process could not mark as free


@contextlib.contextmanager
def locked(folder):
    """Holds the lock on a folder inside the block. The folder is created if it does not exist.

    If the lock belongs to a process on another host, this function prints a line and watches the heartbeat: it raises an error
    at the next heartbeat, or takes over the lock after `STALE` seconds without one. It does the same if it cannot see the
    holder in its process table, as in another container.

    The lock is released at the end of the block, and if SIGTERM ends the process. A process that is killed keeps its lock only
    until another process wants it. Forked processes do not hold the lock. A folder without other files is removed at the end.

    Args:
        folder: The folder.

    Raises:
        UserError: If another process holds the lock, or if the path is a file.
    """
    lock = _acquire(pathlib.Path(folder))
    _held.append(lock)
    threading.Thread(target=_beat, args=(lock,), name="heartbeat", daemon=True).start()
    try:
        with _released_on_sigterm():
            yield
    finally:
        if lock in _held:  # it is not in a forked process
            _held.remove(lock)
            _release(lock)


def check():
    """Checks that this process has not lost a lock, and renews the heartbeat. Call it directly before every write to a folder
    that may be locked.

    Raises:
        UserError: If another process has taken over a lock of this process, or a lock file was removed.
    """
    for lock in tuple(_held):
        lock.renew()
    check_heartbeat()


def check_heartbeat():
    """Checks whether the last heartbeat found a lock lost. Unlike `check`, it does not access the file system.

    Raises:
        UserError: As in `check`.
    """
    for lock in tuple(_held):
        if lock.lost:
            raise UserError(_reason_of_loss(lock))


@dataclasses.dataclass(eq=False)
class _Lock:
    """A lock that this process holds."""

    folder: pathlib.Path
    number: int
    lost: bool = False
    released: threading.Event = dataclasses.field(default_factory=threading.Event)

    @property
    def path(self):
        return _path(self.folder, self.number)

    def renew(self):
        """Sets the modification time, by the clock of the file system. Unlike reading, no network file system caches this."""
        try:
            os.utime(self.path)
        except FileNotFoundError:
            self.lost = True


@dataclasses.dataclass(frozen=True)
class _Found:
    """A lock file. ``holder`` is the `_Holder`, or None if the lock is free. ``beat`` is the modification time."""

    holder: object
    beat: int


@dataclasses.dataclass(frozen=True)
class _Holder:
    """What a lock file tells about its holder. Everything is unknown if the file is damaged."""

    host: str = "unknown"
    pid: int | None = None
    since: str = "unknown"
    started: int | None = None
    namespace: list | None = None

    def __str__(self):
        return f"host {self.host}, pid {self.pid or 'unknown'}, since {self.since}"

    def is_alive(self):
        """Returns whether the process runs, or None if this cannot be seen from here."""
        here = _namespace()
        if here is None or (self.host, self.namespace) != (socket.gethostname(), here):
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # the process of another user
            pass
        state, started = _state_of(self.pid)
        return None if state is None else started == self.started and state not in ("Z", "X")  # a zombie has ended


def _reason_of_loss(lock):
    numbers = _numbers(lock.folder)
    newer = _read(lock.folder, numbers[-1]) if numbers else None
    if newer is None:
        return (
            f"the lock file {str(lock.path)!r} was removed while this job was writing to the folder. "
            "This job ends: run the same command to resume from the newest checkpoint"
        )
    return (
        f"another job took over {str(lock.folder)!r} because this job showed no heartbeat for {STALE:.0f} s: "
        f"{newer.holder or 'it has ended'}. This job ends without further writes"
    )


def _acquire(folder):
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UserError(f"{str(folder)!r} is a file, not a folder: choose another --workdir") from None
        newest = max(_numbers(folder), default=0)
        if not newest or _is_available(folder, newest):
            lock = _Lock(folder, newest + 1)
            if _create(lock):
                return lock


def _path(folder, number):
    return folder / f"{_PREFIX}{number}"


def _numbers(folder):
    """Returns the numbers of the lock files in a folder in ascending order."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:  # the last holder has removed its empty folder
        names = ()
    return sorted(int(name.removeprefix(_PREFIX)) for name in names if re.fullmatch(rf"{_PREFIX}\d+", name))


def _read(folder, number):
    """Returns the `_Found` lock file, or None if there is none."""
    try:
        with _path(folder, number).open("rb") as file:  # to open a file, NFS asks the server for its state
            content, beat = file.read(), os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return None
    try:
        record = json.loads(content)
        return _Found(None, beat) if record == _FREE else _Found(_Holder(**record), beat)
    except (ValueError, TypeError):  # not complete, or damaged
        return _Found(_Holder(), beat)


def _is_available(folder, number):
    """Returns True if the lock is free or its holder is dead, and False if the lock has changed meanwhile.

    Raises:
        UserError: If the holder is alive.
    """
    found = _read(folder, number)
    if found is not None and found.holder == _Holder():  # its holder may be just writing it
        time.sleep(LOOK)
        found = _read(folder, number)
    if found is None:
        return False
    if found.holder is None:
        return True
    alive = found.holder.is_alive()
    if alive:
        alive = os.path.abspath(_path(folder, number)) not in _left_over
    elif alive is None:
        _announce(folder, found)
        last = _watched(folder, number, found)
        if last is None or last.holder is None:
            return False
        alive, found = last != found, last
    if alive:
        raise UserError(
            f"another job is writing to {str(folder)!r}: {found.holder}. "
            "Wait until it ends, stop it, or choose another --workdir"
        )
    return True


def _announce(folder, found):
    with tempfile.TemporaryFile(dir=folder) as file:  # its time is of the same clock as that of the heartbeat
        age = max(os.fstat(file.fileno()).st_mtime - found.beat / 1e9, 0)
    print(
        f"another job holds {str(folder)!r}: {found.holder}. Its last heartbeat was {age:.0f} s ago. "
        f"This job ends at the next heartbeat, or takes over in {STALE:.0f} s if there is none",
        flush=True,
    )


def _watched(folder, number, found):
    """Looks at a lock file until it differs from ``found``, for at most `STALE` seconds. Returns what the last look found."""
    for _ in range(math.ceil(STALE / LOOK)):
        time.sleep(LOOK)
        last = _read(folder, number)
        if last != found:
            break
    return last


def _create(lock):
    """Creates the lock file and removes those of earlier locks. Returns False if another process has taken the lock."""
    record = json.dumps(_this_process())
    try:
        descriptor = os.open(lock.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except (FileExistsError, FileNotFoundError):  # not found: the last holder has removed its empty folder
        return False
    try:
        with open(descriptor, "w") as file:
            file.write(record)
        numbers = _numbers(lock.folder)
        if numbers[-1:] != [lock.number]:  # this process was frozen after it had looked for the newest lock
            lock.path.unlink(missing_ok=True)
            return False
        for number in numbers[:-1]:
            _path(lock.folder, number).unlink(missing_ok=True)
        return True
    except OSError:  # such as a full disk
        _left_over.add(os.path.abspath(lock.path))
        lock.path.unlink(missing_ok=True)
        raise


def _beat(lock):
    """Renews the lock until it is released or lost."""
    while not lock.released.wait(HEARTBEAT) and not lock.lost:
        with contextlib.suppress(OSError):  # such as a pause of the server
            lock.renew()


def _release(lock):
    """Marks the lock as free. The file stays, because numbers must not occur twice."""
    lock.released.set()
    try:
        if os.listdir(lock.folder) == [lock.path.name]:
            lock.path.unlink()
            lock.folder.rmdir()
        else:
            with lock.path.open("r+") as file:  # does not create the file
                file.write(json.dumps(_FREE).ljust(os.fstat(file.fileno()).st_size))  # at once, so without a truncation
    except OSError:  # another process has taken over the lock, the folder is gone, or the file system fails
        _left_over.add(os.path.abspath(lock.path))


@contextlib.contextmanager
def _released_on_sigterm():
    """Makes SIGTERM release the locks before it ends the process. A handler of someone else is left in place."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _release_all_and_end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _release_all_and_end(number, frame):
    for lock in tuple(_held):
        _release(lock)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _this_process():
    """Returns the record of this process for a lock file."""
    since = datetime.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    _, started = _state_of(os.getpid())
    return dataclasses.asdict(_Holder(socket.gethostname(), os.getpid(), since, started, _namespace()))


def _namespace():
    """Returns what PIDs and start times refer to: the boot of the kernel, the PID and the time namespace.

    Returns None if it is unknown, as on other systems than Linux. The boot has a random name, so two machines differ even if
    they have the same host name.
    """
    try:
        if os.readlink("/proc/self") != str(os.getpid()):  # /proc belongs to another PID namespace
            return None
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return [boot, os.readlink("/proc/self/ns/pid"), _time_namespace()]
    except OSError:
        return None


def _time_namespace():
    try:
        return os.readlink("/proc/self/ns/time")
    except FileNotFoundError:  # Linux before 5.6 has no time namespaces
        return ""


def _state_of(pid):
    """Returns the state of a process and its start time in clock ticks since the boot, or None for both if they are unknown.

    The start time distinguishes a process from a later one with the same PID. Unlike a date, it does not depend on the clock.
    """
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None, None
    fields = stat.rpartition(")")[2].split()  # the second field, the name of the program, may contain spaces
    return fields[0], int(fields[19])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: (_held.clear(), _left_over.clear()))
