"""Checks of pixel values passed from Python: values that cannot be images in ``[-1, 1]`` are rejected."""

import warnings

import numpy as np

from ganlib.errors import UserError

SLACK = 1e-3
"""The tolerance for rounding beyond 1."""


def check(images, remedy="images / 127.5 - 1.0"):
    """Rejects images with impossible pixel values and warns of suspicious ones. The values of uint8 images are not read.

    Args:
        images: ``(n, height, width, channels)`` array, or an eager tensor.
        remedy: As in `check_range`. Defaults to ``"images / 127.5 - 1.0"``.

    Raises:
        UserError: If floats are outside ``[-1, 1]`` or not finite, or integers are outside ``[0, 255]``.
    """
    if np.size(images) and str(getattr(images, "dtype", "")) != "uint8":
        images = np.asarray(images)
        if images.dtype.kind == "V" or images.dtype.name == "bfloat16":
            images = images.astype(np.float32)
        check_range(images.min(), images.max(), images.dtype.kind != "f", remedy)


def check_range(low, high, are_integers, remedy="images / 127.5 - 1.0"):
    """Performs `check` for images whose minimum and maximum are known.

    Images with all values from 0 to 1 would be valid if no pixel were darker than middle gray. More often they were only
    divided by 255, so a warning is issued.

    Args:
        low: The lowest value; NaN if any value is NaN.
        high: The highest value; NaN if any value is NaN.
        are_integers: Whether the images have an integer dtype.
        remedy: The code for the message that converts pixels in ``[0, 255]``. Defaults to ``"images / 127.5 - 1.0"``.

    Raises:
        UserError: As in `check`.
    """
    low, high = float(low), float(high)
    lower, upper = limits(are_integers)
    if not (lower <= low and high <= upper):  # also true for NaN
        raise UserError(
            f"images have values from {low:.6g} to {high:.6g}: pass uint8 in [0, 255], or floats in [-1, 1], such as {remedy} "
            "for pixels in [0, 255]"
        )
    if not are_integers and low >= 0.0 and high > 0.0:
        warnings.warn(
            f"images have values from {low:.6g} to {high:.6g} and are interpreted as [-1, 1]: if they are in [0, 1], "
            "pass 2.0 * images - 1.0, or uint8",
            stacklevel=3,
        )


def limits(are_integers):
    """Returns the lowest and the highest valid value of images, a pair of floats.

    Args:
        are_integers: Whether the images have an integer dtype.
    """
    return (0.0, 255.0) if are_integers else (-1.0 - SLACK, 1.0 + SLACK)


def conversion_of_dataset(parts):
    """Returns the code that converts the pixels of a dataset, for the message of `check_range`.

    Args:
        parts: The number of parts of a batch: 1 for images, 2 for images and labels, 3 with further images.
    """
    names = "xyu"[:parts]
    values = [name if name == "y" else f"{name} / 127.5 - 1.0" for name in names]
    result = values[0] if parts == 1 else f"({', '.join(values)})"
    return f"dataset.map(lambda {', '.join(names)}: {result})"
