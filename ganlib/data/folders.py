"""Loads a folder of image files as uint8 arrays of one size.

Each file is rotated by its EXIF tag, composited over a background where it is transparent, cropped to the central part with the
aspect ratio of the target, and resized with Pillow's antialiased Lanczos filter. Only the first frame of an animated GIF is
used; 16-bit gray is scaled to 8 bits.
"""

import concurrent.futures
import dataclasses
import io
import logging
import os
import pathlib
import zlib

import numpy as np
from PIL import Image, ImageColor, ImageOps

from ganlib.data import decoding, sizes, tree
from ganlib.errors import UserError

FORMATS = ("PNG", "JPEG", "BMP", "GIF")
GRAY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")
_MAX_16_BIT = 65535

SUMMED = 1024
"""The number of bytes at the beginning and the end of a file from which its checksum is computed."""


@dataclasses.dataclass(frozen=True)
class Listing:
    """The readable images of a folder and how to load them."""

    paths: tuple[str, ...]
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    image_size: tuple[int, int]
    channels: int
    background: str
    skip_corrupt: bool
    has_splits: bool
    root: str
    orientations: np.ndarray | None = None  # EXIF orientations, 1 to 8
    is_exact: np.ndarray | None = None  # whether TensorFlow decodes a file to the same pixels

    @property
    def relative_paths(self):
        """The paths relative to the folder, with "/" on every system."""
        return tuple(pathlib.Path(path).relative_to(self.root).as_posix() for path in self.paths)

    @property
    def file_sums(self):
        """The size of each file and a checksum of its first and last `SUMMED` bytes."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return tuple(pool.map(_size_and_checksum, self.paths))

    def with_channels(self, channels):
        """Returns a listing of the same images, to be loaded in gray (1) or in color (3)."""
        return dataclasses.replace(self, channels=channels)


def _size_and_checksum(path):
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        first = file.read(SUMMED)
        file.seek(max(size - SUMMED, 0))
        return size, zlib.crc32(first + file.read(SUMMED))


def scan(path, split="train", image_size=None, skip_corrupt=False, background="white"):
    """Lists the images below ``path``. Its subfolders, if any, are the classes.

    Args:
        path: The folder. If its subfolders are named after splits, such as ``train`` and ``val``, ``split`` selects one.
        split: ``"train"``, ``"validation"``, ``"test"``, or another name from `ganlib.data.tree.SPLITS`. A folder
            without such subfolders has only ``"train"``. None takes all images and rejects a folder with splits. Defaults to
            ``"train"``.
        image_size: ``(height, width)`` to which images are resized. None requires all images to have the same size. Defaults
            to None.
        skip_corrupt: Whether to skip unreadable files and log their number, instead of failing. Defaults to False.
        background: The color behind transparent pixels. Defaults to ``"white"``.

    Returns:
        A `Listing`. It is gray if all images are, otherwise RGB.

    Raises:
        UserError: If the folder is missing, empty or ambiguous, a file is unreadable, or images differ in size and
            ``image_size`` is None.
    """
    root = pathlib.Path(path).expanduser()
    if not root.is_dir():
        raise UserError(f"no folder at {str(root)!r}: check the path after 'folder:'")
    try:
        ImageColor.getrgb(background)
    except (ValueError, TypeError, AttributeError):  # the latter two if it is not a string
        raise UserError(f"unknown background color {background!r}: use a name such as 'white', or '#rrggbb'") from None
    splits = tree.splits(root)
    root, class_names = _resolve_split(root, splits, split)
    files, labels, class_names = tree.files(root, class_names)
    headers, failures = _map_parallel(_header, files, skip_corrupt)
    good = [i for i in range(len(files)) if i not in failures]
    if not good:
        raise UserError(f"folder {str(root)!r} contains no readable image: put PNG, JPEG, BMP or GIF files into it")
    modes = {headers[i][1] for i in good}
    if image_size is None:
        image_size = _common_size(root, {headers[i][0] for i in good})
    _check_every_class(labels, good, class_names)
    return Listing(
        paths=tuple(str(files[i]) for i in good),
        labels=None if labels is None else labels[good],
        class_names=class_names,
        image_size=image_size,
        channels=1 if modes <= set(GRAY_MODES) else 3,
        background=background,
        skip_corrupt=skip_corrupt,
        has_splits=bool(splits),
        root=str(root),
        orientations=np.array([headers[i][2] for i in good], np.int32),
        is_exact=np.array([headers[i][3] for i in good]),
    )


def load_image(path, listing):
    """Loads the image at ``path`` as ``(height, width, channels)`` uint8.

    Raises:
        UserError: If the file is corrupt or truncated. The message names it.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            return fit_array(_to_array(image, listing.channels, listing.background), listing.image_size)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None


