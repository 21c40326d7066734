"""Decodes image files inside a TensorFlow graph, by the rules of `ganlib.data.folders`.

A JPEG is rotated by its EXIF tag, and a transparent PNG or WebP is composited over a background. Unlike Pillow, this module
ignores the orientation in XMP or in a PNG, the transparency of a GIF, and the single transparent color of a grayscale or RGB
PNG.
"""

import io

import tensorflow as tf
from PIL import ImageColor

PNG, JPEG, WEBP = b"\x89PNG", b"\xff\xd8", b"RIFF"
APP1, START_OF_SCAN = 0xE1, 0xDA
EXIF = int.from_bytes(b"Exif", "big")
HEADER = 2**20
"""The number of bytes at the beginning of a file that are searched for EXIF tags."""
ORIENTATION = 0x0112
WINDOWS_HEADER = 54
"""The size in bytes of the smallest header of a BMP file of Windows. That of OS/2 is smaller."""
EXACT_MODES = {
    "JPEG": ("L", "RGB"), "PNG": ("L", "LA", "RGB", "RGBA", "P"), "WEBP": ("RGB", "RGBA"), "GIF": ("L", "P", "RGB"),
    "BMP": ("RGB",),
}  # fmt: skip
"""Pillow's format -> the modes that TensorFlow decodes to the same pixels."""
LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue: ITU-R 601, as in Pillow."""


def decoded(content, image_shape, background, fit="crop", known_orientation=None):
    """Decodes an image file to a uint8 tensor of shape ``image_shape``.

    Args:
        content: The contents of a PNG, JPEG, GIF, BMP or WebP file, a scalar string tensor.
        image_shape: ``(height, width, channels)``, with 1 or 3 channels.
        background: The color under transparent pixels and of the borders of ``"pad"``, such as ``"white"``.
        fit: ``"crop"``, ``"pad"`` or ``"stretch"``, as in `ganlib.data.fitting`. Defaults to ``"crop"``.
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
        return fitted(_upright(opaque, turned), image_shape, fit, background)

    return tf.ensure_shape(tf.cond(is_final, lambda: image, converted), image_shape)


def fitted(image, image_shape, fit="crop", background="white"):
    """Gives an image its shape, by the rules of `ganlib.data.fitting`.

    Args:
        image: ``(height, width, 3)``, or with the channels of ``image_shape``, in ``[0, 255]``.
        image_shape: ``(height, width, channels)``, with 1 or 3 channels.
        fit: ``"crop"``, ``"pad"`` or ``"stretch"``. Defaults to ``"crop"``.
        background: The color of the borders of ``"pad"``. Defaults to ``"white"``.

    Returns:
        A uint8 tensor of shape ``image_shape``.
    """
    *size, channels = image_shape
    image = tf.cast(image, tf.float32)
    if channels == 1 and image.shape[-1] == 3:
        image = tf.round(tf.reduce_sum(image * LUMA, axis=-1, keepdims=True))
    image = _fitted(image, size, fit, ImageColor.getrgb(background)[:3])
    return tf.ensure_shape(tf.cast(image, tf.uint8), image_shape)


def _fitted(image, size, fit, background):
    """Gives an image a size, by the rules of `ganlib.data.fitting`."""
    height, width = size
    sides = tf.shape(image, tf.int64)[:2]
    if fit == "crop":
        inner_width, inner_height = _shape_within(width, height, sides[1], sides[0])
        top, left = (sides[0] - inner_height) // 2, (sides[1] - inner_width) // 2
        image = image[top : top + inner_height, left : left + inner_width]
    if fit != "pad":
        return _resized(image, (height, width))
    inner_width, inner_height = _shape_within(sides[1], sides[0], width, height)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    color = tf.constant(background, tf.float32)
    color = color if image.shape[-1] == 3 else tf.round(tf.reduce_sum(color * LUMA, keepdims=True))
    borders = [[top, height - inner_height - top], [left, width - inner_width - left], [0, 0]]
    return tf.pad(_resized(image, (inner_height, inner_width)) - color, borders) + color


def _shape_within(width, height, outer_width, outer_height):
    """`ganlib.data.fitting.shape_within` for scalar tensors."""
    width, height, outer_width, outer_height = (tf.cast(x, tf.int64) for x in (width, height, outer_width, outer_height))
    along = (outer_width, tf.maximum((2 * height * outer_width + width) // (2 * width), 1))
    across = (tf.maximum((2 * width * outer_height + height) // (2 * height), 1), outer_height)
    is_wider = width * outer_height > height * outer_width
    return tuple(tf.where(is_wider, *pair) for pair in zip(along, across, strict=True))


def ends_well(content):
    """Returns False if a JPEG or PNG file lacks the bytes at its end, as a truncated file does.

    A complete JPEG may also lack them, because some cameras append other data.

    Args:
        content: The contents of a file of any kind, a scalar string tensor.
    """
    ends_as_jpeg = tf.strings.substr(content, -2, 2) == b"\xff\xd9"
    ends_as_png = tf.strings.substr(content, -8, 4) == b"IEND"
    return tf.where(_starts_with(content, JPEG), ends_as_jpeg, tf.where(_starts_with(content, PNG), ends_as_png, True))


def is_exact(image, name, orientation):
    """Returns True if `decoded`, given the file's orientation, agrees with Pillow on the pixels of an open Pillow image, up to
    rounding.

    Args:
        image: A `PIL.Image.Image` whose header was read.
        name: The name of its format, such as ``"JPEG"``.
        orientation: Its orientation, from 1 to 8.
    """
    if name == "JPEG":
        return image.mode in EXACT_MODES[name]
    if getattr(image, "is_animated", False) or image.mode not in EXACT_MODES.get(name, ()):
        return False
    covers_all = name != "GIF" or image.tile[0][1] == (0, 0, *image.size)
    is_plain = name != "BMP" or _is_plain_bmp(image)
    return covers_all and is_plain and "transparency" not in image.info and orientation == 1


def _is_plain_bmp(image):
    """Returns True if an open BMP file is of the only kind that TensorFlow knows: blue, green and red of 8 bits in this order,
    the header of Windows, and no bytes after the pixels. TensorFlow decodes another order without an error.
    """
    _, _, offset, (raw_mode, row_bytes, _) = image.tile[0]
    size = image.fp.seek(0, io.SEEK_END)
    return raw_mode in ("BGR", "BGRX") and offset >= WINDOWS_HEADER and size == offset + row_bytes * image.height


def _resized(image, size):
    """Resizes an image like Pillow: first its width, then its height, each rounded to whole numbers."""
    height, width = size
    for sides in ((tf.shape(image)[0], width), (height, width)):
        image = tf.image.resize(image, tf.stack([tf.cast(side, tf.int32) for side in sides]), method="lanczos3", antialias=True)
        image = tf.clip_by_value(tf.round(image), 0.0, 255.0)
    return image


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
