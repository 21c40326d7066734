"""Lists the images of a folder or a zip file, with their labels and what their headers say."""

import collections
import concurrent.futures
import dataclasses
import logging
import os
import pathlib
import zipfile
import zlib

import numpy as np
from PIL import ImageColor

from ganlib.data import archives, formats, layout, tree
from ganlib.data.fitting import FITS
from ganlib.data.layout import Found
from ganlib.data.parallel import map_files
from ganlib.data.pixels import GRAY_MODES
from ganlib.data.storage import Directory
from ganlib.data.table_columns import Choice
from ganlib.errors import UserError, choose


@dataclasses.dataclass(frozen=True)
class Listing:
    """The readable images of a folder or a zip file and how to load them.

    Attributes:
        paths: The path of each image. That of an image in a zip file begins with the path of the zip file.
        headers: The `ganlib.data.formats.Header` of each image.
        labels: ``(n,)`` int64, with -1 for images without a label, or None if there are no labels.
        class_names: The names of the classes, empty if there are no labels.
        image_size: ``(height, width)`` of the loaded images.
        channels: 1 (gray) or 3 (RGB).
        background: The color behind transparent pixels, and of the borders of ``"pad"``.
        fit: How images are fitted into the size: see `ganlib.data.fitting`.
        skip_corrupt: Whether unreadable files are skipped.
        split: The split, or ``""`` if the folder has no splits.
        root: The path of the folder that contains the images of the split.
        storage: The `ganlib.data.storage.Directory` or `ganlib.data.archives.Archive` that contains the files.
    """

    paths: tuple[str, ...]
    headers: tuple[formats.Header, ...]
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    image_size: tuple[int, int]
    channels: int
    background: str
    fit: str
    skip_corrupt: bool
    split: str
    root: str
    storage: Directory

    @property
    def relative_paths(self):
        """The paths relative to ``root``, with "/" on every system."""
        return tuple(path[len(self.root) :].replace(os.sep, "/").lstrip("/") for path in self.paths)

    @property
    def file_sums(self):
        """The size and a checksum of each file."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return tuple(pool.map(self.storage.summed, self.paths))

    def with_channels(self, channels):
        """Returns a listing of the same images, to be loaded in gray (1) or in color (3)."""
        return dataclasses.replace(self, channels=channels)

    def only(self, indices):
        """Returns a listing of the images at ``indices``.

        Raises:
            UserError: If none is left, or none of a class.
        """
        if not len(indices):
            raise UserError(f"none of the {len(self.paths)} images, such as {self.paths[0]!r}, can be read: replace the files")
        paths, headers = (tuple(values[i] for i in indices) for values in (self.paths, self.headers))
        if self.labels is None:
            return dataclasses.replace(self, paths=paths, headers=headers)
        labels = self.labels[indices]
        for label in np.setdiff1d(self.labels[self.labels >= 0], labels):
            raise UserError(f"no image of class {self.class_names[label]!r} can be read: fix or remove the class")
        return dataclasses.replace(self, paths=paths, headers=headers, labels=labels)


_FOUND = Choice()


def scan(path, split="train", image_size=None, skip_corrupt=False, background="white", choice=_FOUND, fit="crop"):
    """Lists the images of a folder or a zip file. Its subfolders, if any, are the classes.

    Args:
        path: The folder or the zip file. If its subfolders are named after splits, such as ``train`` and ``val``, ``split``
            selects one.
        split: ``"train"``, ``"validation"``, ``"test"``, or another name from `ganlib.data.tree.SPLITS`. A folder
            without such subfolders has only ``"train"``. None takes all images of any layout, without labels. Defaults to
            ``"train"``.
        image_size: ``(height, width)`` to which images are resized. None requires all images to have the same size. Defaults
            to None.
        skip_corrupt: Whether to skip unreadable files and log their number, instead of failing. Defaults to False.
        background: The color behind transparent pixels, and of the borders of ``"pad"``. Defaults to ``"white"``.
        choice: The `ganlib.data.table_columns.Choice` of a table of labels. Defaults to one that finds the table.
        fit: ``"crop"``, ``"pad"`` or ``"stretch"``: see `ganlib.data.fitting`. Defaults to ``"crop"``.

    Returns:
        A `Listing`. It is gray if all images are, otherwise RGB.

    Raises:
        UserError: If the folder is missing, empty or ambiguous, a file is unreadable, or images differ in size and
            ``image_size`` is None.
    """
    try:
        ImageColor.getrgb(background)
    except (ValueError, TypeError, AttributeError):  # the latter two if it is not a string
        raise UserError(f"unknown background color {background!r}: use a name such as 'white', or '#rrggbb'") from None
    storage = archives.Archive(path) if archives.is_archive(path) else Directory(path)
    images, others = _sorted_out(storage)
    if not images:
        raise UserError(f"folder {storage.root!r} {_what_instead(storage, others)}")
    found = Found(images) if split is None else layout.find(storage, images, others, split, choice)
    _log_passed_over(storage, [path for path in others if path not in found.tables])
    paths = tuple(map(storage.path, found.files))
    headers, good = map_files(lambda path: formats.header(path, storage.open), paths, skip_corrupt)
    if not good:
        raise UserError(f"folder {storage.root!r} contains no readable image: replace the files")
    if found.labels is not None:
        tree.check_in_one_class([paths[i] for i in good], found.labels[good], storage.identity)
    if image_size is None:
        image_size = _common_size(storage.root, {header.upright_size for header in headers})
    _log_frames([paths[i] for i, header in zip(good, headers, strict=True) if header.animated])
    by_index = dict(zip(good, headers, strict=True))
    listing = Listing(
        paths=paths,
        headers=tuple(map(by_index.get, range(len(paths)))),
        labels=found.labels,
        class_names=found.class_names,
        image_size=image_size,
        channels=1 if {header.mode for header in headers} <= set(GRAY_MODES) else 3,
        background=background,
        fit=choose("fit", fit, dict.fromkeys(FITS, fit)),
        skip_corrupt=skip_corrupt,
        split=found.split,
        root=storage.path(found.root),
        storage=storage,
    )
    return listing.only(good)


def splits(path, choice=_FOUND):
    """Returns the names of the splits of a folder or a zip file as a tuple, which is ``("train",)`` if there are none.

    Args:
        path: The folder or the zip file.
        choice: As for `scan`. Defaults to one that finds the table.

    Raises:
        UserError: If the folder is missing or ambiguous.
    """
    storage = archives.Archive(path) if archives.is_archive(path) else Directory(path)
    return layout.splits(storage, *_sorted_out(storage), choice)


def class_counts(path):
    """Returns the number of images in each class folder: a dict from the name of the split, which is ``""`` if there are no
    splits, to a dict from the name of the class to the number. Labels in tables are not read.

    Args:
        path: The folder or the zip file.

    Raises:
        UserError: If the folder is missing or its splits are ambiguous.
    """
    storage = archives.Archive(path) if archives.is_archive(path) else Directory(path)
    root = tree.inside_containers(tree.grow(storage.folders, *_sorted_out(storage)))
    splits = tree.splits(root, storage.path) or {"": root}
    folders = {split: tree.inside_containers(folder) for split, folder in splits.items()}
    return {split: {inner.name: inner.total for inner in folder.subfolders} for split, folder in folders.items()}


def _sorted_out(storage):
    """Returns ``(images, others)``, the relative paths of the images, damaged or not, and of the other files."""

    def is_image(relative):
        if formats.has_image_suffix(relative):
            return True
        try:
            with storage.open(storage.path(relative)) as file:
                return formats.is_image(file, relative)
        except FileNotFoundError:  # a broken link
            return False
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):  # damage in a zip file, which is reported later
            return True

    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(is_image, storage.files))
    return tuple(
        [path for path, answer in zip(storage.files, answers, strict=True) if answer == wanted] for wanted in (True, False)
    )


def _common_size(root, sizes):
    """Returns ``(height, width)`` of all images. ``sizes`` is a set of pairs of a width and a height."""
    if len(sizes) > 1:
        examples = ", ".join(f"{height}x{width}" for width, height in sorted(sizes)[:3])
        raise UserError(f"the images in {root!r} are not all of the same size (height x width: {examples} ...): set image_size")
    return next(iter(sizes))[::-1]


def _what_instead(storage, others):
    """Says what a folder without images contains, and what to do."""
    archive = next((path for path in others if path.lower().endswith(archives.SUFFIXES)), None)
    if archive:
        return f"contains no images, but archives such as {archive!r}: unpack them"
    if others:
        return f"contains no images, but {_kinds(others)}: put image files into it"
    return "is empty: put images, or one subfolder of images per class, into it"


def _log_passed_over(storage, others):
    """Logs one line about the files and folders that are not used, with their numbers."""
    lines, hidden = [], storage.hidden.total()
    if others:
        what = "files that are not images" if len(others) > 1 else "file that is not an image"
        lines.append(f"{len(others)} {what}: {_kinds(others)}")
    if hidden:
        what = "hidden files and folders" if hidden > 1 else "hidden file or folder"
        lines.append(f"{hidden} {what}: {_first_counts(storage.hidden)}")
    if lines:
        logging.getLogger("ganlib").warning("%s: passed over %s", storage.root, "; ".join(lines))


def _kinds(paths):
    """Returns the number of files by their suffixes, such as ``"2 .txt, 1 .json"``."""
    names = map(pathlib.PurePosixPath, paths)
    return _first_counts(collections.Counter(name.suffix.lower() or name.name for name in names))


def _first_counts(counts):
    most = [f"{count} {name}" for name, count in counts.most_common(5)]
    return ", ".join([*most, "..."] if len(counts) > 5 else most)


def _log_frames(animated):
    if animated:
        message = "only the first frame or page is used of %d files that have several, the first: %s"
        logging.getLogger("ganlib").warning(message, len(animated), animated[0])
