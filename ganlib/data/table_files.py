"""Finds the image that a cell of a table names."""

import collections
import pathlib
import unicodedata

from ganlib.errors import UserError


class Names:
    """The images that the cells of a table may name, by their paths.

    A cell names an image by its path relative to the folder of the table, or by the last parts of its path, with or without
    the suffix. A cell may also have more parts, such as the path on another computer: then its last parts must be the path of
    the image relative to the root.

    Args:
        images: The relative paths of the images.
        folder: The folder of the table, relative to the root. Only images below it are found. Defaults to ``""``.
    """

    def __init__(self, images, folder=""):
        self._folder, self._exact = folder, {}
        self._by_name, self._by_stem = collections.defaultdict(list), collections.defaultdict(list)
        for image in images:
            if not folder or image.startswith(f"{folder}/"):
                parts = _parts(image)
                self._exact["/".join(parts)] = image
                self._by_name[parts[-1]].append((parts, image))
                self._by_stem[pathlib.PurePosixPath(parts[-1]).stem].append((parts, image))

    def find(self, cell, path):
        """Returns the relative path of the image that a cell names, or None.

        Args:
            cell: The cell.
            path: The path of the table for the message of an error.

        Raises:
            UserError: If the cell names several images.
        """
        found = self._all(cell)
        if len(found) > 1:
            raise UserError(
                f"{cell!r} in {path!r} may be {found[0]!r} or {found[1]!r}: write the path relative to the folder of the table"
            )
        return found[0] if found else None

    def has(self, cell):
        """Returns True if a cell names at least one image."""
        return bool(self._all(cell))

    def is_exact(self, cell):
        """Returns True if a cell names an image with its suffix."""
        return isinstance(cell, str) and self.has(cell) and _parts(cell)[-1] in self._by_name

    def _all(self, cell):
        """Returns all images that a cell may name."""
        parts = [] if cell is None or isinstance(cell, (list, dict)) else _parts(str(cell))
        if not parts:
            return []
        exact = self._exact.get("/".join([*_parts(self._folder), *parts]))
        if exact is not None:
            return [exact]
        named = _with_tail(self._by_name.get(parts[-1], ()), parts)
        return named or _with_tail(self._by_stem.get(parts[-1], ()), parts, is_stem=True)


def _with_tail(candidates, parts, is_stem=False):
    """Returns the images whose path ends like a cell, or the other way round."""
    found = []
    for image_parts, image in candidates:
        ours = [*image_parts[:-1], parts[-1]] if is_stem else image_parts
        shorter = min(len(ours), len(parts))
        if ours[-shorter:] == parts[-shorter:]:
            found.append(image)
    return found


def _parts(path):
    """Splits a path at "/" and the backslashes of Windows. Accents are brought to one form, as file systems do."""
    path = unicodedata.normalize("NFC", path).replace("\\", "/")
    return [part for part in path.split("/") if part not in ("", ".")]
