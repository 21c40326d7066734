"""Folders as registries: the modules of a folder whose source defines a name."""

import re


def modules_with(folder, pattern):
    """Returns the sorted names of the modules in a folder whose source matches a pattern, without importing them.

    Args:
        folder: The `pathlib.Path` of a package.
        pattern: A regular expression, in which ``^`` matches at every line.
    """
    files = sorted(folder.glob("*.py"))
    return tuple(file.stem for file in files if re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE))
