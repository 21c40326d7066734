"""Loads a folder of image files as uint8 arrays of one size.

Each image is opened by `ganlib.data.formats`, converted to 8 bits by `ganlib.data.pixels`, and given its size by
`ganlib.data.fitting`. Only the first frame of an animation or page of a document is used.
"""

import concurrent.futures
import dataclasses
import io
import logging
import os
import pathlib
import zlib

import numpy as np
from PIL import Image, ImageColor

from ganlib.data import formats, tree
from ganlib.data.fitting import fit_array
from ganlib.data.pixels import GRAY_MODES, to_array
from ganlib.errors import UserError

SUMMED = 1024
"""The number of bytes at the beginning and the end of a file from which its checksum is computed."""


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
    headers: tuple[formats.Header, ...] = ()

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
        image_size: The height and width to which images are resized. None requires all images to be square and of the same
            size. Defaults to None.
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
    headers, failures = _map_parallel(lambda path: formats.header(path, path), files, skip_corrupt)
    good = [i for i in range(len(files)) if i not in failures]
    if not good:
        raise UserError(f"folder {str(root)!r} contains no readable image: put image files into it")
    if image_size is None:
        image_size = _common_size(root, {headers[i].upright_size for i in good})
    _check_every_class(labels, good, class_names)
    _warn_about_frames([files[i] for i in good if headers[i].animated])
    return Listing(
        paths=tuple(str(files[i]) for i in good),
        labels=None if labels is None else labels[good],
        class_names=class_names,
        image_size=image_size,
        channels=1 if {headers[i].mode for i in good} <= set(GRAY_MODES) else 3,
        background=background,
        skip_corrupt=skip_corrupt,
        has_splits=bool(splits),
        root=str(root),
        headers=tuple(headers[i] for i in good),
    )


def load_image(path, listing):
    """Loads the image at ``path`` as ``(image_size, image_size, channels)`` uint8.

    Raises:
        UserError: If the file is corrupt or truncated. The message names it.
    """
    with formats.opened(path, path) as image:
        return fit_array(to_array(image, listing.channels, listing.background), listing.image_size)


def load_all(listing):
    """Loads every image of ``listing``.

    Returns:
        ``(listing, images)``: the listing of the readable images, and ``(n, size, size, channels)`` uint8.
    """
    images, failures = _map_parallel(lambda path: load_image(path, listing), listing.paths, listing.skip_corrupt)
    return _remove_failures(listing, failures), np.stack([image for i, image in enumerate(images) if i not in failures])


def pictures(path, image_shape, background="white"):
    """Loads an image file, or all images of a folder, in the shape of a model's images: ``(n, *image_shape)`` uint8.

    Args:
        path: A file or a folder.
        image_shape: ``(size, size, channels)``.
        background: The color behind transparent pixels. Defaults to ``"white"``.

    Raises:
        UserError: If the path does not exist or cannot be read.
    """
    size, _, channels = image_shape
    if not pathlib.Path(path).is_dir():
        root = str(pathlib.Path(path).parent)
        headers = (formats.header(path, path),)
        listing = Listing((str(path),), None, (), size, channels, background, False, False, root, headers)
        return load_all(listing)[1]
    return load_all(scan(path, None, size, background=background).with_channels(channels))[1]


def decoded(content, image_shape, max_pixels=16_000_000, background="white"):
    """Decodes the contents of an image file to the shape of a model's images: ``image_shape`` uint8.

    Args:
        content: Bytes, possibly from an untrusted source.
        image_shape: ``(size, size, channels)``.
        max_pixels: The maximum number of pixels; larger images are rejected before they are decompressed. Defaults to
            16_000_000.
        background: The color behind transparent pixels. Defaults to ``"white"``.

    Raises:
        UserError: If the content is not an image, is truncated, or is too large.
    """
    size, _, channels = image_shape
    try:
        with Image.open(io.BytesIO(content), formats=formats.COMMON) as image:
            if image.width * image.height > max_pixels:
                raise UserError(
                    f"an image of {image.width}x{image.height} is too large: send one of at most {max_pixels} pixels"
                )
            return fit_array(to_array(image, channels, background), size)
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
    paths, headers = (tuple(values[i] for i in good) for values in (listing.paths, listing.headers))
    return dataclasses.replace(listing, paths=paths, labels=labels, headers=headers)


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


def _warn_about_frames(animated):
    if animated:
        message = "only the first frame or page is used of %d files that have several, the first: %s"
        logging.getLogger("ganlib").warning(message, len(animated), animated[0])


def _check_every_class(labels, good, class_names):
    """Rejects a class if ``skip_corrupt`` has skipped all its images."""
    if labels is not None:
        for label in np.setdiff1d(labels, labels[good]):
            raise UserError(f"no image of class {class_names[label]!r} can be read: fix or remove the class")


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


def _common_size(root, sizes):
    if len(sizes) > 1 or len({side for size in sizes for side in size}) > 1:
        examples = ", ".join(f"{w}x{h}" for w, h in sorted(sizes)[:3])
        raise UserError(f"the images in {str(root)!r} are not all square and of the same size ({examples} ...): set image_size")
    return next(iter(sizes))[0]
