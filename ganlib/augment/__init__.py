"""Data augmentations, applied to real and generated images before the discriminator.

All augmentations have the signature ``augment(images, rng) -> images``, with ``(n, height, width, channels)`` float32 images
in ``[-1, 1]`` and a `ganlib.training.RandomStream`. They have derivatives of every order.
"""

import inspect

from ganlib.augment.ada import ADA
from ganlib.augment.functions import (
    POLICIES,
    DiffAugment,
    affine,
    brightness,
    contrast,
    cutout,
    elastic,
    flip,
    none,
    paste,
    saturation,
    shift,
    translation,
)
from ganlib.errors import UserError

__all__ = [
    "ADA",
    "POLICIES",
    "DiffAugment",
    "affine",
    "brightness",
    "contrast",
    "cutout",
    "elastic",
    "flip",
    "get",
    "get_fixed",
    "none",
    "paste",
    "saturation",
    "shift",
    "translation",
]


def get(augment):
    """Returns an augmentation from its name.

    Args:
        augment: None for `none`, ``"ada"`` for `ADA`, a policy such as ``"color,translation"`` for `DiffAugment` with this
            policy, or a function of ``(images, rng)``, which is returned unchanged.

    Raises:
        UserError: If the name is unknown, or the argument is not a function of ``(images, rng)``.
    """
    if not augment:
        return none
    if augment == "ada":
        return ADA()
    if isinstance(augment, str):
        return DiffAugment(augment)
    is_keras = type(augment).__module__.startswith("keras.")
    if isinstance(augment, type) or is_keras or not _takes_two_arguments(augment):
        raise UserError(
            f"an augmentation must be a name, such as 'translation', or a function of (images, rng), got {augment!r:.60}"
        )
    return augment


def _takes_two_arguments(function):
    try:
        inspect.signature(function).bind("images", "rng")
    except TypeError:
        return False
    return True


def get_fixed(augment):
    """Returns an augmentation like `get`, but rejects adaptive augmentations, which need a discriminator.

    Args:
        augment: As in `get`.

    Raises:
        UserError: If the name is unknown, or the augmentation is adaptive.
    """
    augmentation = get(augment)
    if hasattr(augmentation, "adapt"):
        raise UserError("augmentation 'ada' adapts to a discriminator, and this model has none: choose another augmentation")
    return augmentation
