"""Opens a dataset in the form of TensorFlow Datasets (TFDS), by its name or its folder, as a `ganlib.data.Source`.

Images of ArrayRecord files are read by their index: see `ganlib.data.prepared`. TFRecord files can only be read from their
beginning. They are held in memory if they fit, and otherwise streamed.
"""

import dataclasses
import functools
import os

import numpy as np
import tensorflow as tf

from ganlib.data import decoding, fitting, prepared, python_functions
from ganlib.data.source import Source, check_channels, fits_in_memory, from_arrays
from ganlib.errors import UserError, did_you_mean, first_line
from ganlib.seeds import ALGORITHM

SHUFFLED = 10_000
"""The number of successive examples of a stream, taken from all files in turn, that are shuffled together."""


def open_tfds(name, split, image_size, data_dir, fit, background):
    """Opens a TFDS dataset as `ganlib.data.open` does, which describes the arguments.

    Raises:
        UserError: If the dataset or split is unknown, cannot be downloaded, or is not one of uint8 images.
    """
    builder = _builder(name, data_dir)
    if not hasattr(builder.info.features, "keys") or "image" not in builder.info.features:
        raise UserError(f"dataset {name!r} has no feature 'image': choose an image dataset")
    try:
        builder.download_and_prepare()
    except Exception as error:  # each dataset's download can fail in other ways
        raise UserError(
            f"dataset {name!r} is not in {builder.data_dir} and could not be downloaded "
            f"({type(error).__name__}: {str(error)[:100]}): put it there or set TFDS_DATA_DIR"
        ) from None
    return _source_of(builder, name, split, image_size, fit, background)


def open_prepared(path, split, image_size, fit="crop", background="white"):
    """Opens a folder that `experiments.prepare` has written, or another dataset of images in TFDS's form.

    Args:
        path: The folder, or the folder of one of its versions.
        split: A split.
        image_size: As in `ganlib.data.open`.
        fit: As in `ganlib.data.open`. Defaults to ``"crop"``.
        background: As in `ganlib.data.open`. Defaults to ``"white"``.

    Raises:
        UserError: If there is no such dataset or split, or it is not one of uint8 images.
    """
    builder = _prepared_builder(path)
    if not hasattr(builder.info.features, "keys") or "image" not in builder.info.features:
        raise UserError(f"{str(path)!r} has no feature 'image': choose a dataset of images")
    return _source_of(builder, f"prepared:{path}", split, image_size, fit, background)


def splits_of_prepared(path):
    """Returns the names of the splits in the folder of a prepared dataset, as a tuple.

    Raises:
        UserError: If there is no such dataset.
    """
    return tuple(_prepared_builder(path).info.splits)


def splits_of(name, data_dir):
    """Returns the names of the splits of a TFDS dataset, as a tuple.

    Raises:
        UserError: If the dataset is unknown.
    """
    return tuple(_builder(name, data_dir).info.splits)


def _prepared_builder(path):
    import tensorflow_datasets as tfds

    folder = prepared.folder_of(path)
    try:
        return tfds.builder_from_directory(folder)
    except Exception as error:  # TFDS raises many kinds for a folder that is not a dataset
        raise UserError(f"{str(path)!r} is not a prepared dataset ({first_line(error):.100})") from None


def _builder(name, data_dir):
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    try:
        return tfds.builder(name, data_dir=data_dir or os.environ.get("TFDS_DATA_DIR"))
    except (tfds.core.registered.DatasetNotFoundError, ValueError):  # ValueError: an invalid name
        known = ["digits", *tfds.list_builders(with_community_datasets=False)]
        raise UserError(
            f"unknown dataset {name!r}: use 'digits', 'folder:PATH', 'prepared:PATH' or a TensorFlow Datasets name."
            f"{did_you_mean(name, known)}"
        ) from None


