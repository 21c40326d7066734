"""Reads the chunks of PNG files."""

import struct

_METADATA = (b"eXIf", b"iTXt", b"zTXt", b"tEXt")


def has_late_metadata(file):
    """Returns True if a PNG file has metadata after its pixels, where Pillow finds them only by decoding the pixels.

    Args:
        file: A binary file object. Its position is kept.
    """
    position, found, pixels = file.tell(), False, False
    file.seek(8)
    while not (found and pixels):
        start = file.read(8)
        if len(start) < 8:
            break
        length, kind = struct.unpack(">I4s", start)
        pixels = pixels or kind == b"IDAT"
        found = pixels and kind in _METADATA
        file.seek(length + 4, 1)
    file.seek(position)
    return found
