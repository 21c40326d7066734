import pytest

from ganlib.data import table_columns, tables
from ganlib.data.table_columns import Choice
from ganlib.data.table_files import Names

NAMES = Names(["1.png", "2.png", "3.png"])


def found(content, **choice):
    """Returns ``(file, label, split, number of rows)`` of the columns of a table, or None."""
    columns = table_columns.find(tables.parsed(content.encode(), "a.csv"), NAMES, Choice(**choice))
    return columns and (columns.file, columns.label, columns.split, len(columns.table.rows))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("file,label\n1.png,cat\n2.png,dog", (0, 1, None, 2)),
        ("label,file\ncat,1.png\ndog,2.png", (1, 0, None, 2)),
        ("1.png,cat\n2.png,dog", (0, 1, None, 2)),
        ("1.png,cat", (0, 1, None, 1)),
        ("id,label\n1,2\n2,3", (0, 1, None, 2)),  # the labels may name images, too
        ("label,id\n2,1\n3,2", (1, 0, None, 2)),
        ("number,file,label\n1,2.png,cat\n2,1.png,dog", (1, 2, None, 2)),  # names with a suffix decide
        ("file,label,split\n1.png,cat,train\n2.png,dog,val", (0, 1, 2, 2)),
        ("file,label,set\n1.png,cat,A\n2.png,dog,B", (0, 1, None, 2)),
        ("file,kind\n1.png,cat\n2.png,dog", (0, 1, None, 2)),
        ("file,caption\n1.png,cat\n2.png,dog", None),
        ("file,a,b\n1.png,cat,5\n2.png,dog,6", None),
        ("file\n1.png\n2.png", None),
        ("name,hex\nred,ff0000\nblue,0000ff", None),
    ],
)
def test_columns_are_found(content, expected):
    assert found(content) == expected


def test_a_header_that_is_the_stem_of_an_image_is_a_header():
    names = Names(["image.png", "1.png"])
    columns = table_columns.find(tables.parsed(b"image,label\n1.png,cat", "a.csv"), names, Choice())
    assert len(columns.table.rows) == 1


def test_columns_are_named():
    content = "a,b,c,d\n1.png,2.png,cat,x\n2.png,3.png,dog,y"
    assert found(content, label_column="c") == (0, 2, None, 2)
    assert found(content, file_column="b", label_column="d") == (1, 3, None, 2)
