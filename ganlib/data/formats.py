"""Formats of image files: which are read, and what a file's header says."""

import contextlib
from typing import NamedTuple

from PIL import Image

from ganlib.errors import UserError

FORMATS = ("PNG", "JPEG", "BMP", "GIF")


class Header(NamedTuple):
    """What the header of an image file says.

    Attributes:
        size: ``(width, height)`` in pixels, as stored.
        mode: Pillow's mode, such as ``"RGB"``.
    """

    size: tuple[int, int]
    mode: str


def header(path):
    """Returns the `Header` of an image file.

    Args:
        path: The file.

    Raises:
        UserError: If the file is not an image. The message names it.
    """
    with opened(path) as image:
        return Header(image.size, image.mode)


@contextlib.contextmanager
def opened(path):
    """Yields the Pillow image of a file, whose pixels are read inside the block.

    Args:
        path: The file.

    Raises:
        UserError: If the file is not an image, corrupt or truncated. The message names it.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            yield image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path, error):
    reason = "not a PNG, JPEG, BMP or GIF image" if "cannot identify" in str(error) else f"corrupt image ({error})"
    if isinstance(error, FileNotFoundError):
        reason = "a broken link"
    return UserError(f"{str(path)!r}: {reason}; remove it, or set skip_corrupt to skip such files")
