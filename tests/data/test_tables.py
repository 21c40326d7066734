import pytest

import ganlib
from ganlib.data import tables


def rows(content, path="a.csv"):
    content = content.encode() if isinstance(content, str) else content
    table = tables.parsed(content, path)
    return table and table.rows


@pytest.mark.parametrize(
    "content",
    [
        "file,label\n1.png,cat\n", "file;label\r\n1.png;cat\r\n", "file\tlabel\n1.png\tcat", "file|label\n1.png|cat",
        '"file","label"\n"1.png","cat"',
        "file, label\n1.png, cat", "\n\nfile,label\n,\n1.png,cat\n\n", "file,label,\n1.png,cat,",
        "file label\n1.png cat",
    ],
)  # fmt: skip
def test_common_separators_quotes_and_empty_lines(content):
    assert rows(content) == [("file", "label"), ("1.png", "cat")]


def test_a_cell_may_contain_the_separator_and_line_breaks():
    assert rows('a,b\n"x,y","1\n2"') == [("a", "b"), ("x,y", "1\n2")]
    assert rows("a;b\nx,y;1,5\nz,w;2,5") == [("a", "b"), ("x,y", "1,5"), ("z,w", "2,5")]


def test_names_with_spaces_in_a_table_without_separators():
    assert rows("my photo.png cat\nb.png dog", "a.txt") == [("my photo.png", "cat"), ("b.png", "dog")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding):
    assert rows("file,label\n1.png,caf\u00e9".encode(encoding))[1] == ("1.png", "caf\u00e9")


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ('{"labels": [["1.png", 3], ["2.png", null]]}', "dataset.json"),
        ('{"1.png": 3, "2.png": null}', "a.json"),
        ('[{"file": "1.png", "label": 3}, {"file": "2.png"}]', "a.json"),
        ('{"file": "1.png", "label": 3}\n\n{"file": "2.png", "label": null}\n', "a.jsonl"),
    ],
)
def test_json(content, path):
    table = tables.parsed(content.encode(), path)
    assert table.columns in [("file", "label"), ("key", "value")]
    assert (table.rows, table.lines) == ([("1.png", 3), ("2.png", None)], [1, 2])


def test_stylegans_file_without_labels_has_no_rows():
    assert rows('{"labels": null}', "dataset.json") == []


@pytest.mark.parametrize(
    ("content", "path"),
    [("", "a.csv"), ("{", "a.json"), ("3", "a.json"), ("{}", "a.json"), ('{"a": {"b": 1}}', "a.json"), ("[1]", "a.json"),
     ("[" * 100_000, "a.json"), ('{"labels": [1]}{', "a.jsonl"), (b"a\0b,c", "a.csv")],
)  # fmt: skip
def test_other_files_are_no_tables(content, path):
    assert rows(content, path) is None


def test_rows_of_another_width_are_refused_with_their_line():
    table = tables.parsed(b"file,label\n1.png,cat\n\n2.png,cat,black\n", "a.csv").with_header()
    with pytest.raises(ganlib.UserError, match="line 4 of 'a.csv' has 3 columns instead of 2: put cells that contain"):
        table.check_widths()
    tables.parsed(b"file,label\n1.png,cat\n", "a.csv").with_header().check_widths()


def test_columns_without_a_header_have_numbers():
    table = tables.parsed(b"1.png,cat\n2.png,dog", "a.csv").without_header()
    assert (table.columns, len(table.rows)) == (("1", "2"), 2)
