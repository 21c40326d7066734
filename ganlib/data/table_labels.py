"""Labels of images from a table next to them, such as ``labels.csv``.

- A table is used if a column names images and another one holds labels. Both columns are found by their contents and their
  names, or named by the caller.
- A label is the name of a class. Labels that are all integers are sorted by value, others by name. An image with an empty label
  or without a row has no label.
- A column ``split``, tables named after splits, such as ``train.csv`` and ``test.csv``, and the folders of splits assign images
  to splits.
"""

import collections
import dataclasses
import logging
import pathlib
import re

from ganlib.data import table_columns, tables, tree
from ganlib.data.table_files import Names
from ganlib.errors import UserError

NO_TABLE = "none"
"""The ``label_file`` that turns tables off."""

_NUMBER = re.compile(r"[+-]?(\d+\.?|\d*\.\d+(e[+-]?\d+)?)", re.ASCII | re.IGNORECASE)
"""A number as programs write labels. Python would also read the names ``1_0`` and ``1e1`` as 10."""

_MISSING = ("na", "n/a", "#n/a", "<na>", "none", "null", "?")
"""What programs write for a missing value, in lower case."""

_MAX_DEPTH = 2
"""The number of folders above a table that is found without its name."""


@dataclasses.dataclass(frozen=True)
class TableLabels:
    """The labels of images from tables.

    Attributes:
        names: The names of the tables.
        labels: The label of each image that has one: a dict from relative paths to strings.
        splits: The split of each image if a table assigns splits, otherwise an empty dict.
    """

    names: tuple[str, ...]
    labels: dict
    splits: dict


def find(storage, files, others, choice):
    """Returns the `TableLabels` of a folder or a zip file, or None if there is no table of labels.

    Args:
        storage: The `ganlib.data.storage.Directory` or `ganlib.data.archives.Archive`.
        files: The relative paths of its images.
        others: The relative paths of its other files.
        choice: A `ganlib.data.table_columns.Choice`.

    Raises:
        UserError: If a column is missing or ambiguous, a label is not that of one class, an image has several labels, or
            several tables have labels.
    """
    if choice.label_file == NO_TABLE:
        return None
    if choice.label_file:
        found = [_labeled(*_read(storage, choice.label_file, others), files, choice)]
    else:
        read = ((relative, _parsed(storage, relative)) for relative in _candidates(files, others))
        found = [_labeled(relative, table, files, choice) for relative, table in read if table is not None]
        found = [part for part in found if part is not None]
    if not found:
        if choice.file_column or choice.label_column:
            raise UserError(f"{storage.root!r} contains no table that names its images: set label_file to its path")
        return None
    return _joined(found)


def _candidates(images, others):
    """Yields the files that may be tables. A file that is named like an image next to it only describes this image."""
    stems = {str(pathlib.PurePosixPath(image).with_suffix("")) for image in images}
    for relative in others:
        path = pathlib.PurePosixPath(relative)
        deepest = _MAX_DEPTH if path.suffix.lower() in (".csv", ".tsv", ".jsonl") else 0
        if path.suffix.lower() in tables.SUFFIXES and len(path.parts) - 1 <= deepest and str(path.with_suffix("")) not in stems:
            yield relative


def _parsed(storage, relative):
    with storage.open_verified(storage.path(relative)) as file:
        return tables.parsed(file.read(), storage.path(relative))


def _read(storage, label_file, others):
    """Returns ``(relative, table)`` of the table that the caller named."""
    relative = label_file.replace("\\", "/").removeprefix("./")
    if relative in others:
        table = _parsed(storage, relative)
    else:
        path, relative = pathlib.Path(label_file).expanduser(), ""
        if not path.is_file():
            raise UserError(
                f"no table at {label_file!r}, neither in {storage.root!r} nor in the current folder: check label_file"
            )
        table = tables.parsed(path.read_bytes(), path)
    if table is None:
        raise UserError(f"{label_file!r} is not a table: use CSV, JSON Lines, or JSON as described in ganlib.data.tables")
    return relative or pathlib.Path(label_file).name, table


def _labeled(relative, table, images, choice):
    """Returns the `TableLabels` of one table, or None if it does not name images or has no labels."""
    if not table.rows and table.columns:  # a dataset.json without labels
        return TableLabels((relative,), {}, {})
    names = Names(images, relative.rpartition("/")[0])
    columns = table_columns.find(table, names, choice)
    if columns is None:
        return None
    if columns.is_guess and not (choice.label_file or choice.label_column):
        _check_guess(columns, names, images)
    table, labels, splits, missing = columns.table, {}, {}, []
    for row, line in zip(table.rows, table.lines, strict=True):
        image = names.find(row[columns.file], table.path)
        if image is None:
            missing.append(row[columns.file])
            continue
        value = _cell(row[columns.label], table.path, line)
        if labels.setdefault(image, value) != value:
            raise UserError(f"{table.path!r} labels {image!r} both {labels[image]!r} and {value!r}: keep one of the rows")
        if columns.split is not None:
            splits[image] = tree.split_of(str(row[columns.split]))
    if missing:
        message = "%s: %d of %d rows name no image, the first: %s"
        logging.getLogger("ganlib").warning(message, table.path, len(missing), len(table.rows), missing[0])
    return TableLabels((relative,), _normalized(labels, table.path, table.columns[columns.label]), splits)


