"""Finds the files below a folder, with their splits and classes. Ambiguous folders are rejected."""

import os
import pathlib
import re
import unicodedata

import numpy as np

from ganlib.errors import UserError

SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing", "eval"),
}
"""The names that the folder of each split may have, in any case."""

IGNORED = ("Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
TABLE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")


def split_of(name):
    """Returns the key of `SPLITS` for a folder name, or None."""
    return next((split for split, names in SPLITS.items() if name.lower() in names), None)


def _split_like(name):
    """Returns the split that a name such as ``train_images``, ``testset`` or ``val2017`` may mean, or None."""
    words = re.sub(r"[^a-z]+|(?<=[a-z])(?=set$|data$|images$|imgs$)", " ", name.lower()).split()
    remaining = [word for word in words if word not in ("set", "data", "dataset", "image", "images", "img", "imgs", "split")]
    return split_of(remaining[0]) if len(remaining) == 1 else None


def splits(root):
    """Returns the folders of the splits below ``root``: a dict from "train", "validation" and "test" to paths. It is
    empty if there are no splits.

    Raises:
        UserError: If a split is next to other folders or images, or two folders name the same split.
    """
    folders, loose_files = _contents(root)
    split_folders = {}
    for folder in folders:
        split = split_of(folder.name)
        if split in split_folders:
            raise UserError(
                f"folder {str(root)!r} contains {split_folders[split].name!r} and {folder.name!r}, "
                f"both names of the {split} split: keep one"
            )
        if split:
            split_folders[split] = folder
    non_splits = [p for p in folders if p not in split_folders.values()] + [
        p for p in loose_files if p.suffix.lower() in IMAGE_SUFFIXES
    ]
    if split_folders and non_splits:
        split = next(iter(split_folders.values()))
        raise UserError(
            f"folder {str(root)!r} contains {split.name!r}, the name of a split, next to {non_splits[0].name!r}: "
            "move the others elsewhere, or rename it if it is a class"
        )
    return split_folders


def files(root, class_names=None):
    """Returns the files below a folder in a fixed order, with labels if they are in class folders.

    Args:
        root: The folder.
        class_names: The classes in the order of their indices; None uses the sorted names of the class folders. Defaults to
            None.

    Returns:
        ``(files, labels, class_names)``: paths, ``(n,)`` int64 or None, and a tuple of strings, which is empty if there are no
        labels.

    Raises:
        UserError: If the folder is empty, files are next to class folders, a class is not in ``class_names``, or folders may
            not be classes.
    """
    folders, loose_files = _contents(root)
    if folders and loose_files:
        raise UserError(
            f"folder {str(root)!r} contains both files (such as {loose_files[0].name!r}) and class folders "
            f"(such as {folders[0].name!r}): move the files into class folders or elsewhere"
        )
    if not folders:
        if not loose_files:
            raise UserError(f"folder {str(root)!r} is empty: put images, or one subfolder of images per class, into it")
        return loose_files, None, ()
    _check_are_classes(root, folders)
    class_names = class_names or class_names_of(root)
    paths, labels = [], []
    for folder in folders:
        if folder.name not in class_names:
            raise UserError(
                f"class folder {str(folder)!r} is not a class of the train split: rename it to one of {', '.join(class_names)}"
            )
        files_of_class = below(folder)
        if not files_of_class:
            raise UserError(f"class folder {str(folder)!r} is empty: put images into it or remove it")
        paths += files_of_class
        labels += [class_names.index(folder.name)] * len(files_of_class)
    _check_in_one_class(paths, labels)
    return paths, np.array(labels, np.int64), class_names


def class_names_of(root):
    """Returns the sorted names of the class folders in ``root``."""
    return tuple(folder.name for folder in _contents(root)[0])


def table_in(root):
    """Returns the first file directly in ``root`` that may be a table of labels, or None."""
    return next((p for p in _contents(root)[1] if p.suffix.lower() in TABLE_SUFFIXES), None)


def below(folder):
    """Returns all files below a folder, sorted. Links are followed; a broken link counts as a file.

    Raises:
        UserError: If a link points to a folder that contains it.
    """
    all_files = []
    for parent, folders, names in os.walk(folder, followlinks=True):
        parent = pathlib.Path(parent)
        folders[:] = [name for name in folders if _visible(name)]
        for name in folders:
            if parent.resolve().is_relative_to((parent / name).resolve()):
                raise UserError(f"{str(parent / name)!r} is a link to a folder that contains it: remove it")
        paths = (parent / name for name in names if _visible(name))
        all_files += [path for path in paths if path.is_file() or path.is_symlink()]
    return sorted(all_files)


def _contents(root):
    """Returns the visible ``(folders, files)`` directly in a folder, each sorted."""
    paths = [p for p in sorted(pathlib.Path(root).iterdir()) if _visible(p.name)]
    folders = [p for p in paths if p.is_dir()]
    return folders, [p for p in paths if p not in folders and (p.is_file() or p.is_symlink())]


def _visible(name):
    return not name.startswith(".") and name not in IGNORED


def _check_are_classes(root, folders):
    """Rejects folders that do not look like classes, and class names that are identical on other file systems."""
    by_folded_name = {}
    for folder in folders:
        other = by_folded_name.setdefault(unicodedata.normalize("NFC", folder.name).casefold(), folder)
        if other is not folder:
            raise UserError(
                f"class folders {other.name!r} and {folder.name!r} in {str(root)!r} differ only in case or in the "
                "encoding of accents, which some file systems do not support: rename one"
            )
    possible_splits = {_split_like(folder.name): folder for folder in folders}
    if len(possible_splits) == len(folders) > 1 and None not in possible_splits:
        raise UserError(
            f"the folders of {str(root)!r}, such as {folders[0].name!r}, look like splits, not classes: rename them to "
            f"{' and '.join(map(repr, possible_splits))}, or pass the path of one of them"
        )
    inner = {folder: _contents(folder) for folder in folders}
    for folder, (subfolders, _) in inner.items():
        split = next((p for p in subfolders if split_of(p.name)), None)
        if split:
            raise UserError(
                f"class folder {str(folder)!r} contains {split.name!r}, the name of a split: pass the folder that contains the "
                "splits, or put the classes into the splits"
            )
    names = {tuple(p.name for p in subfolders) for subfolders, loose_files in inner.values() if not loose_files}
    nested = len(names) == 1 and not any(loose_files for _, loose_files in inner.values())
    if nested and len(next(iter(names))) > 1:
        raise UserError(
            f"the classes of {str(root)!r} are ambiguous: {folders[0].name!r} contains no images, but folders such as "
            f"{next(iter(names))[0]!r}: pass a folder whose subfolders are the classes"
        )


def _check_in_one_class(paths, labels):
    """Rejects a file that is in two classes through a link."""
    known = {}
    for path, label in zip(paths, labels, strict=True):
        if not path.exists():
            continue
        status = path.stat()
        other, other_label = known.setdefault((status.st_dev, status.st_ino), (path, label))
        if label != other_label and status.st_ino:
            raise UserError(f"{str(other)!r} and {str(path)!r} are the same file in two classes: remove one of them")
