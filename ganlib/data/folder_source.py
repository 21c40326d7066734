"""Opens a folder of images as a `ganlib.data.Source`."""

import dataclasses
import hashlib
import logging

import numpy as np
import tensorflow as tf

from ganlib.data import folders
from ganlib.data.source import Source, digest, fits_in_memory, from_arrays, with_labels


def open_folder(path, split, image_size, skip_corrupt, background, choice, fit):
    """Opens a folder of images as `ganlib.data.open` does, which describes the arguments.

    Raises:
        UserError: If the folder is missing, empty or ambiguous, or a file is not an image.
    """
    listing = folders.scan(path, split, image_size, skip_corrupt, background, choice, fit)
    shape = (listing.image_size, listing.image_size, listing.channels)
    name = f"folder:{path}/{listing.split}" if listing.split else f"folder:{path}"
    if fits_in_memory(len(listing.paths), shape):
        listing, images = folders.load_all(listing)
        _warn_about_contradictions(listing, images)
        in_memory = dataclasses.replace(from_arrays(name, images), origin=_origin(listing))
        return with_labels(in_memory, listing.labels, listing.class_names)

    if skip_corrupt:
        listing = folders.check_all(listing)
    paths = np.array(listing.paths)

    def load(indices):
        return np.stack([folders.load_image(paths[i], listing) for i in indices])

    def read(indices):
        images = tf.numpy_function(load, [indices], tf.uint8, stateful=False)
        return tf.ensure_shape(images, (*indices.shape, *shape))

    on_demand = Source(name, shape, len(paths), read=read, origin=_origin(listing))
    return with_labels(on_demand, listing.labels, listing.class_names)


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


def _origin(listing):
    parts = (listing.relative_paths, listing.file_sums, listing.image_size, listing.channels, listing.background)
    return digest(*parts, *([listing.fit] if listing.fit != "crop" else []))  # as before there was a choice
