"""Files that are whole or not there at all, whenever the process is killed."""

import contextlib
import json
import os
import pathlib
import shutil


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
