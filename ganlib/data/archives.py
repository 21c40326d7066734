"""The files in a zip file, as `ganlib.data.storage` gives those below a folder. Nothing is extracted."""

import collections
import io
import logging
import pathlib
import zipfile

from ganlib.data.storage import is_hidden, parts
from ganlib.errors import UserError

SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".rar", ".7z")
"""The suffixes of archives. Of these, only zip files are read, and only if they are not in a folder or in another archive."""

_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_UTF_8 = 0x800
_ENCRYPTED = 0x1


def is_archive(path):
    """Returns True if a path is a zip file.

    Args:
        path: The path.

    Raises:
        UserError: If it is a file of another kind.
    """
    path = pathlib.Path(path).expanduser()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        beginning = file.read(4)
    if beginning in _BEGINNINGS or zipfile.is_zipfile(path):
        return True
    name = str(path)
    if path.suffix.lower() == ".zip":
        raise UserError(f"{name!r} is not a zip file, or is damaged: create or download it again")
    if path.suffix.lower() in SUFFIXES:
        raise UserError(f"{name!r} is an archive of a kind that is not read: unpack it, and pass the path of the folder")
    raise UserError(f"{name!r} is a file: pass the path of a folder or a zip file")


class Archive:
    """The files in a zip file.

    A single folder at the top of the zip file is its root, unless it is named after a split.

    Args:
        path: The zip file.

    Attributes:
        root: The path of the zip file with that of the single folder, a string.
        files: The paths of all visible files relative to the root, with "/" on every system, sorted folder by folder.
        folders: The relative paths of all visible folders, also of empty ones.
        hidden: The number of ignored files and folders by name, a `collections.Counter`.

    Raises:
        UserError: If the zip file is damaged or encrypted, or a name in it is absolute, leads outside, or appears twice.
    """

    def __init__(self, path):
        self._name = str(pathlib.Path(path).expanduser())
        try:
            self._archive = zipfile.ZipFile(self._name)
        except (zipfile.BadZipFile, NotImplementedError) as error:  # the latter: a zip file of several volumes
            raise UserError(f"{self._name!r} is damaged or incomplete ({error}): create or download it again") from None
        hidden, folders, members, self._misread = set(), set(), {}, []
        for info in self._archive.infolist():
            names, is_folder = self._parts_of(info)
            first_hidden = next((index for index, name in enumerate(names) if is_hidden(name)), None)
            if first_hidden is not None:
                hidden.add(tuple(names[: first_hidden + 1]))
                continue
            folders |= {"/".join(names[:depth]) for depth in range(1, len(names) + is_folder)}
            if not is_folder:
                self._check(info, members.get("/".join(names)))
                members["/".join(names)] = info
        if self._misread:
            message = "%s: names may look wrong, because their encoding is unknown: %d, the first: %s"
            logging.getLogger("ganlib").warning(message, self._name, len(self._misread), self._misread[0])
        self.hidden = collections.Counter(names[-1] for names in hidden)
        top = _top_folder(folders, members)
        self.root = f"{self._name}/{top}".rstrip("/")
        self._members = {f"{self._name}/{name}": info for name, info in members.items()}
        self.files, self.folders = (
            tuple(
                sorted((path[len(top) :].lstrip("/") for path in paths if path.startswith(f"{top}/" if top else "")), key=parts)
            )
            for paths in (members, folders)
        )

    def path(self, relative):
        """Returns the path of a file or a folder, from its path relative to the root. That of the root itself is ``""``."""
        return f"{self.root}/{relative}" if relative else self.root

    def open(self, path):
        """Opens a file for reading bytes. Several threads may read at a time.

        Args:
            path: The path that `path` returned.
        """
        return self._archive.open(self._members[path])

    def open_verified(self, path):
        """Opens a file after comparing its content with its checksum."""
        return io.BytesIO(self._archive.read(self._members[path]))

    def summed(self, path):
        """Returns the size and the checksum of a file, which are in the directory of the zip file."""
        return self._members[path].file_size, self._members[path].CRC

    def identity(self, path):
        """Returns a value that two paths have in common if they are the same file."""
        return path

    def _parts_of(self, info):
        """Returns ``(parts, is_folder)`` of a member. Zip files of Windows may have backslashes, and names of any encoding."""
        name = info.orig_filename.split("\0")[0]
        if not info.flag_bits & _UTF_8 and not name.isascii():
            try:
                name = name.encode("cp437").decode("utf-8")
            except UnicodeError:
                self._misread.append(name)
        name = name.replace("\\", "/")
        names = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in names:
            raise UserError(f"{self._name!r} contains {name!r}, a path outside of it: create the zip file again")
        return names, name.endswith("/")

    def _check(self, info, other):
        if info.flag_bits & _ENCRYPTED:
            raise UserError(f"{self._name!r} is encrypted: unpack it, and pass the path of the folder")
        if other is not None:
            raise UserError(f"{self._name!r} contains {info.filename!r} twice: create the zip file again")


def _top_folder(folders, files):
    """Returns the innermost folder outside of which there is nothing, or ``""``."""
    from ganlib.data.tree import split_of

    top = ""
    while True:
        prefix = f"{top}/" if top else ""
        inside = {path[len(prefix) :].split("/")[0] for path in (*folders, *files) if path.startswith(prefix)}
        only = next(iter(inside)) if len(inside) == 1 else ""
        if not only or f"{prefix}{only}" in files or split_of(only):
            return top
        top = prefix + only
