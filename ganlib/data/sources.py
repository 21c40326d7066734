"""Opens a dataset by name: scikit-learn's digits, any TFDS image dataset, or a folder of images.

Every source has uint8 images of one size. Small datasets are held in memory, large ones are read on demand.
"""

import dataclasses
import functools
import hashlib
import logging
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ganlib.data import folders
from ganlib.data.labels import split as split_labels
from ganlib.errors import UserError, choose, did_you_mean, integer

MEMORY_LIMIT = 2 << 30
"""The maximum size in bytes of the uint8 images of a source that is held in memory."""

DIGITS_TEST_PER_CLASS = 50


@dataclasses.dataclass(frozen=True)
class Source:
    """Images of one size, with or without labels.

    A source is read in one of two ways. With ``read``, any image can be fetched by its index, so a pipeline can start anywhere.
    Only a TFDS dataset that is too large for memory lacks it and has ``stream`` instead.

    Attributes:
        name: The name with its split, such as ``"mnist/train"``.
        image_shape: ``(height, width, channels)``.
        num_examples: The number of images.
        labels: ``(num_examples,)`` int64 in ``[0, num_classes)``, or None.
        class_names: A tuple of ``num_classes`` strings, empty if there are no classes.
        images: ``(num_examples, height, width, channels)`` uint8 if held in memory, otherwise None.
        read: A TensorFlow function from ``(n,)`` int64 indices to ``(n, height, width, channels)`` uint8, or None.
        stream: A function ``stream(seed)`` that returns a `tf.data.Dataset` of one epoch of shuffled ``(image, label)``, or
            None. The label is -1 if there is none.
        origin: For images that are not in memory, a string that identifies the files and how they are read.
    """

    name: str
    image_shape: tuple[int, int, int]
    num_examples: int
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    images: np.ndarray | None = None
    read: Callable | None = None
    stream: Callable | None = None
    origin: str = ""

    @functools.cached_property
    def fingerprint(self):
        """64 hexadecimal digits that change if the images, labels or class names change.

        For images in memory, they are a hash of the bytes. Otherwise they depend on the names, sizes, beginnings and ends of
        the files, or on the version of a TFDS dataset. A copy of the same folder has the same fingerprint. It is computed on
        first use.
        """
        images = self.images if self.images is not None else (self.origin or self.name)
        return _digest(images, self.image_shape, self.num_examples, self.class_names, self.labels)

    @property
    def num_classes(self):
        """The number of classes, or None if there are none."""
        return len(self.class_names) or None

    def pick(self, indices):
        """Returns the images at ``(n,)`` integer indices: ``(n, height, width, channels)`` uint8.

        Raises:
            UserError: If the images are streamed, or an index is out of range.
        """
        indices = self._indices(indices)
        return self.images[indices] if self.images is not None else self.read(indices).numpy()

    def of_classes(self, classes):
        """Returns a source with only the images of some classes, which are renumbered in the given order.

        Args:
            classes: The names or indices of the classes.

        Raises:
            UserError: If a class does not exist or is repeated, or the images are streamed or have no labels.
        """
        self.check_not_streamed("its classes cannot be selected")
        if self.labels is None:
            raise UserError(f"{self.name} has no labels: omit classes={','.join(map(str, classes))}")
        known = {str(index): index for index in range(len(self.class_names))}
        known |= {name: index for index, name in enumerate(self.class_names)}
        selected = [choose(f"class of {self.name}", str(name), known) for name in classes]
        if len(set(selected)) < len(selected):
            raise UserError(f"classes must be unique, got {','.join(map(str, classes))}")
        source = self.subset(np.flatnonzero(np.isin(self.labels, selected)))
        new_indices = np.zeros(len(self.class_names), np.int64)
        new_indices[selected] = np.arange(len(selected))
        names = tuple(self.class_names[index] for index in selected)
        name = f"{self.name}[{','.join(map(str, selected))}]"
        return dataclasses.replace(source, name=name, labels=new_indices[source.labels], class_names=names)

    def subset(self, indices):
        """Returns a source with only the images at ``indices``, in that order.

        Raises:
            UserError: If the images are streamed, or an index is out of range.
        """
        indices = self._indices(indices)
        labels = None if self.labels is None else self.labels[indices]
        if self.images is not None:
            return from_arrays(self.name, self.images[indices], labels, self.class_names)
        origin = _digest(self.origin, indices)
        return dataclasses.replace(
            self, num_examples=len(indices), labels=labels, read=lambda i: self.read(tf.gather(indices, i)), origin=origin
        )

    def check_not_streamed(self, consequence):
        """Raises a `UserError` if the images are streamed.

        Args:
            consequence: A clause for the message, such as "its images cannot be selected".

        Raises:
            UserError: If the images are streamed.
        """
        if self.read is None:
            raise UserError(
                f"{self.name} is streamed because its images take more than {MEMORY_LIMIT >> 20} MB, so {consequence}: "
                "set a smaller image_size to hold them in memory"
            )

    def _indices(self, indices):
        """Returns ``indices`` as int64 after checking that they are in range."""
        self.check_not_streamed("its images cannot be selected")
        indices = np.asarray(indices)
        if indices.size and indices.dtype.kind not in "iu":
            raise UserError(
                f"images of {self.name} are selected by integers, got {indices.dtype}: use np.flatnonzero for a mask"
            )
        if indices.size and not 0 <= indices.min() <= indices.max() < self.num_examples:
            raise UserError(
                f"indices of {self.name} must be from 0 to {self.num_examples - 1}, got {indices.min()} to {indices.max()}"
            )
        return indices.astype(np.int64)


