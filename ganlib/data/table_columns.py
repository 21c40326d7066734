"""Finds the columns of a table that name images, hold labels and assign splits, by their contents and names."""

import dataclasses
import logging
import re

from ganlib.data import tables, tree
from ganlib.errors import UserError, did_you_mean

FILE_COLUMNS = (
    "file", "filename", "file_name", "filepath", "file_path", "image", "images", "image_name", "image_path", "image_file",
    "image_id", "img", "img_name", "img_path", "img_id", "path", "name", "id", "photo", "picture",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "labels", "class", "classes", "class_name", "classname", "class_label", "class_id", "category", "category_name",
    "category_id", "label_name", "label_id", "target", "y", "species", "breed", "diagnosis",
)  # fmt: skip
SPLIT_COLUMNS = ("split", "set", "subset", "partition")
NO_LABELS = ("text", "caption", "description", "prompt", "width", "height", "size", "url", "date", "author", "license", "md5")
"""Names of columns that hold no labels. They matter for a table of two columns."""

_TRIED = 1000
"""The number of rows from which the columns are found."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """The caller's choice of a table and its columns. None, the default, means that they are found.

    Attributes:
        label_file: The path of the table, relative to the folder of the images or to the current folder; ``"none"`` for no
            table.
        file_column: The name of the column that names images.
        label_column: The name of the column with the labels.
    """

    label_file: str | None = None
    file_column: str | None = None
    label_column: str | None = None


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of a table.

    Attributes:
        table: The `ganlib.data.tables.Table` with its header.
        file: The index of the column that names images.
        label: The index of the column with the labels.
        split: The index of the column that assigns splits, or None.
    """

    table: tables.Table
    file: int
    label: int
    split: int | None

    @property
    def is_guess(self):
        """True if the column with the labels is not called like one."""
        return _plain(self.table.columns[self.label]) not in LABEL_COLUMNS


def find(table, names, choice):
    """Returns the `Columns` of a table, or None if it does not name images or has no labels.

    Args:
        table: A `ganlib.data.tables.Table`.
        names: The `ganlib.data.table_files.Names` of the images.
        choice: A `Choice`.

    Raises:
        UserError: If a column is missing or ambiguous, or a row has another number of cells than the first.
    """
    table, file = _file_column(table, names, choice)
    label = None if file is None else _label_column(table, file, choice)
    if label is None:
        return None
    table.check_widths()
    return Columns(table, file, label, _split_column(table))


def _file_column(table, names, choice):
    """Returns the table with its header, and the index of the column that names images, or None."""
    if table.columns is None:
        named = choice.file_column or choice.label_column
        body = table.with_header() if len(table.rows) > 1 or named else table.without_header()
        column = _naming_column(body, names, choice)
        has_header = column is None or not _names_image(body.columns[column], names)
        return (body, column) if has_header else (table.without_header(), column)
    return table, _naming_column(table, names, choice)


def _names_image(cell, names):
    return names.has(cell) and (names.is_exact(cell) or _plain(cell) not in FILE_COLUMNS)


def _naming_column(table, names, choice):
    """Returns the index of the column that names images: the one with most names, or the one that the caller named."""
    if choice.file_column:
        column = _index(table, choice.file_column, "file_column", required=bool(choice.label_file))
        if column is not None and not any(names.has(row[column]) for row in table.rows if column < len(row)):
            raise UserError(
                f"no cell of the column {choice.file_column!r} of {table.path!r} names an image, such as "
                f"{table.rows[0][column]!r}: check file_column and the paths"
            )
        return column
    scores = [_score(table, names, column) for column in range(len(table.columns))]
    best = max(range(len(scores)), key=scores.__getitem__)
    if any(scores[best][:1] + scores[best][2:]):
        return best
    header = {_plain(name) for name in table.columns}
    if choice.label_file or (header & {*FILE_COLUMNS} and header & {*LABEL_COLUMNS}):
        raise UserError(
            f"no column of {table.path!r} names an image of the folder, the first row is {short(table.rows[0])}: correct the "
            "paths, or set label_file to 'none' to use no table"
        )
    return None


def _score(table, names, column):
    """Returns the number of names with a suffix, whether the column is called like one of files, and the number of names."""
    name = _plain(table.columns[column])
    cells = [row[column] for row in table.rows[:_TRIED] if column < len(row)]
    exact = sum(map(names.is_exact, cells))
    if name in LABEL_COLUMNS:  # classes may be called 1 and 2, and images 1.png and 2.png
        return exact, False, 0
    return exact, name in FILE_COLUMNS, sum(map(names.has, cells))


def _label_column(table, file, choice):
    """Returns the index of the column with the labels, or None if there is none."""
    if choice.label_column:
        return _index(table, choice.label_column, "label_column", required=True)
    others = [column for column in range(len(table.columns)) if column != file]
    known = [column for column in others if _plain(table.columns[column]) in LABEL_COLUMNS]
    if len(known) > 1:
        listed = ", ".join(table.columns[column] for column in known)
        raise UserError(f"several columns of {table.path!r} may hold labels: set label_column to one of {listed}")
    if known:
        return known[0]
    if len(others) == 1 and _plain(table.columns[others[0]]) not in (*NO_LABELS, *SPLIT_COLUMNS):
        return others[0]
    if others:
        message = "%s names images, but which column holds labels is unknown: set label_column to one of %s, or use no labels"
        logging.getLogger("ganlib").warning(message, table.path, short([table.columns[column] for column in others]))
    return None


def _split_column(table):
    """Returns the index of the column that assigns splits, or None."""
    for column, name in enumerate(table.columns):
        values = dict.fromkeys(str(row[column]) for row in table.rows) if _plain(name) in SPLIT_COLUMNS else {}
        others = [value for value in values if not tree.split_of(value)]
        if others and len(others) < len(values):
            raise UserError(
                f"the column {name!r} of {table.path!r} has {others[0]!r} next to the names of splits: use train, validation "
                "and test, or rename the column"
            )
        if values and not others:
            return column
    return None


def _index(table, name, key, required):
    if name in table.columns:
        return table.columns.index(name)
    if not required:
        return None
    raise UserError(
        f"{table.path!r} has no column {name!r}: set {key} to one of {short(table.columns)}.{did_you_mean(name, table.columns)}"
    )


def _plain(name):
    """Returns the name of a column without case, spaces and hyphens."""
    return re.sub(r"[\s-]+", "_", str(name).strip().lower())


def short(values):
    """Returns values for the message of an error, with at most 80 characters."""
    text = ", ".join(map(str, values)) if isinstance(values, (list, tuple)) else str(values)
    return text if len(text) <= 80 else f"{text[:80]}..."
