"""Validation of the inputs of `fit`: parts, shapes and labels that do not fit the networks raise before the first update.

A model describes its batches by a dict, its ``form``. It maps the name of each part to the shape of one example and, for
labels, the number of classes, such as ``{"images": ((8, 8, 1), None), "labels": ((), 10)}``.
"""

import numpy as np
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.networks import pixels
from ganlib.networks.keras_graph import text


def parts_of(data):
    """Returns the parts of a batch as a tuple, even if the batch is a single array."""
    return tuple(data) if isinstance(data, (tuple, list)) else (data,)


def check_form(data, form, missing):
    """Checks that a batch has the parts of ``form``, with the information that is available when the step is traced.

    Args:
        data: ``(n, height, width, channels)`` images, or a tuple of images, ``(n,)`` labels and the further parts of ``form``.
            Labels are ignored if there are no classes.
        form: The form of a batch; see the module's docstring.
        missing: The error message for a missing part.

    Raises:
        UserError: If a part is missing, or has another shape or type.
    """
    parts = parts_of(data)
    if any(part is not None for part in parts[max(len(form), 2) :]):  # `train_on_batch` passes None for missing parts
        raise UserError(
            f"each batch must be ({', '.join(form)}), got {len(parts)} parts: remove the others, such as sample weights"
        )
    for (name, (shape, num_classes)), part in zip(form.items(), (*parts, *[None] * len(form)), strict=False):
        if part is None:
            raise UserError(missing)
        if not hasattr(part, "shape"):
            raise UserError(
                f"{name} must be an array, got a {type(part).__name__}: pass arrays, as in fit(images, labels), or a dataset "
                f"of batches of ({', '.join(form)})"
            )
        dtype = tf.as_dtype(part.dtype)
        if not (dtype.is_floating or dtype.is_integer or (dtype.is_bool and num_classes)):
            fix = "number the classes from 0" if num_classes else "pass uint8 in [0, 255], or floats in [-1, 1]"
            raise UserError(f"{name} must be numbers, got {dtype.name}: {fix}")
        if not tf.TensorShape((None, *shape)).is_compatible_with(part.shape):
            expected = f"(n, {', '.join(map(str, shape))})" if shape else "(n,), an integer for each image"
            advice = _image_advice(shape, tuple(part.shape[1:])) if shape else _label_advice(tuple(part.shape[1:]))
            raise UserError(f"{name} of a batch must have the shape {expected}, got {text(tuple(part.shape))}{advice}")


def check_options(data, options):
    """Rejects arguments of Keras's ``fit`` that have no effect here, because ``compile`` sets the loss, and endless epochs.

    Args:
        data: The data to train on.
        options: A dict of the keyword arguments of ``fit``.

    Raises:
        UserError: If there is such an argument. The message names the first one.
    """
    for name in ("sample_weight", "class_weight"):
        if options.get(name, None) is not None:
            raise UserError(f"fit does not support {name}, because compile sets the loss: leave it out")
    is_endless = isinstance(data, tf.data.Dataset) and int(data.cardinality()) == tf.data.INFINITE_CARDINALITY
    if is_endless and not options.get("steps_per_epoch"):
        raise UserError("this dataset never ends, as those of ganlib.data.batches: pass steps_per_epoch to fit")


def check_arrays(images, labels, form, missing):
    """Checks all values of arrays that are passed to `fit`.

    Args:
        images: ``(n, height, width, channels)``, or any other value that is passed to `fit` in its place.
        labels: ``(n,)`` integers, or None.
        form: The form of a batch; see the module's docstring.
        missing: The error message for a missing part.

    Returns:
        True if ``images`` is an array.

    Raises:
        UserError: If `check_form` raises it, values are not those of images in ``[-1, 1]``, labels are out of range,
            arrays differ in length, or the data has an unsupported type, such as None or a list.
    """
    if hasattr(images, "image_shape") and hasattr(images, "num_examples"):
        raise UserError(f"{images.name} is a source: pass its batches, as in fit(ganlib.data.batches(source, 64), ...)")
    if images is None or isinstance(images, (list, tuple, dict, str)):
        raise UserError(
            f"images must be an array, got a {type(images).__name__}: pass an array, as in fit(images, labels), or a dataset "
            "of batches"
        )
    if not isinstance(images, np.ndarray):
        return False
    if isinstance(labels, (list, tuple)):
        raise UserError(f"labels must be an array, got a {type(labels).__name__}: pass np.array(labels)")
    check_form(images if labels is None else (images, labels), form, missing)
    pixels.check(images)
    if labels is not None and len(labels) != len(images):
        raise UserError(f"{len(images)} images need as many labels, got {len(labels)}: pass one label for each image")
    for (name, (_, num_classes)), values in zip(form.items(), (images, labels), strict=False):
        if num_classes and np.size(values):
            values = np.asarray(values)
            check_labels(name, values.min(), values.max(), np.all(values == np.round(values)), num_classes)
    return True


def check_labels(name, low, high, are_whole, num_classes):
    """Checks labels by the lowest and the highest label.

    Without this check, invalid labels would cause no error: on a GPU, the embedding of an unknown class is 0, and -1 means the
    last class in some operations.

    Args:
        name: The name of the labels, for the error message.
        low: The lowest label.
        high: The highest label.
        are_whole: True if all labels are whole numbers.
        num_classes: The number of classes.

    Raises:
        UserError: If the labels are not whole numbers from 0 to ``num_classes - 1``.
    """
    if not (are_whole and 0 <= low and high < num_classes):
        raise UserError(
            f"{name} must be whole numbers from 0 to {num_classes - 1}, got numbers from {float(low):.6g} to {float(high):.6g}"
        )


def label_check(name, labels, num_classes):
    """Returns an operation that runs `check_labels` on a tensor of ``(n,)`` labels. Python runs only if they are invalid."""
    values = tf.cast(labels, tf.float32)
    low, high = tf.reduce_min(values), tf.reduce_max(values)
    are_whole = tf.reduce_all(tf.equal(values, tf.round(values)))  # False for NaN

    def check(low, high, are_whole):
        check_labels(name, low, high, are_whole, num_classes)
        return True

    is_valid = are_whole & (low >= 0) & (high < num_classes)
    return tf.cond(is_valid, lambda: True, lambda: tf.numpy_function(check, [low, high, are_whole], tf.bool))


def _label_advice(shape):
    """Returns the end of the message for labels of another shape, with code for arrays and for datasets."""
    if len(shape) != 1:
        return ""
    if shape[0] == 1:
        return ": pass labels[:, 0], or dataset.map(lambda x, y: (x, y[:, 0]))"
    return ": for one-hot labels, pass labels.argmax(axis=-1), or dataset.map(lambda x, y: (x, tf.argmax(y, axis=-1)))"


def _image_advice(expected, shape):
    """Returns the end of the message for images of another shape."""
    if len(expected) != 3:
        return ""
    if shape == (*expected[2:], *expected[:2]):
        return ": move the channels to the end, as in np.transpose(images, (0, 2, 3, 1))"
    if shape == expected[:2]:
        return ": add an axis for the channel, as in images[..., None]"
    if shape[:2] == expected[:2] and shape[2:] == (1,) and expected[2] == 3:
        return ": repeat the channel, as in np.repeat(images, 3, axis=-1), or tf.image.grayscale_to_rgb(images)"
    if len(shape) == 3:
        return f": resize or convert the images, or build the networks for images of {shape}"
    return ": pass batches of images, as in dataset.batch(64)" if len(shape) < 3 else ""
