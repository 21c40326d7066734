import pytest

import ganlib
from ganlib.data.table_files import Names

IMAGES = ["cat/1.png", "cat/caf\u00e9.png", "dog/1.png", "dog/sub/2.v1.jpg", "only.png"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("cat/1.png", "cat/1.png"), ("./cat/1.png", "cat/1.png"), ("cat\\1.png", "cat/1.png"), ("2.v1.jpg", "dog/sub/2.v1.jpg"),
        ("2.v1", "dog/sub/2.v1.jpg"), ("sub/2.v1.jpg", "dog/sub/2.v1.jpg"), ("dog/1", "dog/1.png"), ("only", "only.png"),
        ("/home/me/data/cat/1.png", "cat/1.png"), ("C:\\data\\cat\\1.png", "cat/1.png"),
        ("cafe\u0301.png", "cat/caf\u00e9.png"),
        ("fox/2.v1.jpg", None), ("3.png", None), ("", None), (None, None), (["only.png"], None), ("cat", None),
    ],
)  # fmt: skip
def test_a_cell_names_an_image(cell, expected):
    assert Names(IMAGES).find(cell, "a.csv") == expected


def test_an_ambiguous_cell_is_refused():
    with pytest.raises(ganlib.UserError, match="'1.png' in 'a.csv' may be 'cat/1.png' or 'dog/1.png': write the path relative"):
        Names(IMAGES).find("1.png", "a.csv")
    assert Names(IMAGES).has("1.png")


def test_only_images_below_the_folder_of_the_table_are_found():
    names = Names(IMAGES, "dog")
    assert names.find("1.png", "a.csv") == "dog/1.png"
    assert names.find("dog/1.png", "a.csv") == "dog/1.png"
    assert names.find("cat/1.png", "a.csv") is None


def test_an_integer_names_an_image_without_its_suffix():
    assert Names(["17.png"]).find(17, "a.csv") == "17.png"


def test_names_with_a_suffix_are_exact():
    names = Names(IMAGES)
    assert [names.is_exact(cell) for cell in ("only.png", "x/only.png", "fox/1.png", "only", 3, None)] == [True, True] + 4 * [
        False
    ]