def load_all(listing):
    """Loads every image of ``listing``.

    Returns:
        ``(listing, images)``: the listing of the readable images, and ``(n, height, width, channels)`` uint8.
    """
    images, failures = _map_parallel(lambda path: load_image(path, listing), listing.paths, listing.skip_corrupt)
    return _remove_failures(listing, failures), np.stack([image for i, image in enumerate(images) if i not in failures])


def pictures(path, image_shape, background="white"):
    """Loads an image file, or all images of a folder, in the shape of a model's images: ``(n, *image_shape)`` uint8.

    Args:
        path: A file or a folder.
        image_shape: ``(height, width, channels)``.
        background: The color behind transparent pixels. Defaults to ``"white"``.

    Raises:
        UserError: If the path does not exist or cannot be read.
    """
    *size, channels = image_shape
    if not pathlib.Path(path).is_dir():
        root = str(pathlib.Path(path).parent)
        listing = Listing((str(path),), None, (), tuple(size), channels, background, False, False, root)
        return load_all(listing)[1]
    return load_all(scan(path, None, tuple(size), background=background).with_channels(channels))[1]


def decoded(content, image_shape, max_pixels=16_000_000, background="white"):
    """Decodes the contents of an image file to the shape of a model's images: ``image_shape`` uint8.

    Args:
        content: Bytes, possibly from an untrusted source.
        image_shape: ``(height, width, channels)``.
        max_pixels: The maximum number of pixels; larger images are rejected before they are decompressed. Defaults to
            16_000_000.
        background: The color behind transparent pixels. Defaults to ``"white"``.

    Raises:
        UserError: If the content is not an image, is truncated, or is too large.
    """
    *size, channels = image_shape
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise UserError(
                    f"an image of {image.width}x{image.height} is too large: send one of at most {max_pixels} pixels"
                )
            return fit_array(_to_array(image, channels, background), size)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = "it is not a PNG, JPEG, BMP or GIF file" if "cannot identify" in str(error) else str(error)
        raise UserError(f"the image cannot be read: {reason}") from None


def check_all(listing):
    """Reads every image of ``listing`` once without keeping it, and returns the listing of the readable ones."""
    _, failures = _map_parallel(lambda path: load_image(path, listing).size, listing.paths, listing.skip_corrupt)
    return _remove_failures(listing, failures)


def _remove_failures(listing, failures):
    good = [i for i in range(len(listing.paths)) if i not in failures]
    if not good:
        raise UserError(
            f"none of the {len(listing.paths)} images, such as {listing.paths[0]!r}, can be read: replace the files"
        )
    _check_every_class(listing.labels, good, listing.class_names)
    labels = None if listing.labels is None else listing.labels[good]
    rows = {name: getattr(listing, name)[good] for name in ("orientations", "is_exact") if getattr(listing, name) is not None}
    return dataclasses.replace(listing, paths=tuple(listing.paths[i] for i in good), labels=labels, **rows)


