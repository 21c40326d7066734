"""Finds the images of a split and their labels, in folders or in a table."""

import dataclasses
import logging

import numpy as np

from ganlib.data import table_labels, tree
from ganlib.errors import UserError


@dataclasses.dataclass(frozen=True)
class Found:
    """The images of a split.

    Attributes:
        files: Their relative paths.
        labels: ``(n,)`` int64, with -1 for images without a label, or None if there are no labels.
        class_names: The names of the classes, empty if there are no labels.
        split: The split, or ``""`` if there are no splits.
        root: The relative path of the folder that contains the images.
        tables: The relative paths of the tables with the labels.
    """

    files: list
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    split: str = ""
    root: str = ""
    tables: tuple[str, ...] = ()


def find(storage, files, others, split, choice):
    """Returns the images of a split as a `Found`.

    Args:
        storage: The `ganlib.data.storage.Directory` or `ganlib.data.archives.Archive`.
        files: The relative paths of its images.
        others: The relative paths of its other files.
        split: The name of the split.
        choice: A `ganlib.data.table_columns.Choice`.

    Raises:
        UserError: If there is no such split, or the folders or tables are ambiguous.
    """
    root = tree.inside_containers(tree.grow(storage.folders, files, others))
    splits = tree.splits(root, storage.path)
    table = table_labels.find(storage, files, others, choice)
    if table is not None:
        return _in_table(storage, files, root, splits, split, table)
    name = _checked(storage, split, splits)
    if not name:
        return Found(*tree.files(root, storage.path), root=root.path)
    # The classes are those of the train split, so that all splits share their indices.
    folder, train = (tree.inside_containers(splits[key]) for key in (name, "train" if "train" in splits else name))
    return Found(*tree.files(folder, storage.path, tree.class_names_of(train)), name, folder.path)


def splits(storage, files, others, choice):
    """Returns the names of the splits as a tuple, which is ``("train",)`` if there are none. The arguments are those of `find`.

    Raises:
        UserError: If the folders or tables are ambiguous.
    """
    root = tree.inside_containers(tree.grow(storage.folders, files, others))
    table = table_labels.find(storage, files, others, choice)
    names = {*tree.splits(root, storage.path), *(table.splits.values() if table else ())}
    return tuple(name for name in tree.SPLITS if name in names) or ("train",)


def _checked(storage, split, splits):
    """Returns the key of a split in ``splits``, or ``""`` if there are no splits."""
    name = tree.split_of(split)
    if not splits and name == "train":
        return ""
    if not splits:
        raise UserError(
            f"folder {storage.root!r} has no split {split!r}: put the images into its subfolders 'train' and 'test', or "
            "hold out images: test_split='' and validation_per_class=10 for a classifier"
        )
    if name not in splits:
        raise UserError(f"folder {storage.root!r} has no split {split!r}: choose one of {', '.join(splits)}")
    return name


def _in_table(storage, images, root, splits, split, table):
    """Finds the images of a split and their labels in a table."""
    split_by_image = {image: name for name, folder in splits.items() for image in folder.below()}
    for image, name in table.splits.items():
        if split_by_image.setdefault(image, name) != name:
            raise UserError(f"{storage.path(image)!r} is in another split in {table.names[0]!r}: move it, or correct the table")
    name = _checked(storage, split, dict.fromkeys(sorted(split_by_image.values())))
    files = [image for image in images if split_by_image.get(image, "") == name]
    train = [image for image in images if split_by_image.get(image) == "train"] or files
    class_names = table_labels.class_names(table.labels[image] for image in train if table.labels.get(image))
    indices = {"": -1} | {name: index for index, name in enumerate(class_names)}
    labels = np.array([_index(storage, image, table.labels.get(image, ""), indices) for image in files], np.int64)
    _log(storage, root, splits, table, files, labels, len(set(images) - set(split_by_image)) if name else 0)
    if not np.any(labels >= 0):
        return Found(files, split=name, tables=table.names)
    return Found(files, labels, class_names, name, tables=table.names)


def _index(storage, image, label, indices):
    if label not in indices:
        raise UserError(
            f"{storage.path(image)!r} has the label {label!r}, which no image of the train split has: use one of "
            f"{', '.join(filter(None, indices))}"
        )
    return indices[label]


def _log(storage, root, splits, table, files, labels, in_no_split):
    """Logs what the table leaves open, and that the folders are not classes."""
    logger, names = logging.getLogger("ganlib"), ", ".join(table.names)
    if root.subfolders and not splits:
        logger.warning("%s: the labels come from %s, so the folders are not classes", storage.root, names)
    if in_no_split:
        logger.warning("%s: %d images are in no split of %s and are not used", storage.root, in_no_split, names)
    if np.any(labels >= 0) and np.any(labels < 0):
        without_row = sum(image not in table.labels for image in files)
        message = "%s: %d of %d images have no label and are used only without labels; %d of them have no row in %s"
        logger.warning(message, storage.root, np.sum(labels < 0), len(files), without_row, names)
