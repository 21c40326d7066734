"""Opens a folder of images as a `ganlib.data.Source`."""

import dataclasses
import hashlib
import logging
import os

import numpy as np
import tensorflow as tf

from ganlib.data import decoding, folders, python_functions, sizes, source
from ganlib.data.source import Source, digest, fits_in_memory, from_arrays, with_labels
from ganlib.data.storage import Directory
from ganlib.errors import UserError


def open_folder(path, split, image_size, skip_corrupt, background, choice, fit):
    """Opens a folder of images as `ganlib.data.open` does, which describes the arguments.

    Raises:
        UserError: If the folder is missing, empty or ambiguous, or a file is not an image.
    """
    listing = folders.scan(path, split, image_size, skip_corrupt, background, choice, fit)
    return source_of(listing, f"folder:{path}/{listing.split}" if listing.split else f"folder:{path}")


def source_of(listing, name):
    """Returns the `ganlib.data.Source` of the images of a `ganlib.data.listing.Listing`.

    Args:
        listing: The listing.
        name: The name of the source.

    Raises:
        UserError: If a file is unreadable, unless the listing skips such files.
    """
    shape = (*listing.image_size, listing.channels)
    if fits_in_memory(len(listing.paths), shape):
        listing, images = folders.load_all(listing)
        _warn_about_contradictions(listing, images)
        in_memory = dataclasses.replace(from_arrays(name, images), origin=origin_of(listing), files=listing.relative_paths)
        return with_labels(in_memory, listing.labels, listing.class_names)

    if listing.skip_corrupt:
        listing = folders.check_all(listing)
    _check_decodable(name, listing)
    fetch, decode = _reading(listing, shape)
    origin, files = origin_of(listing), listing.relative_paths
    on_demand = Source(name, shape, len(listing.paths), fetch=fetch, decode=decode, origin=origin, files=files)
    return with_labels(on_demand, listing.labels, listing.class_names)


def _check_decodable(name, listing):
    """Checks that TensorFlow can decode all images of a folder that is too large for memory."""
    others = [path for path, header in zip(listing.paths, listing.headers, strict=True) if not header.is_exact]
    if others:
        raise UserError(
            f"{name} is larger than {source.MEMORY_LIMIT >> 20} MB, and {len(others)} of its {len(listing.paths)} images, such "
            f"as {others[0]!r}, have a format that is not decoded during training: write the dataset once with "
            "python -m experiments.prepare, or set a smaller image_size to hold it in memory"
        )


def _reading(listing, image_shape):
    """Returns ``(fetch, decode)`` of a `ganlib.data.Source`. TensorFlow reads and decodes the files of a folder. Python reads
    the bytes of those in a zip file.
    """
    with tf.device("CPU:0"):  # arrays would become constants in the pipeline's graph
        paths = tf.constant([os.fsencode(path) for path in listing.paths])
        orientations = tf.constant([header.orientation for header in listing.headers])

    def fetch(indices):
        return tf.gather(paths, indices), tf.gather(orientations, indices)

    def fetch_members(indices):
        def read(names):
            return np.array([listing.storage.open_verified(os.fsdecode(name)).read() for name in names], object)

        names = tf.gather(paths, indices)
        contents = tf.ensure_shape(python_functions.call(read, [names], tf.string), indices.shape)
        return names, tf.gather(orientations, indices), contents

    def check(path):
        folders.load_image(os.fsdecode(path), listing)
        return np.array(path, object)

    def decode(file):
        path, orientation, *contents = file
        content = contents[0] if contents else tf.io.read_file(path)

        def checked():  # raises an error that names the file if it is truncated
            return python_functions.call(check, [path], tf.string)

        with tf.control_dependencies([tf.cond(decoding.ends_well(content), lambda: path, checked)]):
            return decoding.decoded(content, image_shape, listing.background, listing.fit, orientation)

    return fetch if isinstance(listing.storage, Directory) else fetch_members, decode


def _warn_about_contradictions(listing, images):
    """Logs the number of images that have identical pixels but another class."""
    if listing.labels is None:
        return
    first, contradictions = {}, []
    for index, image in enumerate(images):
        other = first.setdefault(hashlib.sha256(image).digest(), index)
        if min(listing.labels[[other, index]]) >= 0 and listing.labels[other] != listing.labels[index]:
            contradictions.append((other, index))
    if contradictions:
        other, index = contradictions[0]
        message = "%d images are identical to an image of another class, the first: %s and %s"
        logging.getLogger("ganlib").warning(message, len(contradictions), listing.paths[other], listing.paths[index])


def origin_of(listing):
    """Returns a string that identifies the files of a listing and how they are read."""
    size = sizes.simplest(listing.image_size)  # an integer for squares, as in earlier versions
    parts = (listing.relative_paths, listing.file_sums, size, listing.channels, listing.background)
    return digest(*parts, *([listing.fit] if listing.fit != "crop" else []))  # as before there was a choice
