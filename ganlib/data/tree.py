"""Which files lie below a folder, in which split and class. What could be meant in more than one way is refused."""

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
"""The names that the folder of each split may have, in capitals or not."""

IGNORED = ("Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN")
IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
TABLE_ENDINGS = (".csv", ".tsv", ".json", ".jsonl")


def split_of(name):
    """The key of `SPLITS` that a name stands for, or None."""
    return next((split for split, names in SPLITS.items() if name.lower() in names), None)


def _split_like(name):
    """The split that a name such as ``train_images``, ``testset`` or ``val2017`` may mean, or None."""
    words = re.sub(r"[^a-z]+|(?<=[a-z])(?=set$|data$|images$|imgs$)", " ", name.lower()).split()
    rest = [word for word in words if word not in ("set", "data", "dataset", "image", "images", "img", "imgs", "split")]
    return split_of(rest[0]) if len(rest) == 1 else None


def splits(root):
    """The folders of the splits below ``root``: a dict from "train", "validation" and "test" to paths, empty without splits.

    Raises:
        UserError: for a split beside what is none, and two folders of one split.
    """
    folders, loose = _contents(root)
    found = {}
    for folder in folders:
        split = split_of(folder.name)
        if split in found:
            raise UserError(
                f"folder {str(root)!r} holds {found[split].name!r} and {folder.name!r}, both names of its {split} split: "
                "keep one"
            )
        if split:
            found[split] = folder
    strangers = [p for p in folders if p not in found.values()] + [p for p in loose if p.suffix.lower() in IMAGE_ENDINGS]
    if found and strangers:
        split = next(iter(found.values()))
        raise UserError(
            f"folder {str(root)!r} holds {split.name!r}, the name of a split, beside {strangers[0].name!r}: "
            "move the others out of the way, or, if it is a class, give it another name"
        )
    return found


def files(root, class_names=None):
    """The files below a folder in a fixed order, with labels when they lie in class folders.

    Args:
        root: the folder.
        class_names: the classes by which to number them; None takes the names of the class folders in their order.

    Returns:
        ``(files, labels, class_names)``: paths, ``(n,)`` int64 or None, and a tuple of strings, empty without labels.

    Raises:
        UserError: for an empty folder, files beside class folders, classes that are not in ``class_names``, and folders that
            may be something else than classes.
    """
    folders, loose = _contents(root)
    if folders and loose:
        raise UserError(
            f"folder {str(root)!r} holds both files (such as {loose[0].name!r}) and class folders "
            f"(such as {folders[0].name!r}): move the files into class folders or out of the way"
        )
    if not folders:
        if not loose:
            raise UserError(f"folder {str(root)!r} is empty: put images, or one subfolder of images a class, into it")
        return loose, None, ()
    _check_are_classes(root, folders)
    class_names = class_names or class_names_of(root)
    found, labels = [], []
    for folder in folders:
        if folder.name not in class_names:
            raise UserError(
                f"class folder {str(folder)!r} is none of the classes of the train split, which are {', '.join(class_names)}"
            )
        inside = below(folder)
        if not inside:
            raise UserError(f"class folder {str(folder)!r} is empty: put images into it or remove it")
        found += inside
        labels += [class_names.index(folder.name)] * len(inside)
    _check_in_one_class(found, labels)
    return found, np.array(labels, np.int64), class_names


def class_names_of(root):
    """The names of the class folders in ``root``, in their order."""
    return tuple(folder.name for folder in _contents(root)[0])


def table_in(root):
    """The first file directly in ``root`` that may be a table of labels, or None."""
    return next((p for p in _contents(root)[1] if p.suffix.lower() in TABLE_ENDINGS), None)


def below(folder):
    """All files below a folder, sorted. Links are followed; one that leads nowhere counts as a file.

    Raises:
        UserError: for a link that leads back to a folder that it is in.
    """
    found = []
    for parent, folders, names in os.walk(folder, followlinks=True):
        parent = pathlib.Path(parent)
        folders[:] = [name for name in folders if _visible(name)]
        for name in folders:
            if parent.resolve().is_relative_to((parent / name).resolve()):
                raise UserError(f"{str(parent / name)!r} is a link to a folder that it is in: remove it")
        paths = (parent / name for name in names if _visible(name))
        found += [path for path in paths if path.is_file() or path.is_symlink()]
    return sorted(found)


def _contents(root):
    """The visible ``(folders, files)`` directly in a folder, each sorted."""
    paths = [p for p in sorted(pathlib.Path(root).iterdir()) if _visible(p.name)]
    folders = [p for p in paths if p.is_dir()]
    return folders, [p for p in paths if p not in folders and (p.is_file() or p.is_symlink())]


def _visible(name):
    return not name.startswith(".") and name not in IGNORED


def _check_are_classes(root, folders):
    """Refuses what looks like folders of something else, and classes whose names are one on other file systems."""
    alike = {}
    for folder in folders:
        other = alike.setdefault(unicodedata.normalize("NFC", folder.name).casefold(), folder)
        if other is not folder:
            raise UserError(
                f"class folders {other.name!r} and {folder.name!r} in {str(root)!r} differ in capitals or in how accents are "
                "encoded only, which some file systems cannot hold: give one another name"
            )
    meant = {_split_like(folder.name): folder for folder in folders}
    if len(meant) == len(folders) > 1 and None not in meant:
        raise UserError(
            f"the folders of {str(root)!r}, such as {folders[0].name!r}, have names of splits, not of classes: name them "
            f"{' and '.join(map(repr, meant))}, or give the path of one of them"
        )
    inner = {folder: _contents(folder) for folder in folders}
    for folder, (subfolders, _) in inner.items():
        split = next((p for p in subfolders if split_of(p.name)), None)
        if split:
            raise UserError(
                f"class folder {str(folder)!r} holds {split.name!r}, the name of a split: give the folder that holds the "
                "splits, or put the classes into the splits"
            )
    names = {tuple(p.name for p in subfolders) for subfolders, loose in inner.values() if not loose}
    nested = len(names) == 1 and not any(loose for _, loose in inner.values())
    if nested and len(next(iter(names))) > 1:
        raise UserError(
            f"the classes of {str(root)!r} are not clear: {folders[0].name!r} holds no images, but folders such as "
            f"{next(iter(names))[0]!r}: give a folder whose subfolders are the classes"
        )


def _check_in_one_class(found, labels):
    """Refuses a file that lies in two classes by a link."""
    seen = {}
    for path, label in zip(found, labels, strict=True):
        if not path.exists():
            continue
        status = path.stat()
        other, its_label = seen.setdefault((status.st_dev, status.st_ino), (path, label))
        if label != its_label and status.st_ino:
            raise UserError(f"{str(other)!r} and {str(path)!r} are one file in two classes: remove one of them")
