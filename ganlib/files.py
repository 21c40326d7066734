"""Files that are whole or not there at all, whenever the process is killed; and folders that one process writes at a time."""

import contextlib
import json
import logging
import os
import pathlib
import shutil

from ganlib.errors import UserError

LOCK = ".lock"
"""The file in a folder that is locked while a process writes there."""


@contextlib.contextmanager
def written_whole(path):
    """Gives another name to write to, and renames it to ``path`` at the end of the block, if that raised nothing.

    The folder is made when it is missing. Two processes may write the same file: the last one's stays.

    Args:
        path: the file to write.

    Examples:
        >>> import pathlib, tempfile
        >>> from ganlib.files import written_whole
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "new" / "a.txt"
        >>> with written_whole(path) as partial:
        ...     _ = partial.write_text("all")
        >>> path.read_text(), len(list(path.parent.iterdir()))
        ('all', 1)
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_written_whole(path):
    """Gives the path of a new folder to write to, and renames it to ``path`` at the end of the block, if that raised nothing.

    A folder that is there already is replaced, with all that is in it: look into it before.

    Args:
        path: the folder to write.

    Examples:
        >>> import pathlib, tempfile
        >>> from ganlib.files import folder_written_whole
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "new"
        >>> for name in ("a.txt", "b.txt"):
        ...     with folder_written_whole(path) as partial:
        ...         _ = (partial / name).write_text("all")
        >>> [file.name for file in path.iterdir()], len(list(path.parent.iterdir()))
        (['b.txt'], 1)
    """
    path = pathlib.Path(path).resolve()
    partial, replaced = (path.with_name(f"{path.name}.{os.getpid()}.{kind}") for kind in ("partial", "replaced"))
    partial.mkdir(parents=True)
    try:
        yield partial
        if path.exists():
            path.replace(replaced)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(replaced, ignore_errors=True)


def write_json(path, value):
    """Writes a value as JSON, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(value, indent=1) + "\n")


def read_measures(path):
    """The dict in ``evaluation.json`` or ``classification.json``; an empty one where there is no such file, or, with a
    warning, where it is damaged."""
    values = read_dict(path)
    if values is None:
        logging.getLogger("ganlib").warning("%s is damaged and was left out: measure again", path)
    return values or {}


def read_dict(path):
    """The dict in a JSON file; an empty one without a file, and None where the file is damaged."""
    path = pathlib.Path(path)
    try:
        value = json.loads(path.read_bytes()) if path.exists() else {}
    except ValueError:  # not JSON, or not even text
        return None
    return value if isinstance(value, dict) else None


def read_rows(path):
    """The rows of JSON lines, each a dict with a ``step``; none when there is no file.

    Lines that are no such rows are left out. That the last one is cut short, as a kill leaves it, is not worth a word; of
    others a warning says how many they are.
    """
    path = pathlib.Path(path)
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    rows = [_row_of(line) for line in lines]
    damaged = sum(row is None and bool(line) for row, line in zip(rows[:-1], lines, strict=False))
    if damaged:
        logging.getLogger("ganlib").warning("%s: %d damaged lines were left out", path, damaged)
    return [row for row in rows if row is not None]


def _row_of(line):
    try:
        row = json.loads(line)
    except ValueError:  # not JSON, or not even text
        return None
    return row if isinstance(row, dict) and isinstance(row.get("step"), int) else None


def append_row(path, row):
    """Adds a row to JSON lines."""
    with path.open("a") as file:
        file.write(row_as_text(row))


def write_rows(path, rows):
    """Writes rows as JSON lines, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text("".join(map(row_as_text, rows)))


def row_as_text(row):
    """The line of a row, with its end."""
    return json.dumps(row) + "\n"


@contextlib.contextmanager
def locked(folder):
    """Inside the block no other process gets a lock on the folder, which is made when it is missing.

    The operating system frees the lock when the process ends, in whatever way. A folder that holds nothing but the lock
    at the end of the block is removed. Where the file system knows no locks, a warning says so and the block is run.

    Args:
        folder: the folder.

    Raises:
        UserError: if another process has locked the folder, or a file is in its place.
    """
    import filelock

    folder = pathlib.Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{str(folder)!r} cannot be a folder, since a file is in its place: choose another --workdir") from None
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise UserError(
            f"another job is writing to {str(folder)!r}: wait until it has ended, or choose another --workdir"
        ) from None
    except NotImplementedError:
        logging.getLogger("ganlib").warning("%s cannot be locked: let one job at a time write there", folder)
    try:
        yield
    finally:
        if [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()
            folder.rmdir()
        lock.release()
