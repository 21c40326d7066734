"""Fits images into a size."""

import numpy as np
from PIL import Image


def fit_array(image, size):
    """Crops ``(height, width, channels)`` uint8 to its central square and resizes it to ``(size, size, channels)``.

    The filter is Pillow's Lanczos filter, which is antialiased when downsampling.
    """
    height, width, channels = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    square = Image.fromarray(square[..., 0] if channels == 1 else square)
    return np.asarray(square.resize((size, size), Image.Resampling.LANCZOS)).reshape(size, size, channels)
