"""Images with nothing on them."""

import numpy as np

from ganlib.diagnostics.finding import Finding, confidence, share

SMALLEST_DEVIATION = 2.0
"""The standard deviation of the pixels, of 255 gray levels, below which an image is blank. Noise of JPEG files is below it."""
BLANK = (0.001, 0.02)
"""The share of blank images where the symptom is reported, and where it is certain."""


def blank_images(images, name_of=str):
    """Finds images of a single color, such as all black ones, also those with values from 0 to 1 in place of 0 to 255.

    Args:
        images: ``(n, height, width, channels)`` uint8.
        name_of: A function from the index of an image to its name. Defaults to `str`.

    Returns:
        A `Finding`, or None.
    """
    blank = np.array([index for index, image in enumerate(images) if _is_blank(image)], np.int64)
    sure = confidence(len(blank) / len(images), *BLANK) if len(blank) else None
    if sure is None:
        return None
    evidence = f"{share(len(blank), len(images))} images have a single color, such as {name_of(blank[0])}."
    largest = images[blank].max()
    if largest <= 1 and len(blank) > len(images) / 2:
        evidence += f" Their values are from 0 to {largest}."
        advice = "The files seem to hold values from 0 to 1. Write them again with values from 0 to 255."
    else:
        advice = "Delete these images, or find out why they are empty: a failed download, a closed lens, a wrong mask."
    return Finding("blank_images", sure, evidence, advice, blank)


def _is_blank(image):
    return max(image[..., channel].std() for channel in range(image.shape[-1])) < SMALLEST_DEVIATION
