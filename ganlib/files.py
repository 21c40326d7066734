"""Files that are whole or not there at all, whenever the process is killed."""

import contextlib
import json
import os
import pathlib


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


def write_json(path, value):
    """Writes a value as JSON, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(value, indent=1) + "\n")
