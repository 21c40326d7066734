"""What `fit` is given: parts, shapes and labels that the networks cannot take are refused before the first update.

A model says what a batch is made of by a dict from the name of each part to the shape of one example and, of labels, the number
of classes, such as ``{"images": ((8, 8, 1), None), "labels": ((), 10)}``.
"""

import numpy as np
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.networks import pixels


def parts_of(data):
    """The parts of a batch as a tuple, of one that is an array alone, too."""
    return tuple(data) if isinstance(data, (tuple, list)) else (data,)


def check_form(data, form, missing):
    """Refuses a batch whose parts are not those of ``form``, by what is known when the step is traced.

    Args:
        data: ``(n, height, width, channels)`` images, or a tuple of them, ``(n,)`` labels and what ``form`` has more of; labels
            are not looked at where there are no classes.
        form: as above.
        missing: the message where a part is missing.

    Raises:
        UserError: for parts that are not there, or of another shape or type.
    """
    parts = parts_of(data)
    if any(part is not None for part in parts[max(len(form), 2) :]):  # `train_on_batch` gives None for what is not there
        raise UserError(f"each batch must be ({', '.join(form)}), got {len(parts)} parts; weights are not used")
    for (name, (shape, num_classes)), part in zip(form.items(), (*parts, *[None] * len(form)), strict=False):
        if part is None:
            raise UserError(missing)
        if not hasattr(part, "shape"):
            raise UserError(
                f"{name} came as a {type(part).__name__}: give arrays, as in fit(images, labels), or a dataset of batches of "
                f"({', '.join(form)})"
            )
        kind = tf.as_dtype(part.dtype)
        if not (kind.is_floating or kind.is_integer or (kind.is_bool and num_classes)):
            what = "number the classes from 0" if num_classes else "give uint8 in [0, 255], or floats in [-1, 1]"
            raise UserError(f"{name} must be numbers, got {kind.name}: {what}")
        if not tf.TensorShape((None, *shape)).is_compatible_with(part.shape):
            wanted = f"(n, {', '.join(map(str, shape))})" if shape else "(n,), an integer for each image"
            raise UserError(f"{name} of a batch must have the shape {wanted}, but they have {_shown(part.shape)}")


def check_options(options):
    """Refuses arguments of Keras's ``fit`` that would be of no use here: they weight or measure a loss that ``compile`` sets.

    Raises:
        UserError: naming the first one.
    """
    for name in ("validation_data", "validation_split", "sample_weight", "class_weight"):
        if options.get(name, None) is not None and not np.array_equal(options[name], 0.0):
            raise UserError(f"fit takes no {name}: to measure a model there is ganlib.evaluation, or its classify")


def check_arrays(images, labels, form, missing):
    """Refuses arrays that are given to `fit` whole, by all their values.

    Args:
        images: ``(n, height, width, channels)``, or what else is given to `fit` in its place.
        labels: ``(n,)`` integers, or None.
        form: as above.
        missing: the message where a part is missing.

    Returns:
        Whether ``images`` is an array.

    Raises:
        UserError: for what `check_form` refuses, values that cannot be images in ``[-1, 1]``, labels that are none of the
            classes, and arrays of unequal lengths; also for what is no data, such as None or a list.
    """
    if hasattr(images, "image_shape") and hasattr(images, "num_examples"):
        raise UserError(f"{images.name} is a source: give its batches, as in fit(ganlib.data.batches(source, 64), ...)")
    if images is None or isinstance(images, (list, tuple, dict, str)):
        raise UserError(
            f"images came as a {type(images).__name__}: give an array, as in fit(images, labels), or a dataset of batches"
        )
    if not isinstance(images, np.ndarray):
        return False
    if isinstance(labels, (list, tuple)):
        raise UserError("labels came as a list: give an array, as by np.array(labels)")
    check_form(images if labels is None else (images, labels), form, missing)
    pixels.check(images)
    if labels is not None and len(labels) != len(images):
        raise UserError(f"{len(images)} images need as many labels, got {len(labels)}")
    for (name, (_, num_classes)), values in zip(form.items(), (images, labels), strict=False):
        if num_classes and np.size(values):
            values = np.asarray(values)
            check_labels(name, values.min(), values.max(), np.all(values == np.round(values)), num_classes)
    return True


def check_labels(name, low, high, are_whole, num_classes):
    """Refuses labels, of which the lowest and the highest are known, and whether all are whole numbers.

    A GPU takes the embedding of a class that is not there for 0, and -1 means the last class in some places: neither says so.

    Raises:
        UserError: for labels that are not whole numbers from 0 to ``num_classes - 1``.
    """
    if not (are_whole and 0 <= low and high < num_classes):
        raise UserError(
            f"{name} must be whole numbers from 0 to {num_classes - 1}, but they go from {float(low):.6g} to {float(high):.6g}"
        )


def label_check(name, labels, num_classes):
    """An operation that is `check_labels` of a tensor of ``(n,)`` labels."""
    values = tf.cast(labels, tf.float32)

    def in_python(low, high, are_whole):
        check_labels(name, low, high, are_whole, num_classes)
        return True

    are_whole = tf.reduce_all(tf.equal(values, tf.round(values)))
    return tf.numpy_function(in_python, [tf.reduce_min(values), tf.reduce_max(values), are_whole], tf.bool)


def _shown(shape):
    return "(" + ", ".join("n" if side is None else str(side) for side in shape) + ("," if len(shape) == 1 else "") + ")"
