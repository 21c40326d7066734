import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

import ganlib
from ganlib import data
from ganlib.data import pixels
from tests.data.test_png import chunk


def of(image, channels=3, background="white"):
    return pixels.to_array(image, channels, background)


def from_file(array, name):
    content = io.BytesIO()
    Image.fromarray(array).save(content, name)
    return of(Image.open(content), 1)[..., 0]


@pytest.mark.parametrize("name", ["PNG", "TIFF", "PPM", "JPEG2000"])
def test_16_bits_are_scaled_by_65535(name):
    values = np.array([[0, 128, 129, 32768, 65278, 65535]] * 4, np.uint16)
    assert from_file(values, name)[0].tolist() == [0, 0, 1, 128, 254, 255]


def test_32_bit_integers_are_scaled_as_16_bits():
    assert from_file(np.array([[0, 257, 65535]], np.int32), "TIFF").tolist() == [[0, 1, 255]]


def test_big_endian_16_bits_are_read(tmp_path):
    values = np.array([[0, 257], [514, 65535]], ">u2")
    assert of(Image.frombytes("I;16B", (2, 2), values.tobytes()), 1)[..., 0].tolist() == [[0, 1], [2, 255]]


@pytest.mark.parametrize("name", ["TIFF", "PPM"])
def test_floats_are_scaled_by_1(name):
    assert from_file(np.array([[0, 0.1, 0.5, 1]], np.float32), name).tolist() == [[0, 26, 128, 255]]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[0, 70000]], np.int32), "integers from 0 to 70000, not from 0 to 65535: scale its values"),
        (np.array([[-1, 5]], np.int32), "integers from -1 to 5"),
        (np.array([[0, 255]], np.float32), "floats from 0 to 255, not from 0 to 1"),
        (np.array([[0, np.nan]], np.float32), "floats from nan to nan"),
    ],
)
def test_other_values_are_refused_with_the_name_of_the_file(tmp_path, array, message):
    Image.fromarray(array).save(tmp_path / "a.tif")
    Image.new("F", (2, 1), 0.5).save(tmp_path / "b.tif")
    with pytest.raises(ganlib.UserError, match=f"a.tif': {message}.*skip_corrupt"):
        data.open(f"folder:{tmp_path}", image_size=4)
    source = data.open(f"folder:{tmp_path}", image_size=4, skip_corrupt=True)
    assert source.image_shape == (4, 4, 1)
    assert (source.images == 128).all()


@pytest.mark.parametrize("name", ["PNG", "PPM"])
def test_color_of_16_bits_keeps_its_upper_bits(name):
    values = np.array([0, 0x80FF, 0xFFFF], ">u2").tobytes()
    if name == "PPM":
        content = b"P6 1 1 65535\n" + values
    else:
        header = chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 16, 2, 0, 0, 0]))
        content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" + values)) + chunk(b"IEND", b"")
    assert of(Image.open(io.BytesIO(content)))[0, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("YCbCr", (76, 85, 255), (254, 0, 0)),
        ("HSV", (85, 255, 255), (0, 255, 0)),
        ("LAB", (138, 209, 198), (254, 0, 0)),
        ("LAB", (255, 128, 128), (255, 255, 255)),
        ("1", 1, (255, 255, 255)),
        ("LA", (10, 255), (10, 10, 10)),
        ("LA", (10, 0), (255, 255, 255)),
        ("La", (0, 0), (255, 255, 255)),
        ("RGBa", (0, 0, 0, 0), (255, 255, 255)),
        ("RGBX", (1, 2, 3, 0), (1, 2, 3)),
    ],
)
def test_modes_become_rgb(mode, color, expected):
    np.testing.assert_allclose(of(Image.new(mode, (2, 2), color))[0, 0], expected, atol=6 if mode == "LAB" else 1)


def test_lab_of_a_tiff_file():
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    expected = np.random.default_rng(0).integers(60, 190, (4, 4, 3), np.uint8)
    lab = ImageCms.applyTransform(Image.fromarray(expected), ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    content = io.BytesIO()
    lab.save(content, "TIFF")
    np.testing.assert_allclose(of(Image.open(content)), expected, atol=4)


def test_a_transparent_value_of_16_bits_shows_the_background():
    content = io.BytesIO()
    Image.fromarray(np.array([[300, 65535]], np.uint16)).save(content, "PNG", transparency=300)
    assert of(Image.open(content), 3, "#102030").tolist() == [[[16, 32, 48], [255, 255, 255]]]


def test_a_palette_with_partial_transparency_is_blended():
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 0, 200, 0])
    image.putpixel((1, 0), 1)
    content = io.BytesIO()
    image.save(content, "PNG", transparency=bytes([0, 128]))
    assert of(Image.open(content), 3, "black").tolist() == [[[0, 0, 0], [0, 100, 0]]]
