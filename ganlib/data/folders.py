"""A folder of image files as uint8 arrays of one size: what Pillow opens, made uniform by stated rules.

Each file is turned upright by its EXIF tag, composed over a background where it is transparent, cropped to its
central square and resized with Pillow's antialiased Lanczos filter. Of an animated GIF the first frame is taken;
16-bit gray is scaled to 8 bits.
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

from ganlib.data import tree
from ganlib.errors import UserError

FORMATS = ("PNG", "JPEG", "BMP", "GIF")
GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")
_MAX_16_BIT = 65535


SUMMED = 1024


@dataclasses.dataclass(frozen=True)
class Listing:
    """The readable images of a folder and how to load them."""

    paths: tuple[str, ...]
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    image_size: int
    channels: int
    background: str
    skip_corrupt: bool
    has_splits: bool
    root: str

    @property
    def relative_paths(self):
        """The paths below the folder, with "/" on every system."""
        return tuple(pathlib.Path(path).relative_to(self.root).as_posix() for path in self.paths)

    @property
    def file_sums(self):
        """Of each file its size and a checksum of its first and last `SUMMED` bytes."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return tuple(pool.map(_sum_of, self.paths))

    def with_channels(self, channels):
        """The same images, to be loaded in gray (1) or in color (3)."""
        return dataclasses.replace(self, channels=channels)


def _sum_of(path):
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        first = file.read(SUMMED)
        file.seek(max(size - SUMMED, 0))
        return size, zlib.crc32(first + file.read(SUMMED))


def scan(path, split="train", image_size=None, skip_corrupt=False, background="white"):
    """Lists the images below ``path``, whose subfolders, if it has any, are its classes.

    Args:
        path: the folder. When its subfolders have the names of splits, such as ``train`` and ``val``, ``split`` picks one.
        split: ``"train"``, ``"validation"`` or ``"test"``, or another of their names in `ganlib.data.tree.SPLITS`; a folder
            without such subfolders has only ``"train"``. None takes all images and refuses a folder of splits.
        image_size: height and width to make; None asks for images that are all of one square size.
        skip_corrupt: leave out unreadable files, logging how many, instead of failing.
        background: the color under transparent pixels.

    Returns:
        A `Listing`. It is gray when all the images are, otherwise RGB.

    Raises:
        UserError: for a missing or empty folder, an unreadable file, images of several sizes without ``image_size``, and a
            folder that can be understood in more than one way.
    """
    root = pathlib.Path(path).expanduser()
    if not root.is_dir():
        raise UserError(f"no folder at {str(root)!r}: check the path after 'folder:'")
    try:
        ImageColor.getrgb(background)
    except (ValueError, TypeError, AttributeError):  # the latter two: it is no string
        raise UserError(f"unknown background color {background!r}: use a name such as 'white', or '#rrggbb'") from None
    splits = tree.splits(root)
    root, class_names = _of_split(root, splits, split)
    files, labels, class_names = tree.files(root, class_names)
    headers, failures = _each(_header, files, skip_corrupt)
    good = [i for i in range(len(files)) if i not in failures]
    if not good:
        raise UserError(f"folder {str(root)!r} holds no image that can be read (PNG, JPEG, BMP or GIF)")
    sizes, modes = {headers[i][0] for i in good}, {headers[i][1] for i in good}
    if image_size is None:
        image_size = _common_size(root, sizes)
    _check_every_class(labels, good, class_names)
    return Listing(
        paths=tuple(str(files[i]) for i in good),
        labels=None if labels is None else labels[good],
        class_names=class_names,
        image_size=image_size,
        channels=1 if modes <= set(GREY_MODES) else 3,
        background=background,
        skip_corrupt=skip_corrupt,
        has_splits=bool(splits),
        root=str(root),
    )


