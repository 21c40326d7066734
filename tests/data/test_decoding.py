"""Decoding in a graph gives the same pixels as Pillow, which training uses, for every kind of file."""

import functools
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganlib.data import decoding, folders

SIDE = 12
_rng = np.random.default_rng(0)
GREY, ALPHA = (_rng.integers(0, 256, (40, 56), np.uint8) for _ in range(2))
# A smooth image, so that the rounding differences between JPEG decoders stay small, with a different color in each corner.
HORIZONTAL, VERTICAL = np.meshgrid(np.linspace(0, 255, 56), np.linspace(0, 200, 40))
SMOOTH = np.stack([HORIZONTAL, VERTICAL, 255 - HORIZONTAL], axis=-1).astype(np.uint8)


def png(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, options.pop("format", "PNG"), **options)
    return buffer.getvalue()


def jpeg(orientation, order="big"):
    exif = Image.Exif()
    exif.endian = {"big": ">", "little": "<"}[order]
    exif[0x010F] = "a maker"
    exif[0x0112] = orientation
    return png(Image.fromarray(SMOOTH), format="JPEG", exif=exif, quality=95, subsampling=0)


def rgba():
    return Image.fromarray(np.dstack([SMOOTH, ALPHA]))


def palette(transparency=None):
    image = Image.fromarray(SMOOTH).quantize(16)
    return png(image, **({} if transparency is None else {"transparency": transparency}))


FILES = {
    "gray": lambda: png(Image.fromarray(GREY)),
    "RGB": lambda: png(Image.fromarray(SMOOTH)),
    "RGBA": lambda: png(rgba()),
    "LA": lambda: png(rgba().convert("LA")),
    "palette": palette,
    "palette with a transparent color": lambda: palette(3),
    "palette with alpha": lambda: palette(bytes(range(0, 256, 16))),
    "black and white": lambda: png(Image.fromarray(GREY).convert("1")),
    "16-bit gray": lambda: png(Image.fromarray(GREY.astype(np.uint16) * 200 + 77)),
    "BMP": lambda: png(Image.fromarray(SMOOTH), format="BMP"),
    "GIF": lambda: png(Image.fromarray(SMOOTH).quantize(16), format="GIF"),
    "JPEG": lambda: png(Image.fromarray(SMOOTH), format="JPEG", quality=95),
    "gray JPEG": lambda: png(Image.fromarray(SMOOTH).convert("L"), format="JPEG", quality=95),
    "EXIF 6, little-endian": lambda: jpeg(6, "little"),
} | {f"EXIF {orientation}": functools.partial(jpeg, orientation) for orientation in range(1, 9)}


@functools.cache
def in_graph(channels, background, fit="crop", size=(SIDE, SIDE)):
    return tf.function(lambda content: decoding.decoded(content, (*size, channels), background, fit), autograph=False)


@pytest.mark.parametrize(
    ("channels", "background", "fit"),
    [
        (3, "white", "crop"), (3, "#102030", "crop"), (1, "#102030", "crop"), (3, "#102030", "pad"), (1, "#102030", "pad"),
        (3, "white", "stretch"),
    ],
)  # fmt: skip
def test_graph_agrees_with_pillow(channels, background, fit):
    differences = {}
    for name, make_file in FILES.items():
        content = make_file()
        expected = folders.decoded(content, (SIDE, SIDE, channels), background=background, fit=fit).astype(int)
        result = in_graph(channels, background, fit)(tf.constant(content)).numpy()
        assert (result.shape, result.dtype) == ((SIDE, SIDE, channels), np.uint8)
        differences[name] = np.abs(result - expected).max()
    assert {name: value for name, value in differences.items() if value > 1} == {}


@pytest.mark.parametrize("size", [(8, 12), (12, 8), (7, 11), (3, 40), (40, 3)])
@pytest.mark.parametrize("name", ["RGB", "EXIF 6"])
def test_rectangles_are_the_same_crop_as_pillows(name, size):
    content = FILES[name]()
    expected = folders.decoded(content, (*size, 3)).astype(int)
    result = in_graph(3, "white", size=size)(tf.constant(content)).numpy()
    assert result.shape == (*size, 3)
    assert np.abs(result - expected).max() <= 1


@pytest.mark.parametrize("damage", ["cut in the tag", "offset beyond the end", "orientation 9", "no EXIF", "a PNG", "empty"])
def test_orientation_is_1_without_a_readable_tag(damage):
    content = jpeg(6)
    tiff = content.index(b"MM\x00*")
    content = {
        "cut in the tag": content[: tiff + 12],
        "offset beyond the end": content[: tiff + 4] + b"\x7f\xff\xff\xff" + content[tiff + 8 :],
        "orientation 9": jpeg(9),
        "no EXIF": FILES["JPEG"](),
        "a PNG": FILES["RGB"](),
        "empty": b"",
    }[damage]
    assert int(decoding.orientation(tf.constant(content))) == 1
