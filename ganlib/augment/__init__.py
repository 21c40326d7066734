"""Data augmentations, applied to real and generated images before the discriminator.

All augmentations have the signature ``augment(images, rng) -> images``, with ``(n, height, width, channels)`` float32 images
in ``[-1, 1]`` and a `ganlib.training.RandomStream`. They have derivatives of every order, except for `randaugment` and
`CTAugment`, which are for classifiers.
"""

import inspect

from ganlib.augment.ada import ADA
from ganlib.augment.ct_augment import CTAugment
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
    reflected_shift,
    saturation,
    shift,
    translation,
)
from ganlib.augment.rand_augment import randaugment
from ganlib.errors import UserError

__all__ = [
    "ADA",
    "POLICIES",
    "CTAugment",
    "DiffAugment",
    "affine",
    "brightness",
    "contrast",
    "cutout",
    "elastic",
    "flip",
    "get",
    "get_fixed",
    "get_strong",
    "none",
    "paste",
    "randaugment",
    "reflected_shift",
    "saturation",
    "shift",
    "translation",
]


def get(augment):
    """Returns the augmentation of a GAN from its name.

    Args:
        augment: None for `none`, ``"ada"`` for `ADA`, a policy such as ``"color,translation"`` for `DiffAugment` with this
            policy, or a function of ``(images, rng)``, which is returned unchanged.

    Raises:
        UserError: If the name is unknown, the argument is not a function of ``(images, rng)``, or the augmented images have no
            derivatives.
    """
    augmentation = _resolved(augment)
    if not getattr(augmentation, "is_differentiable", True):
        raise UserError(
            f"the images of augmentation {_described(augment)} have no derivatives, which a generator needs: choose another "
            "augmentation"
        )
    return augmentation


def get_fixed(augment):
    """Returns the augmentation of a classifier from its name.

    Args:
        augment: As in `get`. The policy may have ``randaugment``. Adaptive augmentations are rejected.

    Raises:
        UserError: If the name is unknown, or the augmentation is adaptive.
    """
    augmentation = get_strong(augment)
    if isinstance(augmentation, CTAugment):
        raise UserError(
            f"augmentation {_described(augment)} adapts to the classification of labeled images, which only the strong "
            "augmentation of pseudo-labels does: choose another augmentation, such as 'randaugment'"
        )
    return augmentation


def get_strong(augment):
    """Returns the strong augmentation of a classifier that learns from its own predictions, from its name.

    Args:
        augment: As in `get`. The policy may have ``randaugment``, or end with ``ctaugment`` for `CTAugment`.

    Raises:
        UserError: If the name is unknown, ``ctaugment`` is not the last one, or the augmentation adapts to a discriminator.
    """
    augmentation = _resolved(augment)
    if hasattr(augmentation, "adapt"):
        raise UserError("augmentation 'ada' adapts to a discriminator, and this model has none: choose another augmentation")
    return augmentation


def _resolved(augment):
    """Returns the augmentation for an argument of `get`, whatever its kind."""
    if not augment:
        return none
    if augment == "ada":
        return ADA()
    if isinstance(augment, str):
        *before, last = (term.strip() for term in augment.split(","))
        if "ctaugment" in before:
            raise UserError(f"augmentation 'ctaugment' must be the last one, because it ends with cutout, got {augment!r:.80}")
        return CTAugment(",".join(before)) if last == "ctaugment" else DiffAugment(augment)
    is_keras = type(augment).__module__.startswith("keras.")
    if isinstance(augment, type) or is_keras or not _takes_two_arguments(augment):
        raise UserError(
            f"an augmentation must be a name, such as 'translation', or a function of (images, rng), got {augment!r:.60}"
        )
    return augment


def _described(augment):
    """Returns an augmentation's name in a message."""
    return f"{augment!r:.80}" if isinstance(augment, str) else repr(type(augment).__name__)


def _takes_two_arguments(function):
    try:
        inspect.signature(function).bind("images", "rng")
    except TypeError:
        return False
    return True
