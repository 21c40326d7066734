"""Atomic writes, which leave a complete file or none when the process is killed.

A process that has lost the lock on a folder writes nothing more: see `ganlib.locks`.
"""

import contextlib
import json
import logging
import pathlib
import secrets
import shutil

from ganlib import locks


@contextlib.contextmanager
def written_whole(path):
    """Yields a temporary path to write to, and renames it to ``path`` at the end of the block unless the block raised.

    The folder is created if it does not exist. If two processes write the same file, the last one wins.

    Args:
        path: The file to write.

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
    partial = path.with_name(f"{path.stem}.{unique_name()}.partial{path.suffix}")
    try:
        yield partial
        locks.check()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_written_whole(path):
    """Yields a new temporary folder to write to, and renames it to ``path`` at the end of the block unless the block raised.

    An existing folder is replaced with all its contents: check it first.

    Args:
        path: The folder to write.

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
    name = unique_name()
    partial, replaced = (path.with_name(f"{path.name}.{name}.{kind}") for kind in ("partial", "replaced"))
    partial.mkdir(parents=True)
    try:
        yield partial
        locks.check()
        if path.exists():
            path.replace(replaced)
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(replaced, ignore_errors=True)


def unique_name():
    """Returns 8 hexadecimal digits for the name of a temporary file. Hosts that share a folder may use the same PIDs."""
    return secrets.token_hex(4)


def write_json(path, value):
    """Writes a value as JSON, atomically."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(value, indent=1) + "\n")


def read_measures(path):
    """Returns the dict in ``evaluation.json`` or ``classification.json``. Returns an empty dict if the file does not exist
    or, with a warning, if it is damaged."""
    values = read_dict(path)
    if values is None:
        logging.getLogger("ganlib").warning("%s is damaged and was skipped: run the evaluation again", path)
    return values or {}


def read_dict(path):
    """Returns the dict in a JSON file, an empty dict if the file does not exist, or None if it is damaged."""
    path = pathlib.Path(path)
    try:
        value = json.loads(path.read_bytes()) if path.exists() else {}
    except ValueError:  # not JSON, or not even text
        return None
    return value if isinstance(value, dict) else None


def read_rows(path):
    """Returns the rows of a JSON Lines file, each a dict with a ``step``. Returns an empty list if the file does not exist.

    Damaged lines are skipped, with a warning that gives their number. A truncated last line, left by a killed process,
    causes no warning.
    """
    path = pathlib.Path(path)
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    rows = [_row_of(line) for line in lines]
    damaged = sum(row is None and bool(line) for row, line in zip(rows[:-1], lines, strict=False))
    if damaged:
        logging.getLogger("ganlib").warning("%s: %d damaged lines were skipped", path, damaged)
    return [row for row in rows if row is not None]


def _row_of(line):
    try:
        row = json.loads(line)
    except ValueError:  # not JSON, or not even text
        return None
    return row if isinstance(row, dict) and isinstance(row.get("step"), int) else None


def append_row(path, row):
    """Appends a row to a JSON Lines file."""
    with path.open("a") as file:
        locks.check()  # if this process freezes here, the job that takes over replaces the file, and this row is lost
        file.write(row_as_text(row))


def write_rows(path, rows):
    """Writes rows as a JSON Lines file, atomically."""
    with written_whole(path) as partial:
        partial.write_text("".join(map(row_as_text, rows)))


def row_as_text(row):
    """Returns a row as a line of JSON, with its line break."""
    return json.dumps(row) + "\n"
