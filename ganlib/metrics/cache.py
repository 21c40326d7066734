"""What is computed once from real images and kept on disk: their statistics, and in-domain classifiers."""

import hashlib
import logging
import os
import pathlib
import zipfile

import numpy as np

from ganlib.files import written_whole


def default_folder():
    """``GANLIB_CACHE``, or ``~/.cache/ganlib``."""
    return pathlib.Path(os.environ.get("GANLIB_CACHE", "~/.cache/ganlib")).expanduser()


def arrays(folder, key, compute):
    """Arrays from the cache, or computed and put there.

    A file that cannot be read, or whose checksum is wrong, is logged and computed anew.

    Args:
        folder: the cache's folder; None takes `default_folder`.
        key: a tuple of strings and numbers that says all on which the arrays depend.
        compute: a function without arguments that returns a dict of numpy arrays.

    Returns:
        The dict.
    """
    path = path_of(folder, key, ".npz")
    if path.exists():
        try:
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}  # a zip file checks each array's CRC as it is read
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            logging.getLogger("ganlib").warning("cached statistics %s are damaged (%s) and are made anew", path, error)
    values = compute()
    with written_whole(path) as partial:
        np.savez(partial, **values)
    return values


def key_of(source):
    """A tuple that says which images, labels and class names a `ganlib.data.Source` holds."""
    return source.name, "x".join(map(str, source.image_shape)), source.num_examples, source.fingerprint


def path_of(folder, key, suffix):
    """Where the cache keeps what belongs to ``key``."""
    words = "_".join("".join(c if c.isalnum() else "-" for c in str(part)) for part in key[:2])[:60]
    digest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
    return pathlib.Path(folder or default_folder()) / f"{words}_{digest}{suffix}"