def fit_array(image, size):
    """Crops ``(height, width, channels)`` uint8 to the central part with the aspect ratio of ``size``, and resizes it.

    The filter is Pillow's Lanczos filter, which is antialiased when downsampling.

    Args:
        image: ``(height, width, channels)`` uint8.
        size: ``(height, width)`` of the result.

    Returns:
        ``(*size, channels)`` uint8.
    """
    height, width, channels = image.shape
    rows, columns = sizes.cropped((height, width), size)
    top, left = (height - rows) // 2, (width - columns) // 2
    part = image[top : top + rows, left : left + columns]
    part = Image.fromarray(part[..., 0] if channels == 1 else part)
    return np.asarray(part.resize((size[1], size[0]), Image.Resampling.LANCZOS)).reshape(*size, channels)


def _resolve_split(root, splits, split):
    """Returns ``(folder, class_names)`` of a split. The classes are those of the train split, so that all splits share their
    indices.
    """
    if split is None:
        if splits:
            raise UserError(f"folder {str(root)!r} contains the splits {', '.join(splits)}: choose one of them")
        return root, None
    canonical = tree.split_of(split)
    if not splits:
        if canonical != "train":
            raise UserError(
                f"folder {str(root)!r} has no split {split!r}: put the images into its subfolders 'train' and 'test'"
            )
        return root, None
    if canonical not in splits:
        raise UserError(f"folder {str(root)!r} has no split {split!r}: choose one of {', '.join(splits)}")
    folder, table = splits[canonical], tree.table_in(root)
    if table and not tree.class_names_of(folder):
        raise UserError(
            f"folder {str(root)!r} contains {table.name!r}, which is not read: put the images into one subfolder per class, "
            "or move the file elsewhere to use no labels"
        )
    return folder, tree.class_names_of(splits["train"]) if "train" in splits else None


def _check_every_class(labels, good, class_names):
    """Rejects a class if ``skip_corrupt`` has skipped all its images."""
    if labels is not None:
        for label in np.setdiff1d(labels, labels[good]):
            raise UserError(f"no image of class {class_names[label]!r} can be read: fix or remove the class")


def _header(path):
    try:
        with Image.open(path, formats=FORMATS) as image:
            return _upright_size(image), image.mode, decoding.exif_orientation(image), decoding.is_exact(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None


def _upright_size(image):
    """Returns ``(height, width)`` of an image after its rotation by the EXIF tag, without decoding it."""
    return image.size if decoding.exif_orientation(image) >= 5 else image.size[::-1]


def _map_parallel(function, paths, skip_corrupt):
    """Applies ``function`` to every path in parallel and returns the results and a dict from failed indices to errors."""

    def attempt(path):
        try:
            return function(path), None
        except UserError as error:
            return None, error

    with concurrent.futures.ThreadPoolExecutor() as pool:
        results = list(pool.map(attempt, paths))
    failures = {i: error for i, (_, error) in enumerate(results) if error is not None}
    if failures and not skip_corrupt:
        first, *others = failures.values()
        more = f" ({len(others)} more failed)" if others else ""
        raise UserError(f"{first}{more}")
    if failures:
        first = next(iter(failures.values()))
        logging.getLogger("ganlib").warning("skipped %d of %d files, the first: %s", len(failures), len(paths), first)
    return [value for value, _ in results], failures


def _unreadable(path, error):
    reason = "not a PNG, JPEG, BMP or GIF image" if "cannot identify" in str(error) else f"corrupt image ({error})"
    if isinstance(error, FileNotFoundError):
        reason = "a broken link"
    return UserError(f"{str(path)!r}: {reason}; remove it, or set skip_corrupt to skip such files")


def _common_size(root, found):
    if len(found) > 1:
        examples = ", ".join(f"{height}x{width}" for height, width in sorted(found)[:3])
        raise UserError(
            f"the images in {str(root)!r} are not all of the same size (height x width: {examples} ...): set image_size"
        )
    return next(iter(found))


def _to_array(image, channels, background):
    """Converts a Pillow image to ``(height, width, channels)`` uint8: upright, opaque, 8 bits."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        array = np.asarray(image, np.float64) * (255 / _MAX_16_BIT)
        image = Image.fromarray(np.clip(np.round(array), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
    array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return array.reshape(*array.shape[:2], channels)
