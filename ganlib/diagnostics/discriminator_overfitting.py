"""The discriminator overfits: it knows the training images instead of telling real images from generated ones."""

import numpy as np

from ganlib.diagnostics.history import finding

OVERFITTING = (0.35, 0.8)
"""The r_v of Karras et al. 2020 (arXiv:2006.06676, equation 1) from which overfitting is reported, and where it is certain.

It is 0 if the discriminator's logits for held-out images are those for training images, 1 if they are those for generated ones.
The target of the paper, to which it adapts the augmentation, is 0.5.
"""
SMALLEST_SET = 30
"""The number of held-out images from which r_v is measured."""
SMALLEST_GAP = 0.8
"""r_v is only measured if training and generated images differ by this many standard deviations of their logits."""


def measures(snapshot):
    """Returns ``overfitting``, the r_v of a `Snapshot`, if there are held-out images."""
    if len(snapshot.logits.get("held_out", ())) < SMALLEST_SET:
        return {}
    training, held_out, generated = (snapshot.logits[name] for name in ("training", "held_out", "generated"))
    gap, deviation = training.mean() - generated.mean(), np.sqrt((training.var() + generated.var()) / 2)
    if not gap > SMALLEST_GAP * deviation:
        return {}
    return {"overfitting": float((training.mean() - held_out.mean()) / gap)}


def symptom(history):
    """Finds an overfitted discriminator in a `History`: a `Finding`, or None."""
    value = history.value("overfitting") or 0.0
    return finding(
        "discriminator_overfitting",
        [history.reaches("overfitting", *OVERFITTING)],
        f"The discriminator's logits for held-out images are {value:.0%} of the way from those for training images to those "
        "for generated ones.",
        "Set --config.augment=ada, or --config.augment=color,translation,cutout with few images; increase the weight of the "
        "penalty; add images; stop at the step with the lowest FID.",
    )  # fmt: skip
