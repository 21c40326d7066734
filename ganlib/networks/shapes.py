"""The shapes of images that a network supports, and the resolutions of its feature maps.

A network lists square sizes, each with the number of times that the resolution doubles. It also generates rectangles and other
squares, with the layers of a listed size: see `size_of`.
"""

from ganlib.errors import UserError


def size_of(image_shape, doublings, network):
    """Returns the listed size whose layers a network has for images of a shape.

    It is the largest listed size that does not exceed the shorter side of the images. Both sides must be multiples of 2 to the
    power of its number of doublings. For example, images of 64x96 have the layers of 64x64, and their lowest resolution is 4x6
    instead of 4x4.

    Args:
        image_shape: ``(height, width, channels)``.
        doublings: A dict from the listed sizes to the number of times that the resolution doubles or halves.
        network: The name of the network for the message.

    Raises:
        UserError: If the shorter side is below the smallest size or at least twice the largest one, or if a side is not such a
            multiple.

    Examples:
        >>> from ganlib.networks import shapes
        >>> size = shapes.size_of((64, 96, 3), {32: 3, 64: 4}, "mine")
        >>> size, shapes.lowest((64, 96, 3), 4)
        (64, (4, 6))
    """
    height, width, _ = image_shape
    shorter, smallest, limit = min(height, width), min(doublings), 2 * max(doublings)
    if not smallest <= shorter < limit:
        raise UserError(
            f"{network} cannot generate images of {height}x{width}: choose a shorter side from {smallest} to {limit - 1}"
        )
    size = max(size for size in doublings if size <= shorter)
    unit = 2 ** doublings[size]
    if height % unit or width % unit:
        fitting = f"{height // unit * unit}x{width // unit * unit}"
        raise UserError(
            f"{network} cannot generate images of {height}x{width}: both sides must be multiples of {unit}, such as {fitting}"
        )
    return size


def shared_doublings(generator_widths, discriminator_widths):
    """Returns the numbers of doublings for `size_of` of residual networks whose generator and discriminator may differ in them.

    Args:
        generator_widths: A dict from sizes to the widths at each resolution.
        discriminator_widths: A dict from sizes to the widths of the blocks that halve the resolution, and of the other blocks.
    """
    return {size: max(len(generator_widths[size]) - 1, len(discriminator_widths[size][0])) for size in generator_widths}


def lowest(image_shape, doublings):
    """Returns the lowest resolution ``(height, width)`` of images of a shape, given a number of doublings."""
    return image_shape[0] >> doublings, image_shape[1] >> doublings


def resolutions(size, doublings):
    """Returns the resolutions from the lowest to ``size``, each twice the previous one."""
    return [size >> halvings for halvings in range(doublings, -1, -1)]


def tapered(resolutions, width, channels_base):
    """Returns the channels at each resolution: ``width``, or ``channels_base`` divided by the resolution if that is smaller."""
    return [min(channels_base // side, width) for side in resolutions]