def from_arrays(name, images, labels=None, class_names=()):
    """Creates a `Source` from arrays in memory.

    Args:
        name: The name to display.
        images: ``(n, height, width, channels)`` uint8.
        labels: ``(n,)`` integers, or None. Defaults to None.
        class_names: The names of the classes; if empty, classes are named by their indices. Defaults to ``()``.

    Raises:
        UserError: If images have another type or shape, labels are not integers, out of range or not one per image, or class
            names repeat or have no labels.
    """
    images = np.ascontiguousarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or 0 in images.shape[1:]:
        raise UserError(
            f"{name}: images must be uint8 of shape (n, height, width, channels), got {images.dtype} {images.shape}"
        )
    check_channels(name, images.shape[3])
    class_names = tuple(map(str, class_names))
    if len(set(class_names)) < len(class_names):
        raise UserError(f"{name}: class names must be unique, got {', '.join(class_names)}")
    if labels is None and class_names:
        raise UserError(f"{name}: there are classes {', '.join(class_names)}, but no labels: pass both or neither")
    if labels is not None:
        labels = _integers(name, labels)
        class_names = class_names or tuple(str(k) for k in range(labels.max(initial=-1) + 1))
        if labels.shape != (len(images),) or np.any((labels < 0) | (labels >= len(class_names))):
            raise UserError(
                f"{name}: {len(images)} images need one label each from 0 to {len(class_names) - 1}, got {labels.size} "
                f"from {labels.min(initial=0)} to {labels.max(initial=0)}"
            )
    with tf.device("CPU:0"):  # an array would become a constant in the pipeline's graph
        tensor = tf.constant(images)
    return Source(name, images.shape[1:], len(images), labels, class_names, images, read=lambda i: tf.gather(tensor, i))


def check_channels(name, channels):
    """Raises a `UserError` unless images are gray or RGB."""
    if channels not in (1, 3):
        raise UserError(f"{name}: images must have 1 channel (gray) or 3 (RGB), got {channels}: convert them")


def _integers(name, labels):
    """Converts labels to int64; floats must be whole numbers."""
    labels = np.asarray(labels)
    kind = labels.dtype.kind
    invalid = labels[~(np.isfinite(labels) & (labels == np.round(labels)))] if kind == "f" else labels[: kind not in "biu"]
    if invalid.size:
        raise UserError(
            f"{name}: labels must be integers, got {labels.dtype} such as {invalid.flat[0]!s:.20}: number the classes from 0"
        )
    return labels.astype(np.int64)