def _source_of(builder, name, split, image_size, fit, background):
    if split not in builder.info.splits:
        raise UserError(f"dataset {name!r} has no split {split!r}: choose one of {', '.join(builder.info.splits)}")
    features = builder.info.features
    height, width, channels = features["image"].shape
    dtype = np.dtype(features["image"].np_dtype)
    if dtype != np.uint8:
        raise UserError(f"dataset {name!r} has images of {dtype}, not uint8: choose another dataset")
    check_channels(name, channels)
    if image_size is None and (height is None or width is None):
        raise UserError(f"dataset {name!r} has images of shape {features['image'].shape}: set image_size")
    shape = (*(image_size or (height, width)), channels)
    if builder.info.file_format.value == "array_record":
        return prepared.source_of(builder, f"{name}/{split}", split, shape, fit, background)
    return _from_tfrecords(builder, f"{name}/{split}", split, shape, fit, background)


def _from_tfrecords(builder, name, split, shape, fit, background):
    """Returns the source of a dataset whose files hold TFRecords."""
    features, info = builder.info.features, builder.info.splits[split]
    class_names = prepared.class_names_of(features)
    origin = f"{builder.info.full_name} {split}" + (f" {fit} {background}" if fit != "crop" else "")
    if fits_in_memory(info.num_examples, shape):
        images, labels = _load(builder, split, shape, bool(class_names), fit, background)
        if labels is None:
            class_names = ()
        return dataclasses.replace(from_arrays(name, images, labels, class_names), origin=origin)
    example, paths = _example_of(features, shape, fit, background), [str(path) for path in info.filepaths]

    def stream(seed, start):
        records = _shuffled_records(paths, seed).skip(start)
        return records.map(example, num_parallel_calls=tf.data.AUTOTUNE)

    return Source(name, shape, info.num_examples, class_names=class_names, stream=stream, origin=origin)


def _example_of(features, shape, fit, background):
    """Returns a function from a record to ``(image, label)``. The label is -1 if there is none."""
    import tensorflow_datasets as tfds

    has_labels, resized = bool(prepared.class_names_of(features)), features["image"].shape != shape
    needed = {"image": True, "label": True} if has_labels else {"image": True}
    needed = tfds.decode.PartialDecoding(needed).extract_features(features)

    def example(record):
        values = needed.deserialize_example(record)
        image = decoding.fitted(values["image"], shape, fit, background) if resized else values["image"]
        return tf.ensure_shape(image, shape), values["label"] if has_labels else tf.constant(-1, tf.int64)

    return example


def _shuffled_records(paths, seed):
    """Returns a dataset of the records of all files, shuffled by a seed, an int64 tensor, or in their order if it is None."""
    if seed is None:
        return tf.data.TFRecordDataset(paths)
    files = tf.random.experimental.stateless_shuffle(tf.constant(paths), tf.stack([seed, -1]), alg=ALGORITHM)
    records = tf.data.Dataset.from_tensor_slices(files).interleave(tf.data.TFRecordDataset, cycle_length=16)

    def shuffled(index, block):
        return tf.random.experimental.stateless_shuffle(block, tf.stack([seed, index]), alg=ALGORITHM)

    return records.batch(SHUFFLED).enumerate().map(shuffled).unbatch()


def _load(builder, split, shape, has_labels, fit, background):
    """Returns the images and the labels of a split in the order of its files, resized as those of folders are. The labels are
    None if there are none.
    """
    resized = builder.info.features["image"].shape != shape
    fitted = functools.partial(fitting.fit_array, size=shape[:2], fit=fit, background=background)

    def example(element):
        image = element["image"]
        if resized:
            image = python_functions.call(fitted, [image], tf.uint8)
        return tf.ensure_shape(image, shape), element["label"] if has_labels else tf.constant(-1, tf.int64)

    count = builder.info.splits[split].num_examples
    images, labels = np.empty((count, *shape), np.uint8), np.empty((count,), np.int64)
    dataset, start = builder.as_dataset(split=split).map(example, num_parallel_calls=tf.data.AUTOTUNE), 0
    for image_batch, label_batch in dataset.batch(1024).as_numpy_iterator():
        images[start : start + len(image_batch)] = image_batch
        labels[start : start + len(image_batch)] = label_batch
        start += len(image_batch)
    return images, None if np.all(labels == -1) else labels  # -1: a test split whose labels are not published
