"""Fits images of any size into one size.

- ``"crop"`` keeps the central part that has the shape of the target. The edges are lost.
- ``"pad"`` keeps everything, and adds borders of the background color.
- ``"stretch"`` keeps everything, and changes the aspect ratio.

The filter is Pillow's Lanczos filter, which is antialiased when downsampling.
"""

import numpy as np
from PIL import Image, ImageColor

from ganlib.errors import choose

FITS = ("crop", "pad", "stretch")


def fit_array(image, size, fit="crop", background="white"):
    """Fits ``(height, width, channels)`` uint8 into another height and width.

    Args:
        image: The image, gray or RGB.
        size: ``(height, width)`` of the result, or one integer for both.
        fit: ``"crop"``, ``"pad"`` or ``"stretch"``. Defaults to ``"crop"``.
        background: The color of the borders of ``"pad"``. Defaults to ``"white"``.

    Raises:
        UserError: If ``fit`` is unknown.

    Examples:
        >>> import numpy as np
        >>> from ganlib.data import fitting
        >>> wide = np.zeros((20, 40, 3), np.uint8)
        >>> fitting.fit_array(wide, (16, 16), "pad")[:, 0, 0].tolist()
        [255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]
    """
    height, width = (size, size) if isinstance(size, int) else size
    mode = "L" if image.shape[2] == 1 else "RGB"
    pixels = Image.fromarray(image[..., 0] if mode == "L" else image)
    fit = choose("fit", fit, dict(zip(FITS, FITS, strict=True)))
    if fit == "crop":
        inner_width, inner_height = shape_within(width, height, pixels.width, pixels.height)
        left, top = (pixels.width - inner_width) // 2, (pixels.height - inner_height) // 2
        pixels = pixels.crop((left, top, left + inner_width, top + inner_height))
    if fit == "pad":
        inner = shape_within(pixels.width, pixels.height, width, height)
        canvas = Image.new("RGB", (width, height), ImageColor.getrgb(background)[:3]).convert(mode)
        canvas.paste(pixels.resize(inner, Image.Resampling.LANCZOS), ((width - inner[0]) // 2, (height - inner[1]) // 2))
        pixels = canvas
    else:
        pixels = pixels.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(pixels).reshape(height, width, image.shape[2])


def shape_within(width, height, outer_width, outer_height):
    """Returns ``(width, height)`` of the largest rectangle with a given aspect ratio that fits into another one.

    Args:
        width: The width of a rectangle with this aspect ratio.
        height: Its height.
        outer_width: The width of the outer rectangle.
        outer_height: Its height.

    Examples:
        >>> from ganlib.data import fitting
        >>> fitting.shape_within(3, 2, 30, 30)
        (30, 20)
    """
    if width * outer_height > height * outer_width:
        return outer_width, max((2 * height * outer_width + width) // (2 * width), 1)
    return max((2 * width * outer_height + height) // (2 * height), 1), outer_height
