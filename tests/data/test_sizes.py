import numpy as np
import pytest

import ganlib
from ganlib.data import sizes


@pytest.mark.parametrize(
    ("image_size", "expected"),
    [
        (None, None), (64, (64, 64)), (np.int64(64), (64, 64)), ("64", (64, 64)), ((64, 96), (64, 96)), ([64, 96], (64, 96)),
        ("64x96", (64, 96)), (" 64 x 96 ", (64, 96)), ("64,96", (64, 96)), ("(64, 96)", (64, 96)), ("[64, 96]", (64, 96)),
    ],
)  # fmt: skip
def test_parsed(image_size, expected):
    assert sizes.parsed(image_size) == expected


@pytest.mark.parametrize(
    "image_size",
    [0, -4, 8.0, True, (8, 0), (8, 8, 1), (), (8, "8"), (8, True), {}, "", "0",
     "-8", "64x", "x64", "64x96x3", "64*96", "6_4", "(64,)", "big"],
)  # fmt: skip
def test_invalid_sizes_are_rejected_in_one_line(image_size):
    with pytest.raises(ganlib.UserError, match="image_size must be one positive integer, or a height and a width") as error:
        sizes.parsed(image_size)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(f"got {image_size!r}")


def test_the_simplest_form_and_the_text_can_be_parsed():
    for size, simplest, text in (((8, 8), 8, "8"), ((8, 12), (8, 12), "8x12")):
        assert sizes.simplest(size) == simplest
        assert sizes.text(size) == text
        assert sizes.parsed(simplest) == sizes.parsed(text) == size