def load_image(path, listing):
    """The image at ``path`` as ``(image_size, image_size, channels)`` uint8.

    Raises:
        UserError: if the file is corrupt or truncated, naming it.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            return fit_array(_uniform(image, listing.channels, listing.background), listing.image_size)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None


def load_all(listing):
    """Loads every image of ``listing``.

    Returns:
        ``(listing, images)``: the listing of what could be read, and ``(n, size, size, channels)`` uint8.
    """
    images, failures = _each(lambda path: load_image(path, listing), listing.paths, listing.skip_corrupt)
    return _without(listing, failures), np.stack([image for i, image in enumerate(images) if i not in failures])


def pictures(path, image_shape, background="white"):
    """A picture, or all of a folder, in the form of a model's images: ``(n, *image_shape)`` uint8.

    Args:
        path: a file or a folder.
        image_shape: ``(size, size, channels)``.
        background: the color under transparent pixels.

    Raises:
        UserError: for what is not there or cannot be read.
    """
    size, _, channels = image_shape
    if not pathlib.Path(path).is_dir():
        root = str(pathlib.Path(path).parent)
        alone = Listing((str(path),), None, (), size, channels, background, skip_corrupt=False, has_splits=False, root=root)
        return load_all(alone)[1]
    return load_all(scan(path, None, size, background=background).with_channels(channels))[1]


def decoded(content, image_shape, max_pixels=16_000_000, background="white"):
    """The contents of an image file in the form of a model's images: ``image_shape`` uint8.

    Args:
        content: bytes, from anyone.
        image_shape: ``(size, size, channels)``.
        max_pixels: larger pictures are refused before they are unpacked.
        background: the color under transparent pixels.

    Raises:
        UserError: for what is no image, is cut off, or is too large.
    """
    size, _, channels = image_shape
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise UserError(
                    f"an image of {image.width}x{image.height} is too large: give one of {max_pixels} pixels at most"
                )
            return fit_array(_uniform(image, channels, background), size)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = "it is none of the formats PNG, JPEG, BMP and GIF" if "cannot identify" in str(error) else str(error)
        raise UserError(f"the image cannot be read: {reason}") from None


def check_all(listing):
    """Reads every image of ``listing`` once, keeping none; returns the listing of those that can be read."""
    _, failures = _each(lambda path: load_image(path, listing).size, listing.paths, listing.skip_corrupt)
    return _without(listing, failures)


def _without(listing, failures):
    good = [i for i in range(len(listing.paths)) if i not in failures]
    if not good:
        raise UserError(f"none of the {len(listing.paths)} images, such as {listing.paths[0]!r}, can be read")
    _check_every_class(listing.labels, good, listing.class_names)
    labels = None if listing.labels is None else listing.labels[good]
    return dataclasses.replace(listing, paths=tuple(listing.paths[i] for i in good), labels=labels)


def fit_array(image, size):
    """Crops ``(height, width, channels)`` uint8 to its central square and resizes it to ``(size, size, channels)``.

    The filter is Pillow's Lanczos, which is antialiased when it makes an image smaller.
    """
    height, width, channels = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    square = Image.fromarray(square[..., 0] if channels == 1 else square)
    return np.asarray(square.resize((size, size), Image.Resampling.LANCZOS)).reshape(size, size, channels)


def _of_split(root, splits, split):
    """``(folder, class_names)`` of a split; the classes are those of the train split, so that all number them alike."""
    if split is None:
        if splits:
            raise UserError(f"folder {str(root)!r} holds the splits {', '.join(splits)}: give one of them")
        return root, None
    wanted = tree.split_of(split)
    if not splits:
        if wanted != "train":
            raise UserError(
                f"folder {str(root)!r} has no split {split!r}: put the images into its subfolders 'train' and 'test'"
            )
        return root, None
    if wanted not in splits:
        raise UserError(f"folder {str(root)!r} has the splits {', '.join(splits)}, not {split!r}")
    folder, table = splits[wanted], tree.table_in(root)
    if table and not tree.class_names_of(folder):
        raise UserError(
            f"folder {str(root)!r} holds {table.name!r}, which is not read: put the images into a subfolder for each class, "
            "or move it out of the way to go without labels"
        )
    return folder, tree.class_names_of(splits["train"]) if "train" in splits else None


def _check_every_class(labels, good, class_names):
    """Refuses a class of which no image is left, since `skip_corrupt` left out all of them."""
    if labels is not None:
        for label in np.setdiff1d(labels, labels[good]):
            raise UserError(f"no image of class {class_names[label]!r} can be read: mend or remove the class")


def _header(path):
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size, image.mode
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None


def _each(function, paths, skip_corrupt):
    """``function`` of every path in parallel; returns the results and the indices of those that failed."""

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
        more = f" ({len(others)} more like it)" if others else ""
        raise UserError(f"{first}{more}")
    if failures:
        first = next(iter(failures.values()))
        logging.getLogger("ganlib").warning("skipped %d of %d files, the first: %s", len(failures), len(paths), first)
    return [value for value, _ in results], failures


def _unreadable(path, error):
    reason = "not a PNG, JPEG, BMP or GIF image" if "cannot identify" in str(error) else f"corrupt image ({error})"
    if isinstance(error, FileNotFoundError):
        reason = "a link to a file that is not there"
    return UserError(f"{str(path)!r}: {reason}; remove it, or set skip_corrupt to leave such files out")


def _common_size(root, sizes):
    if len(sizes) > 1 or len({side for size in sizes for side in size}) > 1:
        shown = ", ".join(f"{w}x{h}" for w, h in sorted(sizes)[:3])
        raise UserError(f"the images in {str(root)!r} are not all of one square size ({shown} ...): give an image_size")
    return next(iter(sizes))[0]


def _uniform(image, channels, background):
    """A Pillow image as ``(height, width, channels)`` uint8: upright, opaque, 8 bits."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        array = np.asarray(image, np.float64) * (255 / _MAX_16_BIT)
        image = Image.fromarray(np.clip(np.round(array), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
    array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return array.reshape(*array.shape[:2], channels)
