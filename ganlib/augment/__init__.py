"""Augmentations that both real and generated images pass before the discriminator sees them.

All have one signature, ``augment(images, rng) -> images``: ``(n, height, width, channels)`` float32 in
``[-1, 1]``, and a `ganlib.training.RandomStream`. They are differentiable, any number of times.
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
    "ADA", "POLICIES", "DiffAugment", "affine", "brightness", "contrast", "cutout", "elastic", "flip", "get", "get_fixed",
    "none", "paste", "saturation", "shift", "translation",
]  # fmt: skip


def get(augment):
    """None -> `none`; ``"ada"`` -> `ADA`; a policy such as ``"color,translation"`` -> `DiffAugment` of it; anything else
    unchanged.

    Raises:
        UserError: for an unknown name, and what is no function of ``(images, rng)``.
    """
    if not augment:
        return none
    if augment == "ada":
        return ADA()
    if isinstance(augment, str):
        return DiffAugment(augment)
    if isinstance(augment, type) or type(augment).__module__.startswith("keras.") or not _takes_two(augment):
        raise UserError(
            f"an augmentation is a name, such as 'translation', or a function of (images, rng), got {augment!r:.60}"
        )
    return augment


def _takes_two(function):
    try:
        inspect.signature(function).bind("images", "random")
    except TypeError:
        return False
    return True


def get_fixed(augment):
    """`get` for models without a discriminator, to which an augmentation could adapt itself.

    Raises:
        UserError: for an unknown name, or one that would.
    """
    found = get(augment)
    if hasattr(found, "adapt"):
        raise UserError("augmentation 'ada' adapts itself to a discriminator, and this model has none: choose another")
    return found
