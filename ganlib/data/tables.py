"""Reads tables: CSV files with any common separator and encoding, JSON and JSON Lines.

A table of JSON is a list of objects, one object from names to values, or ``{"labels": [[name, value], ...]}``, as StyleGAN's
``dataset.json``.
"""

import codecs
import csv
import dataclasses
import io
import itertools
import json
import pathlib

from ganlib.errors import UserError

SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl")
SEPARATORS = ("\t", ";", ",", "|")
_TRIED = 100
"""The number of rows from which the separator is found."""


@dataclasses.dataclass(frozen=True)
class Table:
    """The rows of a table.

    Attributes:
        path: The path of its file.
        columns: The names of the columns, or None if it is not known whether the first row has them.
        rows: The cells of each row, a list of tuples. Cells of CSV files are stripped strings; those of JSON may have any type.
        lines: The number of the line or the entry of each row.
    """

    path: str
    columns: tuple[str, ...] | None
    rows: list
    lines: list

    def with_header(self):
        """Returns the table whose first row has the names of the columns."""
        columns = tuple(str(name) for name in self.rows[0])
        return Table(self.path, columns, self.rows[1:], self.lines[1:])

    def without_header(self):
        """Returns the table whose columns are named by their numbers, from 1."""
        return Table(self.path, tuple(str(number + 1) for number in range(len(self.rows[0]))), self.rows, self.lines)

    def check_widths(self):
        """Raises a `UserError` if a row has more or fewer cells than there are columns."""
        for row, line in zip(self.rows, self.lines, strict=True):
            if len(row) != len(self.columns):
                raise UserError(
                    f"line {line} of {self.path!r} has {len(row)} columns instead of {len(self.columns)}: put cells that "
                    "contain the separator between double quotes"
                )


def parsed(content, path):
    """Reads a table.

    Args:
        content: The bytes of the file.
        path: The path. Its suffix tells JSON and JSON Lines from the other tables.

    Returns:
        A `Table`, or None if the file is empty or does not contain a table.
    """
    suffix = pathlib.PurePath(path).suffix.lower()
    text = _text(content)
    try:
        if suffix == ".json":
            return _of_json(json.loads(text), path)
        if suffix == ".jsonl":
            return _of_json([json.loads(line) for line in text.splitlines() if line.strip()], path)
        return _of_csv(text, path)
    except (ValueError, RecursionError, csv.Error):
        return None


def _text(content):
    """Decodes UTF-8, or UTF-16 with a byte order mark. What is neither is taken for the encoding of Western Windows."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if content.startswith(codecs.BOM_UTF8):
        return content.decode("utf-8-sig", errors="surrogateescape")  # names of files may not be UTF-8
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _of_csv(text, path):
    if "\0" in text:
        return None
    separator = max(SEPARATORS, key=lambda separator: _regularity(text, separator))
    if _regularity(text, separator):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
        numbered = [([cell.strip() for cell in row], reader.line_num) for row in reader]
    else:  # the last word of each line is a column of its own
        numbered = [(line.rsplit(None, 1), number) for number, line in enumerate(text.splitlines(), 1)]
    numbered = [(row, line) for row, line in numbered if any(row)]
    if not numbered:
        return None
    width = len(numbered[0][0])
    while numbered[0][0][width - 1] == "":  # a separator at the end of the line
        width -= 1
    rows = [tuple(row[:width] if not any(row[width:]) else row) for row, _ in numbered]
    return Table(str(path), None, rows, [line for _, line in numbered])


def _regularity(text, separator):
    """Returns the fraction of rows that have as many columns as the first row. It is 0 if the first row has one column."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    widths = [len(row) for row in itertools.islice(rows, _TRIED) if any(row)]
    return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0


def _of_json(value, path):
    if isinstance(value, dict) and "labels" in value:
        value = value["labels"]
        if value is None:  # StyleGAN writes this for images without labels
            return Table(str(path), ("file", "label"), [], [])
        if isinstance(value, list) and all(isinstance(row, list) and len(row) == 2 for row in value):
            return Table(str(path), ("file", "label"), [tuple(row) for row in value], list(range(1, len(value) + 1)))
    if isinstance(value, dict) and value and not any(isinstance(cell, dict) for cell in value.values()):
        return Table(str(path), ("key", "value"), list(value.items()), list(range(1, len(value) + 1)))
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        columns = tuple(dict.fromkeys(name for row in value for name in row))
        rows = [tuple(row.get(name) for name in columns) for row in value]
        return Table(str(path), columns, rows, list(range(1, len(value) + 1)))
    return None