def open(name="digits", split="train", image_size=None, data_dir=None, skip_corrupt=False, background="white"):
    """Opens a dataset.

    Args:
        name: ``"digits"`` (scikit-learn's 1,797 handwritten 8x8 digits, no download), ``"folder:PATH"``, or the name of a
            TensorFlow Datasets image dataset, such as ``"mnist"`` or ``"cifar10"``. Defaults to ``"digits"``.
        split: ``"train"`` or ``"test"``. A TFDS dataset also accepts its other splits, and a folder ``"validation"``. The
            splits of a folder are its subfolders, such as ``train``, ``val`` and ``test``. Defaults to ``"train"``.
        image_size: The height and width in pixels; None keeps the original size. Images of another size are cropped to their
            central square, then resized with Pillow's antialiased Lanczos filter. Defaults to None.
        data_dir: The folder of TFDS datasets; None uses ``TFDS_DATA_DIR``, then ``~/tensorflow_datasets``. Defaults to None.
        skip_corrupt: Whether to skip unreadable files of a folder and log their number, instead of failing. Defaults to False.
        background: The color behind transparent pixels of images in a folder, as Pillow names colors. Defaults to ``"white"``.

    Returns:
        A `Source`.

    Raises:
        UserError: If the dataset or split is unknown, the folder is missing or empty, or a file is not an image.

    Examples:
        >>> from ganlib.data import sources
        >>> digits = sources.open("digits")
        >>> digits.image_shape, digits.num_examples, digits.num_classes
        ((8, 8, 1), 1297, 10)
    """
    if image_size is not None:
        image_size = integer("image_size", image_size, 1)
    for kind, value in (("dataset", name), ("split", split)):
        if not isinstance(value, str):
            raise UserError(f"the {kind} must be a string, such as 'digits', 'folder:PATH' or 'train', got {value!r}")
    if name == "digits":
        return _open_digits(split, image_size)
    if name.startswith("folder:"):
        return _open_folder(name.removeprefix("folder:"), split, image_size, skip_corrupt, background)
    return _open_tfds(name, split, image_size, data_dir)


def _open_digits(split, image_size):
    if split not in ("train", "test"):
        raise UserError(f"digits has no split {split!r}: choose train or test")
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    test, train = split_labels(digits.target, DIGITS_TEST_PER_CLASS, seed=0)
    indices = train if split == "train" else test
    images = _resize_all(images[indices], image_size)
    return from_arrays(f"digits/{split}", images, digits.target[indices])


def _open_folder(path, split, image_size, skip_corrupt, background):
    listing = folders.scan(path, split, image_size, skip_corrupt, background)
    shape = (listing.image_size, listing.image_size, listing.channels)
    name = f"folder:{path}/{folders.tree.split_of(split)}" if listing.has_splits else f"folder:{path}"
    if len(listing.paths) * int(np.prod(shape)) <= MEMORY_LIMIT:
        listing, images = folders.load_all(listing)
        _warn_about_contradictions(listing, images)
        source = from_arrays(name, images, listing.labels, listing.class_names)
        return dataclasses.replace(source, origin=_origin(listing))

    if skip_corrupt:
        listing = folders.check_all(listing)
    paths = np.array(listing.paths)

    def load(indices):
        return np.stack([folders.load_image(paths[i], listing) for i in indices])

    def read(indices):
        images = tf.numpy_function(load, [indices], tf.uint8, stateful=False)
        return tf.ensure_shape(images, (*indices.shape, *shape))

    return Source(name, shape, len(paths), listing.labels, listing.class_names, read=read, origin=_origin(listing))


def _warn_about_contradictions(listing, images):
    """Logs the number of images that have identical pixels but another class."""
    if listing.labels is None:
        return
    first, contradictions = {}, []
    for index, image in enumerate(images):
        other = first.setdefault(hashlib.sha256(image).digest(), index)
        if listing.labels[other] != listing.labels[index]:
            contradictions.append((other, index))
    if contradictions:
        other, index = contradictions[0]
        message = "%d images are identical to an image of another class, the first: %s and %s"
        logging.getLogger("ganlib").warning(message, len(contradictions), listing.paths[other], listing.paths[index])


