"""`Source`: images of one size, with or without labels."""

import dataclasses
import functools
import hashlib
import logging
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ganlib.data import user_errors
from ganlib.errors import UserError, choose

MEMORY_LIMIT = 2 << 30
"""The maximum size in bytes of the uint8 images of a source that is held in memory."""


def fits_in_memory(num_examples, image_shape):
    """Returns True if images of one shape, ``(height, width, channels)``, take at most `MEMORY_LIMIT` bytes as uint8."""
    return num_examples * math.prod(image_shape) <= MEMORY_LIMIT


@dataclasses.dataclass(frozen=True)
class Source:
    """Images of one size, with or without labels.

    A source is read in one of two ways. With ``fetch``, any image can be read by its index, so a pipeline can start anywhere.
    Only a TFDS dataset that is too large for memory lacks it and has ``stream`` instead.

    Attributes:
        name: The name with its split, such as ``"mnist/train"``.
        image_shape: ``(height, width, channels)``.
        num_examples: The number of images.
        labels: ``(num_examples,)`` int64 in ``[0, num_classes)``, or None.
        class_names: A tuple of ``num_classes`` strings, empty if there are no classes.
        images: ``(num_examples, height, width, channels)`` uint8 if held in memory, otherwise None.
        fetch: A TensorFlow function from ``(n,)`` int64 indices to the images, ``(n, height, width, channels)`` uint8, or to
            what ``decode`` needs, tensors with n rows. None for a stream.
        decode: A TensorFlow function from one row of what ``fetch`` returns to an image, ``(height, width, channels)`` uint8.
            None if ``fetch`` returns images.
        stream: A function ``stream(seed, start)`` that returns a `tf.data.Dataset` of one epoch of shuffled
            ``(image, label)`` without its first ``start`` images, or None. Both arguments are int64 scalars, possibly
            tensors. A seed of None keeps the order of the files. The label is -1 if there is none.
        origin: For images that are not in memory, a string that identifies the files and how they are read.
        all_images: If some images of the dataset have no label, a source of all its images without labels, otherwise None.
            This source has only the images with a label.
        positions: The indices of this source's images in ``all_images``, ``(num_examples,)`` int64, or None.
        files: For images of a folder or a zip file, their paths relative to the folder of the split, otherwise None.
    """

    name: str
    image_shape: tuple[int, int, int]
    num_examples: int
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    images: np.ndarray | None = None
    fetch: Callable | None = None
    decode: Callable | None = None
    stream: Callable | None = None
    origin: str = ""
    all_images: "Source | None" = None
    positions: np.ndarray | None = None
    files: tuple[str, ...] | None = None

    @functools.cached_property
    def fingerprint(self):
        """64 hexadecimal digits that change if the images, labels or class names change.

        For images in memory, they are a hash of the bytes. Otherwise they depend on the names, sizes, beginnings and ends of
        the files, or on the version of a TFDS dataset. A copy of the same folder has the same fingerprint. It is computed on
        first use.
        """
        images = self.images if self.images is not None else (self.origin or self.name)
        parts = (images, self.image_shape, self.num_examples, self.class_names, self.labels)
        return digest(*parts) if self.all_images is None else digest(*parts, self.positions, self.all_images.fingerprint)

    @property
    def num_classes(self):
        """The number of classes, or None if there are none."""
        return len(self.class_names) or None

    def image_name(self, index):
        """Returns the file of the image at ``index``, or the source and the index, such as ``"mnist/train#17"``."""
        return self.files[index] if self.files else f"{self.name}#{index}"

    def read(self, indices):
        """Returns the images at ``(n,)`` int64 indices, a tensor ``(n, height, width, channels)`` uint8.

        It can be used in a graph, and does not check the indices. A pipeline that applies ``decode`` to several images in
        parallel is faster: see `ganlib.data.batches`.
        """
        fetched = self.fetch(indices)
        if self.decode is None:
            return fetched
        return tf.map_fn(self.decode, fetched, fn_output_signature=tf.TensorSpec(self.image_shape, tf.uint8))

    def pick(self, indices):
        """Returns the images at ``(n,)`` integer indices: ``(n, height, width, channels)`` uint8.

        Raises:
            UserError: If the images are streamed, an index is out of range, or an image is damaged.
        """
        indices = self._indices(indices)
        if self.images is not None:
            return self.images[indices]
        with user_errors.unwrapped():
            return self._compiled_read(indices).numpy()

    @functools.cached_property
    def _compiled_read(self):
        return tf.function(self.read, input_signature=[tf.TensorSpec((None,), tf.int64)], autograph=False)

    def in_memory(self, seed=0):
        """Returns a source of the same images in memory. If they are too large for it, it has a random subset of them.

        Args:
            seed: An integer that determines the subset. Defaults to 0.

        Raises:
            UserError: If the images are streamed.
        """
        self.check_not_streamed("its images cannot be held in memory")
        if self.images is not None:
            return self
        count = max(1, min(self.num_examples, MEMORY_LIMIT // math.prod(self.image_shape)))
        indices = np.sort(np.random.default_rng(seed).permutation(self.num_examples)[:count])
        subset = self.subset(indices)
        return dataclasses.replace(
            from_arrays(self.name, self.pick(indices), subset.labels, self.class_names), files=subset.files
        )

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
        if self.all_images is not None:
            message = "%s: the %d images without a label are not used, because only some classes are"
            logging.getLogger("ganlib").warning(message, self.name, self.all_images.num_examples - self.num_examples)
        source = self.subset(np.flatnonzero(np.isin(self.labels, selected)))
        new_indices = np.zeros(len(self.class_names), np.int64)
        new_indices[selected] = np.arange(len(selected))
        names = tuple(self.class_names[index] for index in selected)
        name = f"{self.name}[{','.join(map(str, selected))}]"
        return dataclasses.replace(source, name=name, labels=new_indices[source.labels], class_names=names)

    def subset(self, indices):
        """Returns a source with only the images at ``indices``, in that order, and without ``all_images``.

        Raises:
            UserError: If the images are streamed, or an index is out of range.
        """
        indices = self._indices(indices)
        labels = None if self.labels is None else self.labels[indices]
        files = None if self.files is None else tuple(self.files[index] for index in indices)
        if self.images is not None:
            return dataclasses.replace(from_arrays(self.name, self.images[indices], labels, self.class_names), files=files)
        origin = digest(self.origin, indices)
        with tf.device("CPU:0"):  # an array would become a constant in the pipeline's graph
            rows = tf.constant(indices)
        return dataclasses.replace(
            self,
            num_examples=len(indices),
            labels=labels,
            fetch=lambda i: self.fetch(tf.gather(rows, i)),
            origin=origin,
            all_images=None,
            positions=None,
            files=files,
        )

    def check_not_streamed(self, consequence):
        """Raises a `UserError` if the images are streamed.

        Args:
            consequence: A clause for the message, such as "its images cannot be selected".

        Raises:
            UserError: If the images are streamed.
        """
        if self.fetch is None:
            raise UserError(
                f"{self.name} is streamed because its images take more than {MEMORY_LIMIT >> 20} MB, so {consequence}: "
                "write it once with python -m experiments.prepare, or set a smaller image_size to hold them in memory"
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
    return Source(name, images.shape[1:], len(images), labels, class_names, images, fetch=lambda i: tf.gather(tensor, i))


def with_labels(source, labels, class_names):
    """Returns a source without labels as one with labels. If some images have none, it has only the other images.

    Args:
        source: A `Source` without labels, which is not streamed.
        labels: ``(num_examples,)`` int64, with -1 for images without a label, or None for no labels.
        class_names: The names of the classes.
    """
    if labels is None:
        return source
    positions = np.flatnonzero(labels >= 0)
    if len(positions) == source.num_examples:
        return dataclasses.replace(source, labels=labels, class_names=class_names)
    labeled = source.subset(positions)
    return dataclasses.replace(
        labeled, labels=labels[positions], class_names=class_names, all_images=source, positions=positions
    )


def without_labels(source):
    """Returns a source of the same images without labels."""
    return dataclasses.replace(source, labels=None, class_names=(), all_images=None, positions=None)


def joined(first, second):
    """Returns the images of a source followed by those of another one with the same shape, with labels if both have them.

    Args:
        first: A `Source`, which is not streamed.
        second: Another one. If both have labels, their classes are the same.
    """
    name = first.name if first.name == second.name else f"{first.name}+{second.name}"
    labels, class_names = None, ()
    if first.labels is not None and second.labels is not None:
        labels, class_names = np.concatenate([first.labels, second.labels]), first.class_names
    files = first.files + second.files if first.files and second.files else None
    if first.images is not None and second.images is not None:
        images = np.concatenate([first.images, second.images])
        return dataclasses.replace(from_arrays(name, images, labels, class_names), files=files)

    def fetch(indices):
        is_first = indices < first.num_examples
        parts = tf.dynamic_partition(tf.range(tf.size(indices)), tf.cast(~is_first, tf.int32), 2)
        images = [first.read(indices[is_first]), second.read(indices[~is_first] - first.num_examples)]
        return tf.dynamic_stitch(parts, images)

    count, origin = first.num_examples + second.num_examples, digest(first.fingerprint, second.fingerprint)
    return Source(name, first.image_shape, count, labels, class_names, fetch=fetch, origin=origin, files=files)


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


def digest(*parts):
    """Returns 64 hexadecimal digits, a hash of the bytes of arrays and of the `repr` of other values."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape}".encode())
            digest.update(np.ascontiguousarray(part))
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()
