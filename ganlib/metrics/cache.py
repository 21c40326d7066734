"""The on-disk cache of everything computed once from real images: statistics and in-domain classifiers."""

import hashlib
import logging
import os
import pathlib
import zipfile

import numpy as np

from ganlib.files import written_whole


def default_folder():
    """Returns ``GANLIB_CACHE``, or ``~/.cache/ganlib``."""
    return pathlib.Path(os.environ.get("GANLIB_CACHE", "~/.cache/ganlib")).expanduser()


def arrays(folder, key, compute):
    """Returns arrays from the cache, or computes and stores them.

    If a file is unreadable or its checksum is wrong, this is logged and the arrays are recomputed. If it cannot be written,
    this is logged, and the arrays are returned.

    Args:
        folder: The folder of the cache; None uses `default_folder`.
        key: A tuple of strings and numbers that identifies everything the arrays depend on.
        compute: A function without arguments that returns a dict of numpy arrays.

    Returns:
        A dict of numpy arrays.
    """
    path = path_of(folder, key, ".npz")
    if os.path.exists(path):  # False, unlike path.exists(), in a folder that cannot be searched
        try:
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}  # reading from a zip file checks the CRC
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            logging.getLogger("ganlib").warning("cached statistics %s are damaged (%s) and are recomputed", path, error)
    values = compute()
    _store(path, values)
    return values


def _store(path, values):
    """Stores a dict of arrays. If they cannot be written, this is logged: the values can still be used."""
    try:
        with written_whole(path) as partial:
            np.savez(partial, **values)
    except OSError as error:
        logging.getLogger("ganlib").warning(
            "%s cannot be written (%s) and will be computed again next time: set GANLIB_CACHE to a folder that can be written",
            path, error,
        )  # fmt: skip


def rows(folder, key, images, compute):
    """Returns one row of numbers for each image, from the cache, or computes and stores those that it lacks.

    A row is found by a hash of its image, so that any selection of the same images, in any order, finds its rows.

    Args:
        folder: The folder of the cache; None uses `default_folder`.
        key: A tuple of strings and numbers that identifies everything besides the image that a row depends on.
        images: An iterable of ``(n, ...)`` arrays, the images in batches.
        compute: A function from the indices of images to their ``(m, F)`` rows.

    Returns:
        ``(n, F)`` rows, numpy.
    """
    names = np.array([hashlib.blake2b(image, digest_size=16).hexdigest() for batch in images for image in batch], "S32")
    stored = arrays(folder, key, lambda: {"names": names, "rows": compute(np.arange(len(names)))})
    missing = np.flatnonzero(~np.isin(names, stored["names"]))
    if len(missing):
        stored = {
            "names": np.append(stored["names"], names[missing]),
            "rows": np.append(stored["rows"], compute(missing), axis=0),
        }
        _store(path_of(folder, key, ".npz"), stored)
    order = np.argsort(stored["names"])
    return stored["rows"][order[np.searchsorted(stored["names"], names, sorter=order)]]


def key_of(source):
    """Returns a tuple that identifies the images, labels and class names of a `ganlib.data.Source`."""
    return source.name, "x".join(map(str, source.image_shape)), source.num_examples, source.fingerprint


def path_of(folder, key, suffix):
    """Returns the path at which the cache stores the value of ``key``."""
    words = "_".join("".join(c if c.isalnum() else "-" for c in str(part)) for part in key[:2])[:60]
    digest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
    return pathlib.Path(folder or default_folder()) / f"{words}_{digest}{suffix}"
