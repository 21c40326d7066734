"""The sizes of images as configs, flags and `ganlib.data.open` accept them, and the crop to an aspect ratio."""

import operator
import re

from ganlib.errors import UserError

PATTERN = re.compile(r"[(\[]?\s*(\d+)\s*(?:[x,]\s*(\d+)\s*)?[)\]]?", re.ASCII)


def parsed(image_size):
    """Returns the height and width that an ``image_size`` describes.

    Args:
        image_size: An integer for square images, ``(height, width)``, or a string such as ``"64"``, ``"64x96"`` or
            ``"(64, 96)"``, with the height first. None is returned unchanged.

    Returns:
        ``(height, width)``, or None.

    Raises:
        UserError: If it is anything else, or a side is less than 1.

    Examples:
        >>> from ganlib.data import sizes
        >>> sizes.parsed(64), sizes.parsed("64x96")
        ((64, 64), (64, 96))
    """
    if image_size is None:
        return None
    try:
        sides = [_side(side) for side in _sides(image_size)]
    except TypeError:
        sides = []
    if len(sides) not in (1, 2) or min(sides) < 1:
        raise UserError(
            "image_size must be one positive integer, or a height and a width such as 64x96 or (64, 96), "
            f"got {image_size!r:.60}"
        )
    return sides[0], sides[-1]


def _sides(image_size):
    """Returns the parts of an ``image_size``. The list is empty if a string has another form."""
    if isinstance(image_size, str):
        match = PATTERN.fullmatch(image_size.strip())
        return [int(side) for side in match.groups() if side] if match else []
    return list(image_size) if isinstance(image_size, (tuple, list)) else [image_size]


def _side(value):
    if isinstance(value, bool):
        raise TypeError("a side is not a bool")
    return operator.index(value)


def simplest(size):
    """Returns the shortest ``image_size`` for ``(height, width)``: an integer for a square, otherwise the pair."""
    height, width = size
    return height if height == width else (height, width)


def text(size):
    """Returns ``(height, width)`` as a flag accepts it: ``"64"`` for a square, otherwise ``"64x96"``."""
    height, width = size
    return str(height) if height == width else f"{height}x{width}"
