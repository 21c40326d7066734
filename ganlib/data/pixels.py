"""Converts the pixels of an image file to 8 bits, gray or RGB: upright, opaque and scaled."""

import numpy as np
from PIL import Image, ImageOps

GRAY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")
_MAX_16_BIT = 65535


def to_array(image, channels, background):
    """Converts a Pillow image to ``(height, width, channels)`` uint8: upright, opaque, 8 bits.

    Args:
        image: A Pillow image.
        channels: 1 for gray, 3 for RGB.
        background: The color behind transparent pixels, such as ``"white"``.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        array = np.asarray(image, np.float64) * (255 / _MAX_16_BIT)
        image = Image.fromarray(np.clip(np.round(array), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
    array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return array.reshape(*array.shape[:2], channels)
