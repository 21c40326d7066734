"""Opens a folder of images as a `ganlib.data.Source`."""

import dataclasses
import hashlib
import logging

import numpy as np
import tensorflow as tf

from ganlib.data import decoding, folders, python_functions, sizes, source
from ganlib.data.source import Source, digest, fits_in_memory, from_arrays
from ganlib.errors import UserError


def open_folder(path, split, image_size, skip_corrupt, background):
    """Opens a folder of images as `ganlib.data.open` does, which describes the arguments.

    Raises:
        UserError: If the folder is missing, empty or ambiguous, or a file is not an image.
    """
    listing = folders.scan(path, split, image_size, skip_corrupt, background)
    shape = (*listing.image_size, listing.channels)
    name = f"folder:{path}/{folders.tree.split_of(split)}" if listing.has_splits else f"folder:{path}"
    if fits_in_memory(len(listing.paths), shape):
        listing, images = folders.load_all(listing)
        _warn_about_contradictions(listing, images)
        in_memory = from_arrays(name, images, listing.labels, listing.class_names)
        return dataclasses.replace(in_memory, origin=origin_of(listing))

    if skip_corrupt:
        listing = folders.check_all(listing)
    _check_decodable(name, listing)
    with tf.device("CPU:0"):  # arrays would become constants in the pipeline's graph
        paths, orientations = tf.constant(listing.paths), tf.constant(listing.orientations)

    def fetch(indices):
        return tf.gather(paths, indices), tf.gather(orientations, indices)

    def check(path):
        folders.load_image(path, listing)
        return np.array(path.encode(), object)

    def decode(file):
        path, orientation = file
        content = tf.io.read_file(path)

        def checked():  # raises an error that names the file if it is truncated
            return python_functions.call(lambda path: check(path.decode()), [path], tf.string)

        with tf.control_dependencies([tf.cond(decoding.ends_well(content), lambda: path, checked)]):
            return decoding.decoded(content, shape, background, orientation)

    labels = listing.labels, listing.class_names
    return Source(name, shape, len(listing.paths), *labels, fetch=fetch, decode=decode, origin=origin_of(listing))


def _check_decodable(name, listing):
    """Checks that TensorFlow can decode all images of a folder that is too large for memory."""
    others = np.flatnonzero(~listing.is_exact)
    if len(others):
        raise UserError(
            f"{name} is larger than {source.MEMORY_LIMIT >> 20} MB, and {len(others)} of its {len(listing.paths)} images, such "
            f"as {listing.paths[others[0]]!r}, have a format that is not decoded during training: write the dataset once with "
            "python -m experiments.prepare, or set a smaller image_size to hold it in memory"
        )


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


def origin_of(listing):
    """Returns a string that identifies the files of a listing and how they are read."""
    size = sizes.simplest(listing.image_size)  # an integer for squares, as in earlier versions
    return digest(listing.relative_paths, listing.file_sums, size, listing.channels, listing.background)