def _origin(listing):
    return _digest(listing.relative_paths, listing.file_sums, listing.image_size, listing.channels, listing.background)


def _open_tfds(name, split, image_size, data_dir):
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    data_dir = data_dir or os.environ.get("TFDS_DATA_DIR")
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except (tfds.core.registered.DatasetNotFoundError, ValueError):  # ValueError: an invalid name
        known = ["digits", *tfds.list_builders(with_community_datasets=False)]
        raise UserError(
            f"unknown dataset {name!r}: use 'digits', 'folder:PATH' or a TensorFlow Datasets name.{did_you_mean(name, known)}"
        ) from None
    features = builder.info.features
    if not hasattr(features, "keys") or "image" not in features:
        raise UserError(f"dataset {name!r} has no feature 'image': choose an image dataset")
    try:
        builder.download_and_prepare()
    except Exception as error:  # each dataset's download can fail in other ways
        raise UserError(
            f"dataset {name!r} is not in {builder.data_dir} and could not be downloaded "
            f"({type(error).__name__}: {str(error)[:100]}): put it there or set TFDS_DATA_DIR"
        ) from None
    if split not in builder.info.splits:
        raise UserError(f"dataset {name!r} has no split {split!r}: choose one of {', '.join(builder.info.splits)}")
    return _tfds_source(builder, name, split, image_size)


def _tfds_source(builder, name, split, image_size):
    features, count = builder.info.features, builder.info.splits[split].num_examples
    height, width, channels = features["image"].shape
    if features["image"].dtype != np.uint8:
        raise UserError(
            f"dataset {name!r} has images of {np.dtype(features['image'].dtype)}, not uint8: choose another dataset"
        )
    check_channels(name, channels)
    has_labels = "label" in features and hasattr(features["label"], "names")
    class_names = tuple(features["label"].names) if has_labels else ()
    if image_size is None and (height is None or height != width):
        raise UserError(f"dataset {name!r} has images of shape {features['image'].shape}: set image_size")
    size = image_size or height

    def example(element):
        image = element["image"]
        if (height, width) != (size, size):
            image = tf.numpy_function(lambda x: folders.fit_array(x, size), [image], tf.uint8, stateful=False)
        return tf.ensure_shape(image, (size, size, channels)), element["label"] if has_labels else tf.constant(-1, tf.int64)

    origin = f"{builder.info.full_name} {split}"
    if count * size * size * channels > MEMORY_LIMIT:
        return Source(
            f"{name}/{split}",
            (size, size, channels),
            count,
            class_names=class_names,
            stream=lambda seed: _stream_tfds(builder, split, seed).map(example, num_parallel_calls=tf.data.AUTOTUNE),
            origin=origin,
        )
    dataset = builder.as_dataset(split=split).map(example, num_parallel_calls=tf.data.AUTOTUNE)
    images, labels = np.empty((count, size, size, channels), np.uint8), np.empty((count,), np.int64)
    start = 0
    for image_batch, label_batch in dataset.batch(1024).as_numpy_iterator():
        images[start : start + len(image_batch)] = image_batch
        labels[start : start + len(image_batch)] = label_batch
        start += len(image_batch)
    if np.all(labels == -1):  # test splits whose labels are not published
        labels, class_names = None, ()
    source = from_arrays(f"{name}/{split}", images, labels, class_names)
    return dataclasses.replace(source, origin=origin)


def _stream_tfds(builder, split, seed, shuffle_buffer=10_000):
    import tensorflow_datasets as tfds

    config = tfds.ReadConfig(shuffle_seed=seed)
    dataset = builder.as_dataset(split=split, shuffle_files=True, read_config=config)
    return dataset.shuffle(shuffle_buffer, seed=seed)


def _resize_all(images, image_size):
    if image_size is None or images.shape[1:3] == (image_size, image_size):
        return images
    return np.stack([folders.fit_array(image, image_size) for image in images])


def _digest(*parts):
    """Returns 64 hexadecimal digits, a hash of the bytes of arrays and of the `repr` of other values."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape}".encode())
            digest.update(np.ascontiguousarray(part))
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()
