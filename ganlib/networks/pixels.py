"""Pixel values as they come in from Python: what cannot be images in ``[-1, 1]`` is refused."""

import warnings

import numpy as np

from ganlib.errors import UserError

SLACK = 1e-3
"""What rounding may add to 1."""


def check(images):
    """Refuses images whose values cannot be meant, and warns of those that hardly are; uint8 images are never looked at.

    Args:
        images: ``(n, height, width, channels)`` array, or a tensor that has values.

    Raises:
        UserError: for floats outside ``[-1, 1]`` or not finite, or integers outside ``[0, 255]``.
    """
    if np.size(images) and str(getattr(images, "dtype", "")) != "uint8":
        images = np.asarray(images)
        if images.dtype.kind == "V" or images.dtype.name == "bfloat16":
            images = images.astype(np.float32)
        check_range(images.min(), images.max(), images.dtype.kind != "f")


def check_range(low, high, are_integers):
    """`check` of images of which the lowest and the highest value are known; NaN stands for images that hold one.

    Images whose values are all from 0 to 1 could be right, if none is darker than the middle gray. Most often they were divided
    by 255 alone, so that a warning is given.

    Raises:
        UserError: as `check`.
    """
    low, high = float(low), float(high)
    least, most = (0.0, 255.0) if are_integers else (-1.0 - SLACK, 1.0 + SLACK)
    if not (least <= low and high <= most):  # also where they are NaN
        raise UserError(
            f"images have values from {low:.6g} to {high:.6g}: give uint8 in [0, 255], or floats in [-1, 1], "
            "such as images / 127.5 - 1.0 of uint8"
        )
    if not are_integers and low >= 0.0 and high > 0.0:
        warnings.warn(
            f"images have values from {low:.6g} to {high:.6g}, and are taken to be in [-1, 1]: if they are in [0, 1], "
            "give 2.0 * images - 1.0, or uint8",
            stacklevel=3,
        )