def _check_guess(columns, names, images):
    """Logs which column is taken for the labels. Rejects a table that may only name the classes 0, 1, ..."""
    table, cells = columns.table, [row[columns.file] for row in columns.table.rows]
    if sum(map(names.has, cells)) < len(images) / 2 and not any(map(names.is_exact, cells)):
        raise UserError(
            f"{table.path!r} may label a few of the images, such as {cells[0]!r}, or name classes by their numbers: set "
            "label_file to its path to use its labels, or to 'none'"
        )
    message = "the labels come from the column %r of %s"
    logging.getLogger("ganlib").warning(message, table.columns[columns.label], table.path)


def _cell(value, path, line):
    """Returns a label as a string, and ``""`` for an image without a label."""
    if isinstance(value, (list, dict)):
        raise UserError(
            f"the label {table_columns.short(value)} in entry {line} of {path!r} is a vector or a list: use one class per image"
        )
    text = "" if value is None else str(value).strip()
    if text.lower() == "nan":
        return ""
    if re.search(r"[|;]|^\[.*\]$|^\{.*\}$", text):
        raise UserError(f"the label {text!r} in line {line} of {path!r} has several classes: use one class per image")
    return text


def _normalized(labels, path, column):
    """Checks the labels of a table, and writes integers in one way: ``"1"`` for ``"01"`` and ``"1.0"``."""
    counts = collections.Counter(filter(None, labels.values()))
    if len(counts) > max(10, counts.total() / 2):
        raise UserError(
            f"the column {column!r} of {path!r} has {len(counts)} different labels for {counts.total()} images, so it does not "
            "hold classes: set label_column, or set label_file to 'none'"
        )
    numbers = {label: _number(label) for label in counts}
    _check_missing(numbers, path, column)
    if None not in numbers.values():
        wrong = next((label for label, number in numbers.items() if number < 0 or number != int(number)), None)
        if wrong is not None:
            raise UserError(
                f"the label {wrong!r} in the column {column!r} of {path!r} is not a class: use integers from 0, or names, and "
                "leave the label of an image without a class empty"
            )
        return {image: str(int(numbers[label])) if label else "" for image, label in labels.items()}
    for label in counts:
        listed, words = [part.strip() for part in label.split(",")], label.split()
        if any(part in counts for part in listed[1:] + listed[:-1]) or (
            len(words) > 1 and all(word in counts for word in words)
        ):
            raise UserError(f"the label {label!r} of {path!r} has several classes: use one class per image")
    tree.check_names(counts, f"the labels of {path!r}")
    return labels


def _check_missing(numbers, path, column):
    """Rejects a name for a missing value next to integers, and logs it next to names."""
    name = next((label for label in numbers if label.lower() in _MISSING), None)
    if name is None:
        return
    if len(numbers) > 1 and all(number is not None for label, number in numbers.items() if label.lower() not in _MISSING):
        raise UserError(
            f"the label {name!r} in the column {column!r} of {path!r} is next to integers: leave the label of an image "
            "without a class empty"
        )
    message = "%r in the column %r of %s is a class: leave the label empty if the image has none"
    logging.getLogger("ganlib").warning(message, name, column, path)


def _number(label):
    number = float(label) if _NUMBER.fullmatch(label) else None
    return number if number is not None and abs(number) < 2**53 else None


def _joined(found):
    """Joins tables in different folders or of different splits."""
    if len(found) == 1:
        return found[0]
    names = tuple(part.names[0] for part in found)
    places = [name.rpartition("/")[0] for name in names]
    splits = [tree.split_like(pathlib.PurePosixPath(name).stem) for name in names]
    shared = set.intersection(*(set(part.labels) for part in found)) if len(found) == 2 else _repeated(found)
    by_split = None not in splits and len(set(splits)) == len(found)
    if shared or not (by_split or len(set(places)) == len(found)):
        raise UserError(f"several tables name images: set label_file to one of {', '.join(map(repr, names))}")
    labels = {image: label for part in found for image, label in part.labels.items()}
    assigned = {image: split for part in found for image, split in part.splits.items()}
    if by_split and len(set(places)) < len(found):
        assigned = {image: split for part, split in zip(found, splits, strict=True) for image in part.labels}
    return TableLabels(names, labels, assigned)


def _repeated(found):
    counts = collections.Counter(image for part in found for image in part.labels)
    return [image for image, count in counts.items() if count > 1]


def class_names(names):
    """Returns the names of classes in the order of their indices: by value if all are integers, otherwise by name.

    Args:
        names: An iterable of labels, each the name of a class.

    Examples:
        >>> from ganlib.data.table_labels import class_names
        >>> class_names(["10", "9"]), class_names(["dog", "9", "cat"])
        (('9', '10'), ('9', 'cat', 'dog'))
    """
    names = set(names)
    return tuple(sorted(names, key=int if all(name.isdecimal() for name in names) else None))
