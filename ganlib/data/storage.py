"""The files below a folder, as `ganlib.data.archives` gives those in a zip file."""

import collections
import os
import pathlib
import zlib

from ganlib.errors import UserError

IGNORED = (
    "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "lost+found", "$recycle.bin", "#recycle",
    "system volume information", "__pycache__",
)  # fmt: skip
"""Names, in lower case, of files and folders that operating systems leave behind. Names that begin with a dot are ignored,
too."""

SUMMED = 1024
"""The number of bytes at the beginning and the end of a file from which its checksum is computed."""


class Directory:
    """The files below a folder. Links are followed; a broken link counts as a file.

    Args:
        root: The folder.

    Attributes:
        root: The path of the folder, a string.
        files: The paths of all visible files relative to the folder, with "/" on every system, sorted folder by folder.
        folders: The relative paths of all visible folders, also of empty ones.
        hidden: The number of ignored files and folders by name, a `collections.Counter`.

    Raises:
        UserError: If the path is empty, there is no such folder, or a link points to a folder that contains it.
    """

    def __init__(self, root):
        if not str(root):  # pathlib takes it for the current folder
            raise UserError("the path of a folder is empty: write it after 'folder:'")
        self.root = str(pathlib.Path(root).expanduser())
        if not os.path.isdir(self.root):
            raise UserError(f"no folder at {self.root!r}: check the path after 'folder:'")
        self.hidden = collections.Counter()
        files, folders = [], []
        self._walk("", files, folders)
        self.files, self.folders = (tuple(sorted(paths, key=parts)) for paths in (files, folders))

    def _walk(self, folder, files, folders):
        with os.scandir(self.path(folder)) as entries:
            for entry in entries:
                relative = f"{folder}/{entry.name}".lstrip("/")
                if is_hidden(entry.name):
                    self.hidden[entry.name] += 1
                elif entry.is_dir():
                    if entry.is_symlink():
                        _check_no_cycle(entry.path)
                    folders.append(relative)
                    self._walk(relative, files, folders)
                elif entry.is_file() or entry.is_symlink():
                    files.append(relative)

    def path(self, relative):
        """Returns the path of a file or a folder, from its path relative to the folder. That of the folder itself is ``""``."""
        return os.path.join(self.root, *relative.split("/")) if relative else self.root

    def open(self, path):
        """Opens a file for reading bytes.

        Args:
            path: The path that `path` returned.
        """
        return open(path, "rb")

    open_verified = open

    def summed(self, path):
        """Returns the size of a file and a checksum of its first and last `SUMMED` bytes."""
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            first = file.read(SUMMED)
            file.seek(max(size - SUMMED, 0))
            return size, zlib.crc32(first + file.read(SUMMED))

    def identity(self, path):
        """Returns a value that two paths have in common if they are the same file. It is None for a broken link."""
        try:
            status = os.stat(path)
        except OSError:
            return None
        return (status.st_dev, status.st_ino) if status.st_ino else path


def is_hidden(name):
    """Returns True if a file or a folder with this name is ignored."""
    return name.startswith(".") or name.lower() in IGNORED


def parts(path):
    """Returns the parts of a relative path, by which paths are sorted."""
    return path.split("/")


def _check_no_cycle(link):
    if pathlib.Path(link).parent.resolve().is_relative_to(pathlib.Path(link).resolve()):
        raise UserError(f"{link!r} is a link to a folder that contains it: remove it")
