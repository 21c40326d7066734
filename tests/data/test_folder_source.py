"""Folders that are larger than memory are decoded in TensorFlow to the same pixels as Pillow decodes them."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganlib
from ganlib import data
from ganlib.data import source as source_module


def waves(width, height, channels, seed=0):
    y, x = np.mgrid[:height, :width]
    bands = [127 + 120 * np.sin((x + seed * y) / (4 + k)) * np.cos(y / (5 + k)) for k in range(channels)]
    return np.stack(bands, axis=-1).astype(np.uint8)


def oriented(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


FILES = {
    "rgb.jpg": lambda path: Image.fromarray(waves(40, 30, 3)).save(path),
    "progressive.jpg": lambda path: Image.fromarray(waves(40, 30, 3)).save(path, progressive=True, subsampling=2),
    "gray.jpg": lambda path: Image.fromarray(waves(40, 30, 1)[..., 0]).save(path),
    **{f"turned{k}.jpg": lambda path, k=k: Image.fromarray(waves(40, 30, 3)).save(path, exif=oriented(k)) for k in range(2, 9)},
    "invalid_orientation.jpg": lambda path: Image.fromarray(waves(40, 30, 3)).save(path, exif=oriented(0)),
    "jpeg_named.png": lambda path: Image.fromarray(waves(40, 30, 3)).save(path, format="JPEG"),
    "rgb.png": lambda path: Image.fromarray(waves(30, 40, 3)).save(path),
    "rgba.png": lambda path: Image.fromarray(waves(30, 40, 4)).save(path),
    "gray_alpha.png": lambda path: Image.fromarray(waves(30, 40, 2), "LA").save(path),
    "palette.png": lambda path: Image.fromarray(waves(30, 40, 3)).convert("P").save(path),
    "rgb.webp": lambda path: Image.fromarray(waves(30, 40, 3)).save(path),
    "rgba.webp": lambda path: Image.fromarray(waves(30, 40, 4)).save(path, lossless=True),
    "opaque.gif": lambda path: Image.fromarray(waves(30, 40, 3)).convert("P").save(path),
    "rgb.bmp": lambda path: Image.fromarray(waves(30, 40, 3)).save(path),
    "32_bit.bmp": lambda path: save_bmp(path, bits=32),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_file_has_pillows_pixels(tmp_path, monkeypatch, name, channels):
    FILES[name](tmp_path / name)
    if channels == 3:
        Image.fromarray(waves(30, 30, 3)).save(tmp_path / "other.png")  # makes a folder of gray images one of color
    in_memory = data.open(f"folder:{tmp_path}", image_size=24)
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    on_demand = data.open(f"folder:{tmp_path}", image_size=24)
    indices = np.arange(in_memory.num_examples)
    difference = on_demand.pick(indices).astype(int) - in_memory.images
    assert on_demand.images is None
    assert np.abs(difference).max() <= 1  # rounding


def save_palette(path, **arguments):
    image = Image.fromarray(waves(24, 24, 1)[..., 0] // 32, "P")
    image.putpalette(np.random.default_rng(0).integers(0, 256, 24, np.uint8).tobytes())
    image.save(path, **arguments)


def save_bmp(path, header=b"", bits=24, masks=(), after=b""):
    """Writes a BMP file of another kind than Pillow writes: the fields of the header, its bits per pixel and its masks."""
    pixels = np.random.default_rng(0).integers(0, 256, 24 * 24 * bits // 8, np.uint8).tobytes()
    compression = 3 if masks else 0
    info = header or struct.pack("<IiiHHIIiiII", 108 if masks else 40, 24, 24, 1, bits, compression, len(pixels), 0, 0, 0, 0)
    info += struct.pack(f"<{len(masks)}I52x", *masks) if masks else b""
    start = 14 + len(info)
    path.write_bytes(struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + info + pixels + after)


OTHER_FILES = {
    "red_first.bmp": lambda path: save_bmp(path, bits=32, masks=(0xFF000000, 0xFF0000, 0xFF00, 0)),
    "16_bit.bmp": lambda path: save_bmp(path, bits=16),
    "os2.bmp": lambda path: save_bmp(path, header=struct.pack("<IHHHH", 12, 24, 24, 1, 24)),
    "padded.bmp": lambda path: save_bmp(path, after=b"\0\0"),
    "cmyk.jpg": lambda path: Image.fromarray(waves(24, 24, 3)).convert("CMYK").save(path),
    "transparent.gif": lambda path: save_palette(path, transparency=3),
    "palette.bmp": save_palette,
    "key.png": lambda path: Image.fromarray(waves(24, 24, 3)).save(path, transparency=(1, 2, 3)),
    "turned.png": lambda path: Image.fromarray(waves(24, 24, 3)).save(path, exif=oriented(6)),
    "16_bit.png": lambda path: Image.fromarray(waves(24, 24, 1)[..., 0].astype(np.uint16) * 257).save(path),
    "animated.webp": lambda path: Image.fromarray(waves(24, 24, 3)).save(
        path, save_all=True, append_images=[Image.fromarray(waves(24, 24, 3, 1))]
    ),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_files_that_tensorflow_decodes_otherwise_are_refused(tmp_path, monkeypatch, name):
    OTHER_FILES[name](tmp_path / name)
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    with pytest.raises(ganlib.UserError, match=rf"1 of its 1 images, such as '.*{name}', have a format that is not decoded"):
        data.open(f"folder:{tmp_path}")


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_truncated_file_is_named_when_it_is_read(tmp_path, monkeypatch, ending):
    for index in range(4):
        Image.fromarray(waves(24, 24, 3, index)).save(tmp_path / f"{index}.{ending}")
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    source = data.open(f"folder:{tmp_path}")
    path = tmp_path / f"2.{ending}"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(tf.errors.OpError, match=rf"UserError: '.*2\.{ending}': corrupt image"):
        list(data.batches(source, 4).take(1))


def test_a_jpeg_with_data_after_its_end_is_read(tmp_path, monkeypatch):
    Image.fromarray(waves(24, 24, 3)).save(tmp_path / "0.jpg")
    in_memory = data.open(f"folder:{tmp_path}")
    with (tmp_path / "0.jpg").open("ab") as file:
        file.write(b"SEFT of a camera")
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    np.testing.assert_array_equal(data.open(f"folder:{tmp_path}").pick([0]), in_memory.images)
