"""Finds the splits and the classes in a tree of folders. Ambiguous folders are rejected."""

import dataclasses
import logging
import re
import unicodedata

import numpy as np

from ganlib.errors import UserError

SPLITS = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "val", "valid", "dev", "development"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "holdout"),
}
"""The names that the folder of each split may have, in any case."""

CONTAINERS = (
    "image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "jpg", "jpeg", "jpegs", "jpegimages", "png",
    "data", "dataset",
)  # fmt: skip
"""Names, in lower case, of a folder that is not a class if it is the only one."""


@dataclasses.dataclass
class Folder:
    """A folder in a tree.

    Attributes:
        path: The path relative to the root of the tree, with "/" on every system, and ``""`` for the root.
        folders: The folders in it, sorted by their names.
        images: The relative paths of the images directly in it, sorted.
        total: The number of images in it and below it.
        others: The number of other files in it and below it.
    """

    path: str
    folders: list = dataclasses.field(default_factory=list)
    images: list = dataclasses.field(default_factory=list)
    total: int = 0
    others: int = 0

    @property
    def name(self):
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def subfolders(self):
        """The folders with images, and those that are empty. Folders that contain only other files are left out."""
        return [folder for folder in self.folders if folder.total or not folder.others]

    def below(self):
        """Returns the images in the folder and below it, folder by folder."""
        inner = [path for folder in self.folders for path in folder.below()]
        return sorted(self.images + inner, key=lambda path: path.split("/")) if inner else self.images


def grow(folders, files, others=()):
    """Returns the root of the tree of a folder.

    Args:
        folders: The relative paths of all folders, sorted folder by folder.
        files: The relative paths of all images, sorted likewise.
        others: The relative paths of the other files. Defaults to ``()``.
    """
    known = {"": Folder("")}
    for path in folders:
        known[path] = Folder(path)
        known[path.rpartition("/")[0]].folders.append(known[path])
    for path in files:
        known[path.rpartition("/")[0]].images.append(path)
    for folder in known.values():
        folder.total = len(folder.images)
    for path in others:
        known[path.rpartition("/")[0]].others += 1
    for path in reversed(folders):  # the inner folders come first
        outer = known[path.rpartition("/")[0]]
        outer.total += known[path].total
        outer.others += known[path].others
    return known[""]


def split_of(name):
    """Returns the key of `SPLITS` for a folder name, or None."""
    return next((split for split, names in SPLITS.items() if name.lower() in names), None)


_NEXT_TO_SPLITS = ("set", "data", "dataset", "image", "images", "img", "imgs", "split", "mask", "masks", "x")
_ANNOTATIONS = (
    "mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "segmentations", "segmentationclass",
    "segmentationobject", "gt", "groundtruth", "ground_truth", "depth",
)  # fmt: skip


def split_like(name):
    """Returns the split that a name such as ``train_images``, ``testset`` or ``val2017`` may mean, or None."""
    words = re.sub(r"[^a-z]+|(?<=[a-z])(?=set$|data$|images$|imgs$)", " ", name.lower()).split()
    remaining = [word for word in words if word not in _NEXT_TO_SPLITS]
    return split_of(remaining[0]) if len(remaining) == 1 else None


def split_within(name):
    """Returns the split that a part of a name such as ``trainA`` or ``toys_test`` may mean, or None."""
    return next(filter(None, map(split_of, re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name))), None)


def splits_instead_of_classes(names):
    """Returns the splits that names of folders mean, if they are not those of classes: all mean splits, or some that contain
    little else. Returns an empty list if they may be names of classes.

    Args:
        names: The names of folders next to each other.
    """
    likely = dict.fromkeys(map(split_like, names))
    possible = dict.fromkeys(split_like(name) or split_within(name) for name in names)
    found = [split for split in possible if split]
    certain = None not in likely or len([split for split in likely if split]) > 1 or (None not in possible and len(found) > 1)
    return found if certain else []


def inside_containers(folder):
    """Returns the folder in which the images are: ``images`` in a folder that contains nothing else.

    Args:
        folder: A `Folder`.
    """
    while not folder.images and len(folder.subfolders) == 1 and folder.subfolders[0].name.lower() in CONTAINERS:
        folder = folder.subfolders[0]
    return folder


def splits(root, where):
    """Returns the folders of the splits in a folder: a dict from "train", "validation" and "test" to each `Folder`. It is
    empty if there are no splits.

    Args:
        root: The `Folder`.
        where: A function from a relative path to the path for the message of an error.

    Raises:
        UserError: If a split is next to other folders or images, or two folders name the same split.
    """
    split_folders = {}
    for folder in root.folders:
        split = split_of(folder.name)
        if split in split_folders:
            raise UserError(
                f"folder {where(root.path)!r} contains {split_folders[split].name!r} and {folder.name!r}, "
                f"both names of the {split} split: keep one"
            )
        if split:
            split_folders[split] = folder
    others = [f.name for f in root.folders if f.total and f not in split_folders.values()]
    others += [path.rpartition("/")[2] for path in root.images]
    if split_folders and others:
        split = next(iter(split_folders.values()))
        raise UserError(
            f"folder {where(root.path)!r} contains {split.name!r}, the name of a split, next to {others[0]!r}: "
            "move the others elsewhere, or rename it if it is a class"
        )
    return split_folders


