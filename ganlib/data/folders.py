"""Loads a folder of image files as uint8 arrays of one size.

Each image is opened by `ganlib.data.formats`, converted to 8 bits by `ganlib.data.pixels`, and given its size by
`ganlib.data.fitting`. Only the first frame of an animation or page of a document is used.
"""

import io
import pathlib

import numpy as np
from PIL import Image

from ganlib.data import formats
from ganlib.data.fitting import fit_array
from ganlib.data.listing import Listing, scan
from ganlib.data.parallel import attempt_files, map_files
from ganlib.data.pixels import to_array
from ganlib.errors import UserError

__all__ = ["Listing", "blocks", "check_all", "decoded", "fit_array", "load_all", "load_image", "pictures", "scan"]


def load_image(path, listing):
    """Loads the image at ``path`` as ``(image_size, image_size, channels)`` uint8.

    Raises:
        UserError: If the file is corrupt or truncated. The message names it.
    """
    with formats.opened(path, listing.storage.open_verified) as image:
        pixels = to_array(image, listing.channels, listing.background)
        return fit_array(pixels, listing.image_size, listing.fit, listing.background)


def load_all(listing):
    """Loads every image of ``listing``.

    Returns:
        ``(listing, images)``: the listing of the readable images, and ``(n, height, width, channels)`` uint8.
    """
    images, good = map_files(lambda path: load_image(path, listing), listing.paths, listing.skip_corrupt)
    return listing.only(good), np.stack(images)


def blocks(listing, size=256):
    """Loads the images of ``listing`` block by block, so that only one block is in memory.

    Args:
        listing: A `Listing`.
        size: The number of images in a block. Defaults to 256.

    Yields:
        ``(paths, images, errors)``: the relative paths of the readable images of a block, ``(n, height, width, channels)``
        uint8, and a list of a `UserError` for each other image.
    """
    relative = listing.relative_paths
    for start in range(0, len(relative), size):
        paths = listing.paths[start : start + size]
        images, good, errors = attempt_files(lambda path: load_image(path, listing), paths)
        shape = (-1, *listing.image_size, listing.channels)
        yield [relative[start + i] for i in good], np.array(images, np.uint8).reshape(shape), errors


def pictures(path, image_shape, background="white", fit="crop"):
    """Loads an image file, or all images of a folder, in the shape of a model's images: ``(n, *image_shape)`` uint8.

    Args:
        path: A file, a folder or a zip file.
        image_shape: ``(height, width, channels)``.
        background: The color behind transparent pixels, and of the borders of ``"pad"``. Defaults to ``"white"``.
        fit: ``"crop"``, ``"pad"`` or ``"stretch"``: see `ganlib.data.fitting`. Defaults to ``"crop"``.

    Raises:
        UserError: If the path does not exist or cannot be read.
    """
    *size, channels = image_shape
    if not pathlib.Path(path).exists():
        raise UserError(f"no image or folder at {str(path)!r}: check the path")
    if pathlib.Path(path).is_file() and pathlib.Path(path).suffix.lower() != ".zip":
        with formats.opened(path) as image:
            return fit_array(to_array(image, channels, background), size, fit, background)[None]
    return load_all(scan(path, None, tuple(size), background=background, fit=fit).with_channels(channels))[1]


def decoded(content, image_shape, max_pixels=16_000_000, background="white", fit="crop"):
    """Decodes the contents of an image file to the shape of a model's images: ``image_shape`` uint8.

    Args:
        content: Bytes, possibly from an untrusted source.
        image_shape: ``(height, width, channels)``.
        max_pixels: The maximum number of pixels; larger images are rejected before they are decompressed. Defaults to
            16_000_000.
        background: The color behind transparent pixels, and of the borders of ``"pad"``. Defaults to ``"white"``.
        fit: ``"crop"``, ``"pad"`` or ``"stretch"``: see `ganlib.data.fitting`. Defaults to ``"crop"``.

    Raises:
        UserError: If the content is not an image, is truncated, or is too large.
    """
    *size, channels = image_shape
    try:
        with Image.open(io.BytesIO(content), formats=formats.COMMON) as image:
            if image.width * image.height > max_pixels:
                raise UserError(
                    f"an image of {image.width}x{image.height} is too large: send one of at most {max_pixels} pixels"
                )
            return fit_array(to_array(image, channels, background), size, fit, background)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = "it is not a PNG, JPEG, BMP or GIF file" if "cannot identify" in str(error) else str(error)
        raise UserError(f"the image cannot be read: {reason}") from None


def check_all(listing):
    """Reads every image of ``listing`` once without keeping it, and returns the listing of the readable ones."""
    return listing.only(map_files(lambda path: load_image(path, listing).size, listing.paths, listing.skip_corrupt)[1])
