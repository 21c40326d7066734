"""Opens a TensorFlow Datasets image dataset as a `ganlib.data.Source`."""

import dataclasses
import functools
import os

import numpy as np
import tensorflow as tf

from ganlib.data import fitting
from ganlib.data.source import Source, check_channels, fits_in_memory, from_arrays
from ganlib.errors import UserError, did_you_mean


def open_tfds(name, split, image_size, data_dir, fit, background):
    """Opens a TFDS dataset as `ganlib.data.open` does, which describes the arguments.

    Raises:
        UserError: If the dataset or split is unknown, cannot be downloaded, or is not one of uint8 images.
    """
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
    return _tfds_source(builder, name, split, image_size, fit, background)


def _tfds_source(builder, name, split, image_size, fit, background):
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
            fitted = functools.partial(fitting.fit_array, size=(size, size), fit=fit, background=background)
            image = tf.numpy_function(fitted, [image], tf.uint8, stateful=False)
        return tf.ensure_shape(image, (size, size, channels)), element["label"] if has_labels else tf.constant(-1, tf.int64)

    origin = f"{builder.info.full_name} {split}" + (f" {fit} {background}" if fit != "crop" else "")
    if not fits_in_memory(count, (size, size, channels)):
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