def files(root, where, class_names=None):
    """Returns the images below a folder in a fixed order, with labels if they are in class folders.

    Args:
        root: The `Folder`.
        where: A function from a relative path to the path for the message of an error.
        class_names: The classes in the order of their indices; None uses the sorted names of the class folders. Defaults to
            None.

    Returns:
        ``(files, labels, class_names)``: relative paths, ``(n,)`` int64 or None, and a tuple of strings, which is empty if
        there are no labels.

    Raises:
        UserError: If the folder is empty, images are next to class folders, a class is not in ``class_names``, or folders may
            not be classes.
    """
    folders = root.subfolders
    if folders and root.images:
        raise UserError(
            f"folder {where(root.path)!r} contains both files (such as {root.images[0].rpartition('/')[2]!r}) and class "
            f"folders (such as {folders[0].name!r}): move the files into class folders or elsewhere"
        )
    if not folders:
        if not root.images:
            missing = "contains no images" if root.others else "is empty"
            raise UserError(f"folder {where(root.path)!r} {missing}: put images, or one subfolder of images per class, into it")
        return root.images, None, ()
    _check_are_classes(root, folders, where)
    class_names = class_names or class_names_of(root)
    paths, labels = [], []
    for folder in folders:
        if folder.name not in class_names:
            raise UserError(
                f"class folder {where(folder.path)!r} is not a class of the train split: "
                f"rename it to one of {', '.join(class_names)}"
            )
        if not folder.total:
            raise UserError(f"class folder {where(folder.path)!r} is empty: put images into it or remove it")
        paths += folder.below()
        labels += [class_names.index(folder.name)] * folder.total
    return paths, np.array(labels, np.int64), class_names


def class_names_of(root):
    """Returns the sorted names of the class folders in a `Folder`."""
    return tuple(folder.name for folder in root.subfolders)


def check_in_one_class(paths, labels, identity):
    """Rejects a file that is in two classes through a link.

    Args:
        paths: The paths of the files.
        labels: ``(n,)`` integers, one for each file.
        identity: A function from a path to a value that identifies the file, or to None.

    Raises:
        UserError: If two paths of the same file have different labels.
    """
    known = {}
    for path, label in zip(paths, labels, strict=True):
        key = identity(path)
        other, other_label = known.setdefault(key, (path, label))
        if key is not None and label != other_label:
            raise UserError(f"{other!r} and {path!r} are the same file in two classes: remove one of them")


def check_names(names, what):
    """Rejects names of classes that are identical on other file systems.

    Args:
        names: The names.
        what: The subject of the message of an error.

    Raises:
        UserError: If two names differ only in case or in the encoding of accents.
    """
    by_folded_name = {}
    for name in names:
        other = by_folded_name.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise UserError(
                f"{what} {other!r} and {name!r} differ only in case or in the encoding of accents, which some file systems do "
                "not support: rename one"
            )


def _check_are_classes(root, folders, where):
    """Rejects folders that do not look like classes."""
    check_names([folder.name for folder in folders], f"in {where(root.path)!r}, the class folders")
    _check_no_splits(root, folders, where)
    _check_no_annotations(root, folders, where)
    for folder in folders:
        split = next((inner for inner in folder.folders if split_of(inner.name)), None)
        if split:
            raise UserError(
                f"class folder {where(folder.path)!r} contains {split.name!r}, the name of a split: pass the folder that "
                "contains the splits, or put the classes into the splits"
            )
    _check_depth(root, folders, where)


def _check_no_splits(root, folders, where):
    """Rejects folders that are named like splits."""
    found = splits_instead_of_classes([folder.name for folder in folders])
    if found:
        example = next(folder for folder in folders if split_like(folder.name) or split_within(folder.name))
        raise UserError(
            f"the folders of {where(root.path)!r}, such as {example.name!r}, look like splits, not classes: rename them to "
            f"{' and '.join(map(repr, found))}, or move them into folders of these names, or pass the path of one of them"
        )


def _check_no_annotations(root, folders, where):
    """Rejects folders of images next to folders of their masks."""
    annotations = [folder.name for folder in folders if folder.name.lower() in _ANNOTATIONS]
    containers = [folder.name for folder in folders if folder.name.lower() in CONTAINERS]
    if annotations and containers:
        raise UserError(
            f"the folders {containers[0]!r} and {annotations[0]!r} in {where(root.path)!r} look like images and their "
            f"annotations, not classes: pass the path of {containers[0]!r}, or rename them if they are classes"
        )


def _check_depth(root, folders, where):
    """Rejects folders that all contain the same folders, and logs which folders are the classes if others may be, too."""
    nested = [folder for folder in folders if not folder.images and len(folder.subfolders) > 1]
    names = {tuple(inner.name for inner in folder.subfolders) for folder in nested}
    if len(nested) == len(folders) and len(names) == 1:
        raise UserError(
            f"the classes of {where(root.path)!r} are ambiguous: {folders[0].name!r} contains no images, but folders such as "
            f"{next(iter(names))[0]!r}: pass a folder whose subfolders are the classes"
        )
    if nested or len(folders) == 1:
        message = "the classes are the folders directly in %s, such as %s"
        logging.getLogger("ganlib").warning(message, where(root.path), folders[0].name)
