"""Formats of image files: which files are images, which formats are read, and what a file's header says.

A file is an image by its content. Its name only matters where the content says nothing: a file that is named like an image but
cannot be read as one is damaged, and any other file without the content of an image is not an image.

Pillow decodes the formats of `FORMATS`. Formats that can run programs (EPS), that only describe images (WMF, SVG), and that
store measurements (FITS, HDF5) are not among them.
"""

import contextlib
import functools
import pathlib
from typing import NamedTuple

from PIL import ExifTags, Image

from ganlib.data import decoding, png
from ganlib.errors import UserError

FORMATS = (
    "PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA", "ICO", "ICNS", "PSD", "DDS", "QOI", "PCX",
    "SGI", "SUN", "DIB", "CUR", "DCX", "FLI", "MSP", "IM", "XBM", "XPM", "PCD", "PIXAR", "GBR", "XVTHUMB", "BLP", "FTEX",
)  # fmt: skip
"""Pillow's names of the formats that are read from folders and zip files, the most common ones first."""

COMMON = ("PNG", "JPEG", "BMP", "GIF")
"""The formats that are read from untrusted sources."""

UNREAD = (
    ".heic", ".heif", ".jxl", ".svg", ".svgz", ".eps", ".ai", ".wmf", ".emf", ".exr", ".hdr", ".fit", ".fits", ".xcf", ".psb",
    ".raw", ".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw", ".3fr", ".iiq",
)  # fmt: skip
"""The suffixes of images in formats that are not read. Pillow would read only the preview of a camera's raw image."""

_RENAMED = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
"""The formats that a file with a suffix of `UNREAD` may have nevertheless: some programs give images a wrong name."""

_OPTIONAL = (".webp", ".avif", ".jp2", ".j2k", ".jpx", ".qoi")
"""Suffixes of formats that some builds of Pillow lack."""

_TEXTS = (
    ".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".html", ".htm", ".log", ".py",
    ".ini", ".cfg", ".npy", ".npz", ".pdf", ".ps", ".mat", ".h5", ".pkl", ".parquet", ".xlsx", ".zip", ".tar", ".gz",
)  # fmt: skip
"""Suffixes of files that are images only if they have a signature. It takes less time not to try every format."""

_SIGNATURES = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"8BPS",
    b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"DDS ", b"qoif",
)  # fmt: skip
_SINGLE = ("MPO", "PSD", "ICO", "ICNS", "CUR")
"""Formats whose further frames are previews, layers or other sizes of the first."""


class Header(NamedTuple):
    """What the header of an image file says.

    Attributes:
        size: ``(width, height)`` in pixels, as stored, before the rotation by ``orientation``.
        mode: Pillow's mode, such as ``"RGB"``.
        format: The format, one of `FORMATS`.
        orientation: The orientation of EXIF or XMP, from 1 (upright) to 8.
        animated: Whether there is more than one frame or page.
        is_exact: Whether `ganlib.data.decoding` decodes the file to the same pixels as Pillow, up to rounding.
    """

    size: tuple[int, int]
    mode: str
    format: str
    orientation: int
    animated: bool
    is_exact: bool

    @property
    def upright_size(self):
        """``(width, height)`` after the rotation."""
        return self.size[::-1] if self.orientation >= 5 else self.size


_open = functools.partial(open, mode="rb")


@functools.cache
def readable():
    """Returns those of `FORMATS` that this build of Pillow reads."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@functools.cache
def suffixes():
    """Returns the suffixes of images, also of those in formats that are not read: a set of lower-case strings."""
    Image.init()
    known = {suffix for suffix, name in Image.EXTENSION.items() if name in (*FORMATS, "MPO")}
    return known | {*_OPTIONAL, *UNREAD}


def has_image_suffix(name):
    """Returns True if a file is named like an image.

    Args:
        name: The name or the path of the file.
    """
    return _suffix(name) in suffixes()


def is_image(file, name):
    """Returns True if a file is an image, damaged or not.

    Args:
        file: A binary file object.
        name: The name or the path of the file.
    """
    if has_image_suffix(name):
        return True
    beginning = file.read(16)
    if beginning.startswith(_SIGNATURES) or beginning[8:12] == b"WEBP" or beginning[4:11] == b"ftypavi":
        return True
    if not beginning or _suffix(name) in _TEXTS:
        return False
    file.seek(0)
    try:
        with Image.open(file, formats=readable()):
            return True
    except Exception:  # Pillow's plugins raise errors of many types
        return False


def header(path, open_file=_open):
    """Returns the `Header` of an image file.

    Args:
        path: The path.
        open_file: A function from a path to a binary file object. Defaults to Python's ``open``.

    Raises:
        UserError: If the file is not an image. The message names it.
    """
    with opened(path, open_file) as image:
        animated = image.format not in _SINGLE and getattr(image, "is_animated", False)
        name = "JPEG" if image.format == "MPO" else image.format  # the first image of an MPO file is a JPEG file
        orientation = _orientation(image)
        return Header(image.size, image.mode, name, orientation, animated, decoding.is_exact(image, name, orientation))


@contextlib.contextmanager
def opened(path, open_file=_open):
    """Yields the Pillow image of a file, whose pixels are read inside the block.

    Args:
        path: The path.
        open_file: A function from a path to a binary file object. Defaults to Python's ``open``.

    Raises:
        UserError: If the file is not an image, is corrupt or truncated, or the block refuses it. The message names it.
    """
    try:
        with open_file(path) as file, Image.open(file, formats=_RENAMED if _suffix(path) in UNREAD else readable()) as image:
            yield image
    except UserError as error:
        raise _skippable(path, error) from None
    except Exception as error:  # Pillow's plugins raise errors of many types
        raise _skippable(path, _reason(error, path)) from None


def _reason(error, path):
    """Describes the error of a file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return "a broken link"
    if not isinstance(error, Image.UnidentifiedImageError):
        return f"corrupt image ({error or type(error).__name__})"
    if _suffix(path) in UNREAD:
        return f"{_suffix(path)} files are not read: convert it to PNG or JPEG"
    return "not an image, or the image is damaged at its beginning"


def _skippable(path, reason):
    return UserError(f"{str(path)!r}: {reason}; remove it, or set skip_corrupt to skip such files")


def _orientation(image):
    """Returns the orientation, from 1 to 8. The pixels are decoded only if a PNG has its metadata behind them."""
    late = image.format == "PNG" and png.has_late_metadata(image.fp)
    exif = image.getexif() if late else Image.Image.getexif(image)
    orientation = exif.get(ExifTags.Base.Orientation, 1)
    return orientation if orientation in range(1, 9) else 1


def _suffix(name):
    return pathlib.PurePath(name).suffix.lower()
