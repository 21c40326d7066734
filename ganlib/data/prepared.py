"""Reads datasets whose ArrayRecord files have TFDS's form, such as those that `ganlib.data.preparing` writes.

Any image can be read by its index, so that a dataset larger than memory has the same order of batches, subsets and few-label
splits as one in memory. Only the bytes of the records pass through Python, a batch at a time; TensorFlow decodes them.
"""

import logging
import pathlib

import numpy as np
import tensorflow as tf

from ganlib.data import decoding, records
from ganlib.data.source import Source, digest, fits_in_memory, from_arrays, with_labels
from ganlib.errors import UserError
from ganlib.files import read_dict

FACTS = "prepared.json"
"""The file that says what a dataset was prepared from."""
VERSION = "1.0.0"
"""The version of a prepared dataset, which is the name of its folder."""
UNFINISHED = f"{VERSION}.unfinished"
"""The folder of a dataset while it is being prepared."""
BLOCK = 4096
"""The number of records that are read at a time to find out their labels."""


def folder_of(path):
    """Returns the folder with the files of a prepared dataset: ``path``, or its version in it.

    Raises:
        UserError: If there is no prepared dataset, or it is not finished.
    """
    path = pathlib.Path(path).expanduser()
    for folder in (path, path / VERSION):
        if (folder / "dataset_info.json").exists():
            return folder
    if (path / UNFINISHED).exists():
        raise UserError(f"{str(path)!r} is not completely prepared: run experiments.prepare again, which continues")
    raise UserError(f"no prepared dataset at {str(path)!r}: write one with python -m experiments.prepare --output={path}")


def class_names_of(features):
    """Returns the class names in the feature ``label`` of a TFDS dataset.

    Args:
        features: The TFDS features. A label is a scalar.

    Returns:
        A tuple of strings, which is empty if there are no labels.
    """
    return tuple(features["label"].names) if "label" in features and hasattr(features["label"], "names") else ()


def labels_path(folder, split):
    """Returns the path of the labels of a split, an int64 array, in the folder of a prepared dataset."""
    return pathlib.Path(folder) / f"labels-{split}.npy"


def source_of(builder, name, split, image_shape, fit, background):
    """Returns the `Source` of a split of a TFDS dataset whose files are ArrayRecord files.

    Args:
        builder: The `tfds.core.DatasetBuilder`, with a feature ``image`` and possibly a feature ``label``.
        name: The name of the source.
        split: The name of the split.
        image_shape: ``(height, width, channels)``.
        fit: How images of another size are fitted: see `ganlib.data.fitting`.
        background: The color of the borders of ``"pad"``.

    Raises:
        UserError: If files are missing or incomplete.
    """
    features, info = builder.info.features, builder.info.splits[split]
    files = [pathlib.Path(path) for path in info.filepaths]
    missing = [file for file in files if not file.exists()]
    if missing:
        raise UserError(f"{name} lacks the file {str(missing[0])!r}: copy or prepare the dataset again")
    content = records.Records(files)
    if len(content) != info.num_examples:
        raise UserError(f"{name} has {len(content)} records instead of {info.num_examples}: copy or prepare it again")
    class_names = class_names_of(features)
    labels = None
    if class_names:
        labels = _labels(labels_path(builder.data_dir, split), content, class_names)
    if labels is not None and np.all(labels == -1):  # a test split whose labels are not published
        labels, class_names = None, ()
    if labels is not None and np.any(labels == -1):
        message = "%s: %d of %d images have no label and are used only without labels"
        logging.getLogger("ganlib").warning(message, name, np.sum(labels == -1), len(labels))
    fetch, decode = _reading(content, features["image"], image_shape, fit, background)
    fitted = (fit, background) if features["image"].shape != image_shape else ()
    sizes = [(file.name, file.stat().st_size) for file in files]
    origin = digest(builder.info.full_name, split, image_shape, fitted, sizes, _facts(builder))
    source = Source(name, image_shape, len(content), fetch=fetch, decode=decode, origin=origin)
    if fits_in_memory(len(content), image_shape):
        blocks = [np.arange(start, min(start + BLOCK, len(content))) for start in range(0, len(content), BLOCK)]
        source = from_arrays(name, np.concatenate([source.pick(block) for block in blocks]))
    return with_labels(source, labels, class_names)


def _reading(content, feature, image_shape, fit, background):
    """Returns ``(fetch, decode)`` of a `Source`."""
    import tensorflow_datasets as tfds

    def fetch(indices):
        return _parsed(content.fetch(indices), "image", tf.string)

    def fetch_arrays(indices):
        images = tf.reshape(tf.io.decode_raw(fetch(indices), tf.uint8), (-1, *feature.shape))
        return tf.ensure_shape(images, (indices.shape[0], *feature.shape))

    if isinstance(feature, tfds.features.Image):
        return fetch, lambda image: decoding.decoded(image, image_shape, background, fit, tf.constant(1))
    if feature.shape == image_shape:
        return fetch_arrays, None
    return fetch_arrays, lambda image: decoding.fitted(image, image_shape, fit, background)


def _parsed(serialized, key, dtype):
    return tf.io.parse_example(serialized, {key: tf.io.FixedLenFeature((), dtype)})[key]


def _labels(path, content, class_names):
    """Returns the labels of all records, from the file ``path`` if it exists."""
    try:
        labels = np.load(path) if path.exists() else labels_of(content)
    except (ValueError, EOFError):
        raise UserError(f"{str(path)!r} is damaged: delete it, and the labels are read with the images") from None
    low, high = labels.min(initial=0), labels.max(initial=0)
    if labels.shape != (len(content),) or low < -1 or high >= len(class_names):
        raise UserError(
            f"{str(path)!r} has {labels.size} labels from {low} to {high} for {len(content)} images of {len(class_names)} "
            "classes: copy or prepare the dataset again"
        )
    return labels


def labels_of(content):
    """Returns the labels of all `ganlib.data.records.Records`, ``(n,)`` int64."""
    starts = range(0, len(content), BLOCK)
    blocks = (content.read(np.arange(start, min(start + BLOCK, len(content)))) for start in starts)
    return np.concatenate([_parsed(tf.constant(block), "label", tf.int64).numpy() for block in blocks])


def _facts(builder):
    path = pathlib.Path(builder.data_dir) / FACTS
    facts = read_dict(path)
    if facts is None:
        raise UserError(f"{str(path)!r} is damaged: copy or prepare the dataset again")
    return facts
