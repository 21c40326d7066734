import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ganlib import data
from ganlib.data import formats, png


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def upside_down(pixels, late):
    """Returns the content of a PNG file that is rotated by its metadata, before or after its pixels."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    exif = Image.Exif()
    exif[0x0112] = 3
    place = content.getvalue().index(b"IEND" if late else b"IDAT") - 4
    return content.getvalue()[:place] + chunk(b"eXIf", exif.tobytes()[6:]) + content.getvalue()[place:]


@pytest.mark.parametrize("late", [False, True])
def test_the_orientation_is_found_before_and_after_the_pixels(tmp_path, late):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(upside_down(pixels, late))
    assert png.has_late_metadata(io.BytesIO(upside_down(pixels, late))) == late
    assert formats.header(tmp_path / "a.png").orientation == 3
    np.testing.assert_array_equal(data.open(f"folder:{tmp_path}").images[0], pixels[::-1, ::-1])


def test_a_truncated_file_has_no_late_metadata():
    file = io.BytesIO(upside_down(np.zeros((8, 8, 3), np.uint8), False)[:60])
    file.seek(5)
    assert not png.has_late_metadata(file)
    assert file.tell() == 5
