"""Transformations of gray levels as tables with an entry for each of the 256 levels, as in Pillow.

``pixels`` are ``(n, height, width, channels)`` float32 whole numbers from 0 to 255. ``table`` is ``(n, channels, 256)``
float32, the new level of each level, and each setting is ``(n,)`` float32, one number for each image.

Nothing is rounded down after a division of floats: TensorFlow's CPU kernels divide 1 by 1 to 0.99999994 in a graph.
"""

import tensorflow as tf

LEVELS = 256


def mapped(pixels, settings):
    """Maps the levels of each image by the named transformations, one after the other.

    Args:
        pixels: ``(n, height, width, channels)`` float32 whole numbers from 0 to 255.
        settings: Name from `TABLES` -> ``(n,)`` float32.

    Returns:
        Pixels of the same shape.
    """
    count, channels = tf.shape(pixels)[0], pixels.shape[-1]
    table = tf.broadcast_to(tf.range(LEVELS, dtype=tf.float32), (count, channels, LEVELS))
    for name, setting in settings.items():
        table = TABLES[name](table, pixels, setting[:, None, None])
    return tf.gather(tf.reshape(table, (-1,)), _entries(pixels))


def blended(first, second, share):
    """Returns ``first + share * (second - first)``, limited to levels and rounded down. All have shapes that broadcast."""
    return tf.floor(tf.clip_by_value(first + share * (second - first), 0.0, LEVELS - 1.0))


def gray(pixels):
    """Returns the luminance of ``(n, height, width, 1 or 3)`` pixels: ``(n, height, width, 1)``, whole numbers."""
    if pixels.shape[-1] == 1:
        return pixels
    red, green, blue = tf.split(pixels, 3, axis=-1)
    return tf.floor((red * 19595.0 + green * 38470.0 + blue * 7471.0 + 32768.0) * 2.0**-16)


def autocontrast(table, pixels, share):
    """Blends with the image in which the lowest level of each channel is 0 and the highest is 255."""
    is_present = _histogram(pixels) > 0
    lowest = tf.argmax(is_present, axis=-1, output_type=tf.int32)[..., None]
    highest = LEVELS - 1 - tf.argmax(is_present[..., ::-1], axis=-1, output_type=tf.int32)[..., None]
    stretched = (tf.range(LEVELS) - lowest) * (LEVELS - 1) // tf.maximum(highest - lowest, 1)
    stretched = tf.cast(tf.clip_by_value(stretched, 0, LEVELS - 1), tf.float32)
    return blended(table, tf.where(highest > lowest, stretched, table), share)


def equalize(table, pixels, share):
    """Blends with the image in which the levels of each channel are equally frequent."""
    counts = _histogram(pixels)
    total = tf.reduce_sum(counts, axis=-1, keepdims=True)
    at_highest = tf.reduce_sum(tf.where(tf.cumsum(counts, axis=-1) == total, counts, 0), axis=-1, keepdims=True)
    step = (total - at_highest) // (LEVELS - 1)
    equalized = (step // 2 + tf.cumsum(counts, axis=-1, exclusive=True)) // tf.maximum(step, 1)
    equalized = tf.cast(tf.minimum(equalized, LEVELS - 1), tf.float32)
    return blended(table, tf.where(step > 0, equalized, table), share)


def invert(table, pixels, share):
    """Blends with the negative of the image."""
    return blended(table, LEVELS - 1.0 - table, share)


def brightness(table, pixels, factor):
    """Multiplies all levels by a factor."""
    return blended(0.0, table, factor)


def contrast(table, pixels, factor):
    """Multiplies the distance of all levels from the image's mean luminance, a whole number, by a factor."""
    mean = tf.floor(tf.reduce_mean(gray(pixels), axis=(1, 2)) + 0.5)
    return blended(mean[:, None], table, factor)


def posterize(table, pixels, bits):
    """Keeps the highest bits of each level."""
    unit = tf.bitwise.left_shift(tf.ones_like(bits, tf.int32), 8 - tf.cast(bits, tf.int32))
    return tf.cast(tf.bitwise.bitwise_and(tf.cast(table, tf.int32), LEVELS - unit), tf.float32)


def solarize(table, pixels, threshold):
    """Inverts the levels that are not below a threshold."""
    return tf.where(table < threshold, table, LEVELS - 1.0 - table)


TABLES = {
    "autocontrast": autocontrast,
    "equalize": equalize,
    "invert": invert,
    "brightness": brightness,
    "contrast": contrast,
    "posterize": posterize,
    "solarize": solarize,
}
"""Name -> function of a table, pixels and a setting, which has two more axes of size 1, that returns the next table."""


def _entries(pixels):
    """Returns the index of each pixel's entry in a flat ``(n, channels, 256)`` array, int32 with the shape of ``pixels``."""
    count, channels = tf.shape(pixels)[0], pixels.shape[-1]
    rows = tf.reshape(tf.range(count * channels), (count, 1, 1, channels))
    return rows * LEVELS + tf.cast(pixels, tf.int32)


def _histogram(pixels):
    """Counts the pixels of each level: ``(n, channels, 256)`` int32."""
    count, channels = tf.shape(pixels)[0], pixels.shape[-1]
    entries = tf.reshape(_entries(pixels), (-1,))
    counts = tf.math.unsorted_segment_sum(tf.ones_like(entries), entries, count * channels * LEVELS)
    return tf.reshape(counts, (count, channels, LEVELS))
