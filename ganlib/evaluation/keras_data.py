"""The images to evaluate a model on, in the formats that Keras's ``evaluate`` accepts."""

import keras
import numpy as np
import tensorflow as tf

from ganlib import plots
from ganlib.data import sources
from ganlib.errors import UserError
from ganlib.networks import pixels
from ganlib.training import input_checks


def batches(x, y=None, steps=None):
    """Returns an iterable of the batches of finite data, pairs of images and labels.

    Args:
        x: ``(n, height, width, channels)`` images as an array, or batches of ``images`` or ``(images, labels)`` as a
            `tf.data.Dataset` or a `keras.utils.PyDataset`.
        y: ``(n,)`` integer labels of an array of images. Defaults to None.
        steps: The number of batches to read from a dataset. Defaults to None, which reads all.

    Raises:
        UserError: If the data never ends, can be read only once, or has another format.
    """
    if isinstance(x, tf.data.Dataset):
        if steps is None and int(x.cardinality()) == tf.data.INFINITE_CARDINALITY:
            raise UserError("this dataset never ends: pass steps (validation_steps in fit), or a dataset that is not repeated")
        return map(_pair, x.take(-1 if steps is None else steps).as_numpy_iterator())
    if isinstance(x, keras.utils.PyDataset):
        if x.num_batches is None and steps is None:
            raise UserError("this PyDataset never ends: pass steps (validation_steps in fit)")
        return (_pair(x[index]) for index in range(x.num_batches if steps is None else steps))
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return [(np.asarray(x), None if y is None else np.asarray(y))]
    raise UserError(
        "images must be an array, a tf.data.Dataset, a keras.utils.PyDataset or a ganlib.data.Source, got a "
        f"{type(x).__name__}: pass one of these"
    )


def source_of(x, y=None, steps=None, form=None):
    """Returns data as a `ganlib.data.Source` in memory. Its images are uint8, to which floats are rounded.

    Args:
        x: Images as for `batches`, or a `ganlib.data.Source`, which is returned unchanged.
        y: As for `batches`. Defaults to None.
        steps: As for `batches`. Defaults to None.
        form: The parts of a batch, in the format of `ganlib.training.input_checks`.

    Raises:
        UserError: As for `batches`, or if images or labels do not fit ``form``.
    """
    if hasattr(x, "num_examples") and hasattr(x, "image_shape"):
        return x
    images, labels = [], []
    for some_images, some_labels in batches(x, y, steps):
        input_checks.check_form((some_images, some_labels), form, "this model is evaluated on images and labels: pass both")
        is_dataset, parts = isinstance(x, tf.data.Dataset), 1 if some_labels is None else 2
        pixels.check(some_images, *[pixels.conversion_of_dataset(parts)] * is_dataset)
        images.append(plots.to_uint8(some_images if some_images.dtype.kind == "f" else some_images.astype(np.uint8)))
        labels.append(some_labels)
    if not images:
        raise UserError("there are no images to evaluate on: pass at least one batch")
    labels = None if labels[0] is None else np.concatenate(labels)
    classes = form.get("labels", ((), None))[1]
    return sources.from_arrays("the data", np.concatenate(images), labels, tuple(map(str, range(classes or 0))))


def split(images, labels, fraction):
    """Splits arrays as Keras's ``validation_split`` does.

    Args:
        images: ``(n, height, width, channels)`` array.
        labels: ``(n,)`` integers, or None.
        fraction: The fraction from the end of the arrays, in ``(0, 1)``.

    Returns:
        A tuple ``(images, labels, (validation_images, validation_labels))``.

    Raises:
        UserError: If the images are not an array, or a part would be empty.
    """
    if not isinstance(images, np.ndarray):
        raise UserError("validation_split needs an array of images: pass validation_data for a dataset")
    first = int(len(images) * (1.0 - fraction)) if isinstance(fraction, float) else 0
    if not 0 < first < len(images):
        raise UserError(f"validation_split must leave images for both parts, got {fraction} of {len(images)} images")
    parts = [(values[:first], values[first:]) if values is not None else (None, None) for values in (images, labels)]
    return parts[0][0], parts[1][0], (parts[0][1], parts[1][1])


def _pair(batch):
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    if len(parts) > 2:
        raise UserError(f"a model is evaluated on batches of (images, labels), got {len(parts)} parts: remove the others")
    images, labels = (*parts, None)[:2]
    return np.asarray(images), None if labels is None else np.asarray(labels)
