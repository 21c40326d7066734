"""Tables of images to label next: `write` makes one without labels, and `read` reads it after they are filled in."""

import csv
import dataclasses
import os
import pathlib
import unicodedata

import numpy as np

from ganlib.data import tables
from ganlib.data.partition import AddedLabels
from ganlib.errors import UserError, did_you_mean
from ganlib.files import written_whole

COLUMNS = ("image", "label", "prediction", "probability", "uncertainty")
"""The columns of the table. ``label`` is empty at first."""


def names_of(source, indices, with_folder=False):
    """Returns how a table names images: by their file, or by the source and the index, such as ``"mnist/train#17"``.

    Args:
        source: A `ganlib.data.Source`.
        indices: Integers, the indices of the images.
        with_folder: Whether the name of a file is its absolute path. Defaults to False.
    """
    folder = f"{os.path.abspath(source.name.removeprefix('folder:'))}/" if with_folder and source.files else ""
    return [f"{folder}{source.image_name(index)}" for index in indices]


def write(path, names, predictions, probabilities, uncertainties):
    """Writes a table of images to label, a CSV file with the columns `COLUMNS` and one row per image.

    Args:
        path: The file to write.
        names: The names of the images, as from `names_of`.
        predictions: The names of the predicted classes, one for each image.
        probabilities: ``(n,)`` numbers, their probabilities.
        uncertainties: ``(n,)`` numbers in ``[0, 1]``.
    """
    # With a byte order mark, spreadsheets read UTF-8.
    with written_whole(path) as partial, partial.open("w", encoding="utf-8-sig", newline="", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for name, prediction, *numbers in zip(names, predictions, probabilities, uncertainties, strict=True):
            writer.writerow([name, "", prediction, *(f"{number:.4f}" for number in numbers)])


def can_be_replaced(path):
    """Returns True if there is no file, or a table of `write` without a label."""
    if not pathlib.Path(path).exists():
        return True
    try:
        table = _table(path)
    except UserError:
        return False
    return table.columns == COLUMNS and not any(_cell(row[table.columns.index("label")]) for row in table.rows)


def read(paths, source, class_names):
    """Reads the labels in tables of `write`.

    Args:
        paths: The tables, in a form of `ganlib.data.tables`, with the columns ``image`` and ``label``.
        source: The `ganlib.data.Source` with the images, as from `ganlib.data.partition.pool_of`.
        class_names: The names of the classes.

    Returns:
        The `ganlib.data.partition.AddedLabels` of all rows. An image without a label in the table has the label -1.

    Raises:
        UserError: If a file is no such table, or a row names no image, an image twice, or an unknown class.
    """
    indices, labels = _indices_by_name(source), {}
    classes = {"": -1} | {_normalized(name): index for index, name in enumerate(class_names)}
    for table in map(_table, paths):
        image, label = (table.columns.index(name) for name in COLUMNS[:2])
        for row, line in zip(table.rows, table.lines, strict=True):
            name = _cell(row[image])
            index = indices.get(_normalized(name), indices.get(_normalized(os.path.abspath(name))))
            if index is None:
                raise UserError(
                    f"line {line} of {table.path!r}: {name!r} is not an image of {source.name}: remove the row, or set "
                    "dataset or unlabeled_dataset to the folder of the image"
                )
            if index in labels:
                raise UserError(f"line {line} of {table.path!r}: {row[image]!r} is there twice: keep one of the rows")
            class_name = _cell(row[label])
            if _normalized(class_name) not in classes:
                raise UserError(
                    f"line {line} of {table.path!r}: unknown class {class_name!r}; known are {', '.join(class_names)}."
                    f"{did_you_mean(class_name, class_names)}"
                )
            labels[index] = classes[_normalized(class_name)]
    ordered = sorted(labels)  # whatever the order of the rows
    return AddedLabels(np.array(ordered, np.int64), np.array([labels[index] for index in ordered], np.int64))


def _table(path):
    try:
        with pathlib.Path(path).open("rb") as file:
            table = tables.parsed(file.read(), path)
    except OSError as error:
        raise UserError(
            f"the table of added_labels {str(path)!r} cannot be read: {error.strerror}: check its path, which starts from the "
            "current folder"
        ) from None
    if table is not None and table.columns is None and table.rows:
        table = table.with_header()
        table.check_widths()
        table = dataclasses.replace(table, columns=tuple(name.strip().lower() for name in table.columns))
    if table is None or not table.columns or not set(COLUMNS[:2]) <= set(table.columns):
        raise UserError(f"{str(path)!r} is not a table with the columns image and label, such as experiments.suggest writes")
    if not table.rows:
        raise UserError(f"{str(path)!r} has no rows: add an image and its label")
    return table


def _cell(value):
    """Returns a cell as a string, and ``""`` for null in JSON."""
    return "" if value is None else str(value).strip()


def _indices_by_name(source):
    """Returns the index of each image by its names, with and without the folder."""
    indices = {}
    for with_folder in (True, False):
        names = names_of(source, range(source.num_examples), with_folder)
        indices |= {_normalized(name): index for index, name in enumerate(names)}
    return indices


def _normalized(name):
    """Returns a name with accents in one form, as file systems and spreadsheets may have another, and "/" as the separator."""
    return unicodedata.normalize("NFC", str(name)).replace("\\", "/")
