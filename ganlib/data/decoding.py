"""Decodes image files inside a TensorFlow graph, by the rules of `ganlib.data.folders`.

A JPEG is rotated by its EXIF tag, and a transparent PNG or WebP is composited over a background. Unlike Pillow, this module
ignores the orientation in XMP or in a PNG, the transparency of a GIF, and the single transparent color of a grayscale or RGB
PNG.
"""

import tensorflow as tf
from PIL import ImageColor

PNG, JPEG, WEBP = b"\x89PNG", b"\xff\xd8", b"RIFF"
APP1, START_OF_SCAN = 0xE1, 0xDA
EXIF = int.from_bytes(b"Exif", "big")
HEADER = 2**20
"""The number of bytes at the beginning of a file that are searched for EXIF tags."""
ORIENTATION = 0x0112
EXACT_MODES = {
    "JPEG": ("L", "RGB"), "PNG": ("L", "LA", "RGB", "RGBA", "P"), "WEBP": ("RGB", "RGBA"), "GIF": ("L", "P", "RGB"),
    "BMP": ("RGB",),
}  # fmt: skip
"""Pillow's format -> the modes that TensorFlow decodes to the same pixels."""
LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue: ITU-R 601, as in Pillow."""


def decoded(content, image_shape, background, known_orientation=None):
    """Decodes an image file to a uint8 tensor of shape ``image_shape``.

    Args:
        content: The contents of a PNG, JPEG, GIF, BMP or WebP file, a scalar string tensor.
        image_shape: ``(height, width, channels)``, with 1 or 3 channels.
        background: The color under transparent pixels, such as ``"white"``.
        known_orientation: The orientation of the image, as `orientation` returns it. Defaults to None, which reads it from
            the content.
    """
    image = tf.cond(
        _starts_with(content, JPEG),
        lambda: tf.io.decode_jpeg(content, channels=0, dct_method="INTEGER_ACCURATE"),  # as Pillow decodes
        lambda: tf.io.decode_image(content, channels=0, expand_animations=False),
    )  # channels=0 keeps the channels of the file
    turned = orientation(content) if known_orientation is None else known_orientation
    is_final = (turned == 1) & tf.reduce_all(tf.shape(image) == image_shape)  # as the following steps would leave it

    def converted():
        may_be_transparent = _starts_with(content, PNG) | _starts_with(content, WEBP)
        opaque = _opaque(tf.cast(image, tf.float32), may_be_transparent, ImageColor.getrgb(background)[:3])
        return fitted(_upright(opaque, turned), image_shape)

    return tf.ensure_shape(tf.cond(is_final, lambda: image, converted), image_shape)


def fitted(image, image_shape):
    """Crops an image to the central part with the aspect ratio of ``image_shape``, and resizes it with the antialiased Lanczos
    filter.

    Args:
        image: ``(height, width, 3)``, or with the channels of ``image_shape``, in ``[0, 255]``.
        image_shape: ``(height, width, channels)``, with 1 or 3 channels.

    Returns:
        A uint8 tensor of shape ``image_shape``.
    """
    height, width, channels = image_shape
    image = tf.cast(image, tf.float32)
    if channels == 1 and image.shape[-1] == 3:
        image = tf.round(tf.reduce_sum(image * LUMA, axis=-1, keepdims=True))
    part = _central_part(image, (height, width))
    resized = _resized(_resized(part, (tf.shape(part)[0], width)), (height, width))  # first the width, as Pillow does
    return tf.ensure_shape(tf.cast(resized, tf.uint8), image_shape)


def ends_well(content):
    """Returns False if a JPEG or PNG file lacks the bytes at its end, as a truncated file does.

    A complete JPEG may also lack them, because some cameras append other data.

    Args:
        content: The contents of a file of any kind, a scalar string tensor.
    """
    ends_as_jpeg = tf.strings.substr(content, -2, 2) == b"\xff\xd9"
    ends_as_png = tf.strings.substr(content, -8, 4) == b"IEND"
    return tf.where(_starts_with(content, JPEG), ends_as_jpeg, tf.where(_starts_with(content, PNG), ends_as_png, True))


def is_exact(image):
    """Returns True if `decoded`, given the file's orientation, agrees with Pillow on the pixels of an open Pillow image, up to
    rounding.

    Args:
        image: A `PIL.Image.Image` whose header was read.
    """
    if getattr(image, "is_animated", False) or image.mode not in EXACT_MODES.get(image.format, ()):
        return False
    if image.format == "JPEG":
        return True
    covers_all = image.format != "GIF" or image.tile[0][1] == (0, 0, *image.size)
    return covers_all and "transparency" not in image.info and exif_orientation(image) == 1


def exif_orientation(image):
    """Returns the orientation of an open Pillow image, from 1 to 8."""
    has_tags = image.format == "JPEG" or "exif" in image.info  # to look further, Pillow would decode a PNG
    value = image.getexif().get(ORIENTATION, 1) if has_tags else 1
    return value if value in range(1, 9) else 1


def _central_part(image, target):
    """Crops an image like `ganlib.data.folders.fit_array`. Its size is known only when the graph runs."""
    height, width = tf.unstack(tf.shape(image)[:2])
    rows = tf.maximum((width * target[0] + target[1] // 2) // target[1], 1)
    columns = tf.maximum((height * target[1] + target[0] // 2) // target[0], 1)
    is_tall = height * target[1] > width * target[0]
    rows, columns = tf.where(is_tall, rows, height), tf.where(is_tall, width, columns)
    top, left = (height - rows) // 2, (width - columns) // 2
    return image[top : top + rows, left : left + columns]


def _resized(image, size):
    resized = tf.image.resize(image, size, method="lanczos3", antialias=True)
    return tf.clip_by_value(tf.round(resized), 0.0, 255.0)


def _opaque(image, may_be_transparent, background):
    """Composites an image over a background: ``(height, width, 1 to 4)``, gray or RGB, with or without alpha, ->
    ``(height, width, 3)``, in [0, 255]."""
    channels = tf.shape(image)[-1]
    colors = tf.cond(channels < 3, lambda: tf.repeat(image[..., :1], 3, axis=-1), lambda: image[..., :3])
    alpha = tf.cond(
        may_be_transparent & (channels % 2 == 0), lambda: image[..., -1:] / 255.0, lambda: tf.ones_like(image[..., :1])
    )
    return tf.ensure_shape(tf.round(alpha * colors + (1.0 - alpha) * background), (None, None, 3))


def _upright(image, orientation):
    """Flips and transposes an image according to its EXIF orientation, 1 to 8."""
    image = tf.cond(orientation >= 5, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    flip_vertical = tf.reduce_any(orientation == [3, 4, 7, 8])
    flip_horizontal = tf.reduce_any(orientation == [2, 3, 6, 7])
    image = tf.cond(flip_vertical, lambda: image[::-1], lambda: image)
    return tf.cond(flip_horizontal, lambda: image[:, ::-1], lambda: image)


def orientation(content):
    """Returns the EXIF orientation of a JPEG file, an int32 scalar from 1 to 8. It is 1 if the file has none.

    Args:
        content: The contents of a file of any kind, a scalar string tensor.
    """
    header = tf.io.decode_raw(tf.strings.substr(content, 0, HEADER), tf.uint8)
    size = tf.shape(header)[0]
    header = tf.concat([header, tf.zeros(1, tf.uint8)], axis=0)  # reads beyond the end give 0

    def number(starts, places):
        """Reads unsigned integers. Each consists of the bytes at a start plus ``places``, the lowest byte first."""
        positions = starts[..., None] + tf.constant(places)
        values = tf.cast(tf.gather(header, tf.where((positions >= 0) & (positions < size), positions, size)), tf.int32)
        return tf.reduce_sum(values * [256**power for power in range(len(places))], axis=-1)

    def continue_scan(start):
        return (number(start, [0]) == 0xFF) & (number(start, [1]) != START_OF_SCAN) & ~is_exif(start)

    def is_exif(start):
        return (number(start, [1]) == APP1) & (number(start, [7, 6, 5, 4]) == EXIF)

    start = tf.while_loop(continue_scan, lambda start: [start + 2 + number(start, [3, 2])], [tf.constant(2)])[0]
    tiff = start + 10
    little_endian = number(tiff, [0]) == ord("I")

    def value(starts, length):
        forward = list(range(length))
        return tf.where(little_endian, number(starts, forward), number(starts, forward[::-1]))

    directory = tiff + value(tiff + 4, 4)
    entries = directory + 2 + 12 * tf.range(value(directory, 2))
    orientation = tf.reduce_sum(tf.where(value(entries, 2) == ORIENTATION, value(entries + 8, 2), 0))
    valid = _starts_with(content, JPEG) & is_exif(start) & (orientation >= 1) & (orientation <= 8)
    return tf.where(valid, orientation, 1)


def _starts_with(content, magic):
    return tf.equal(tf.strings.substr(content, 0, len(magic)), magic)
