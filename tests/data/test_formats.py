import io

import numpy as np
import pytest
from PIL import Image

import ganlib
from ganlib import data
from ganlib.data import formats

SMOOTH = np.stack([np.add.outer(np.arange(16), np.arange(16)) * 8 + shift for shift in (0, 5, 9)], axis=-1).astype(np.uint8)

SUFFIXES = {
    "PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "GIF": ".gif", "BMP": ".bmp", "TIFF": ".tif", "AVIF": ".avif",
    "JPEG2000": ".jp2", "PPM": ".ppm", "TGA": ".tga", "ICO": ".ico", "ICNS": ".icns", "DDS": ".dds", "QOI": ".qoi",
    "PCX": ".pcx", "SGI": ".sgi", "DIB": ".dib", "IM": ".im",
}  # fmt: skip


def encoded(image, name, **arguments):
    content = io.BytesIO()
    image.save(content, name, **arguments)
    return content.getvalue()


def written(path, image, name="PNG", **arguments):
    path.write_bytes(encoded(image, name, **arguments))
    return path


@pytest.mark.parametrize("name", SUFFIXES)
def test_a_format_is_read_with_its_colors(tmp_path, name):
    written(tmp_path / f"a{SUFFIXES[name]}", Image.fromarray(SMOOTH), name)
    difference = data.open(f"folder:{tmp_path}", image_size=16).images[0].astype(int) - SMOOTH
    assert np.abs(difference).mean() < 6  # ICNS stores only larger sizes; GIF, JPEG, WebP and AVIF are lossy


@pytest.mark.parametrize("name", ["MSP", "XBM"])
def test_formats_of_single_bits_are_read(tmp_path, name):
    bits = Image.fromarray(np.eye(16, dtype=np.uint8) * 255).convert("1")
    written(tmp_path / f"a.{name.lower()}", bits, name)
    np.testing.assert_array_equal(data.open(f"folder:{tmp_path}").images[0, ..., 0], np.asarray(bits) * 255)


def test_the_content_decides_and_not_the_name(tmp_path):
    for name, suffix in (("JPEG", ".png"), ("PNG", ".jpg"), ("WEBP", ""), ("PNG", ".txt"), ("TGA", ".dat"), ("JPEG", ".heic")):
        written(tmp_path / f"{name}{suffix}", Image.fromarray(SMOOTH), name)
    assert data.open(f"folder:{tmp_path}").num_examples == 6


def test_a_header_has_the_size_mode_format_and_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(SMOOTH[:8])
    path = written(tmp_path / "a.jpg", image, "JPEG", exif=exif)
    header = formats.header(path)
    assert header == ((16, 8), "RGB", "JPEG", 6, False, True)
    assert header.upright_size == (8, 16)
    path = written(tmp_path / "b.png", image.convert("LA"))
    assert formats.header(path) == ((16, 8), "LA", "PNG", 1, False, True)


def test_the_common_size_is_that_of_upright_images(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    written(tmp_path / "a.png", Image.fromarray(SMOOTH[:8]), exif=exif)
    assert data.open(f"folder:{tmp_path}").image_shape == (16, 8, 3)


@pytest.mark.parametrize(("name", "suffix"), [("GIF", "gif"), ("WEBP", "webp"), ("TIFF", "tif"), ("PNG", "png")])
def test_the_first_of_several_frames_is_used_and_the_files_are_counted(tmp_path, caplog, name, suffix):
    first, second = (Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (200, 20))
    written(tmp_path / f"a.{suffix}", first, name, save_all=True, append_images=[second])
    written(tmp_path / f"b.{suffix}", first, name)
    np.testing.assert_allclose(data.open(f"folder:{tmp_path}").images, 200, atol=3)
    (record,) = caplog.records
    assert record.getMessage().startswith("only the first frame or page is used of 1 files that have several, the first: ")


def test_the_preview_in_a_photo_is_not_a_second_frame(tmp_path, caplog):
    first, second = (Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (200, 20))
    path = written(tmp_path / "a.jpg", first, "MPO", save_all=True, append_images=[second])
    np.testing.assert_allclose(data.open(f"folder:{tmp_path}").images, 200, atol=3)
    assert formats.header(path).format == "JPEG"
    assert not caplog.records


def test_files_that_can_run_programs_are_not_opened(tmp_path):
    written(tmp_path / "a.eps", Image.fromarray(SMOOTH), "EPS")
    written(tmp_path / "b.jpg", Image.fromarray(SMOOTH), "EPS")
    for name, reason in (("a.eps", ".eps files are not read: convert it to PNG or JPEG"), ("b.jpg", "not an image, or")):
        with pytest.raises(ganlib.UserError, match=reason):
            formats.header(tmp_path / name)


def test_the_preview_of_a_raw_image_is_not_used(tmp_path):
    written(tmp_path / "a.nef", Image.fromarray(SMOOTH), "TIFF")
    with pytest.raises(ganlib.UserError, match="a.nef': .nef files are not read: convert it to PNG or JPEG"):
        data.open(f"folder:{tmp_path}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SUFFIXES)
def test_damaged_files_are_refused_with_one_line(tmp_path, name):
    content = encoded(Image.fromarray(SMOOTH), name)
    random, lines = np.random.default_rng(0), set()
    for trial in range(30):
        damaged = bytearray(content[: random.integers(len(content))] if trial % 2 else content)
        for place in random.integers(len(damaged), size=min(len(damaged), 4)):
            damaged[place] = random.integers(256)
        path = tmp_path / f"a{SUFFIXES[name]}"
        path.write_bytes(damaged)
        try:
            with formats.opened(path) as image:
                image.load()
        except ganlib.UserError as error:  # some damage goes unnoticed
            lines.add(str(error))
    assert lines
    assert all(line.startswith(repr(str(path))) and "\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"", "a.jpg", True), (b"<html>", "a.JPG", True), (b"\xff\xd8\xff\xe0", "a.txt", True),
        (b"\x89PNG\r\n\x1a\n", "a", True),
        (b"", "a.txt", False), (b"", "a", False), (b"MIT License", "LICENSE", False), (b"P5 is a format", "a.md", False),
        (b"BMW and others", "a.doc", False), (b"", "a.svg", True),
    ],
)  # fmt: skip
def test_damaged_images_are_images_and_texts_are_not(content, name, expected):
    assert formats.is_image(io.BytesIO(content), name) == expected


def test_an_empty_file_that_is_named_like_an_image_is_damaged(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ganlib.UserError, match="a.jpg': not an image, or the image is damaged at its beginning"):
        data.open(f"folder:{tmp_path}")
