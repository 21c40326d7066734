"""Converts the pixels of an image file to 8 bits, gray or RGB: upright, opaque and scaled.

- Integers of more than 8 bits must be from 0 to 65535, which become 0 to 255. Pillow itself reads color of 16 bits as its upper
  8 bits.
- Floats must be from 0 to 1, which become 0 to 255.
- CMYK, YCbCr, HSV, L*a*b*, palettes and single bits become RGB or gray. Embedded color profiles are not applied.
- Transparent pixels show the background.
"""

import functools

import numpy as np
from PIL import Image, ImageOps

from ganlib.errors import UserError

GRAY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_MAX_16_BIT = 65535


def to_array(image, channels, background):
    """Converts a Pillow image to ``(height, width, channels)`` uint8: upright, opaque, 8 bits.

    Args:
        image: A Pillow image.
        channels: 1 for gray, 3 for RGB.
        background: The color behind transparent pixels, such as ``"white"``.

    Raises:
        UserError: If integers are outside [0, 65535], or floats outside [0, 1].
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        image = _with_8_bits(image)
    elif image.mode == "LAB":
        from PIL import ImageCms  # some builds of Pillow lack it

        image = ImageCms.applyTransform(image, _lab_to_srgb())
    elif image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, background), image)
    array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return array.reshape(*array.shape[:2], channels)


def _with_8_bits(image):
    """Scales a gray image of integers or floats to 8 bits. A PNG may have one transparent value."""
    values = np.asarray(image, np.float64)
    kind, maximum = ("floats", 1) if image.mode == "F" else ("integers", _MAX_16_BIT)
    if not (values.min() >= 0 and values.max() <= maximum):  # also refuses NaN
        raise UserError(f"{kind} from {values.min():g} to {values.max():g}, not from 0 to {maximum}: scale its values")
    scaled = Image.fromarray(np.round(values * (255 / maximum)).astype(np.uint8))
    if "transparency" in image.info:
        scaled.putalpha(Image.fromarray(np.where(values == image.info["transparency"], 0, 255).astype(np.uint8)))
    return scaled


@functools.cache
def _lab_to_srgb():
    from PIL import ImageCms

    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
