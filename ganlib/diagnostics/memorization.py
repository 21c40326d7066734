"""The generator memorizes: its images are copies of training images."""

import numpy as np

from ganlib.diagnostics.distances import nearest
from ganlib.diagnostics.history import finding

TRAINING_NEAREST = (0.75, 0.95)
"""The share of the generated images whose nearest real image is a training image instead of one of as many held-out ones, from
which copies are reported, and where they are certain. One half is expected without copies.

Meehan et al. 2020, "A non-parametric test to detect data-copying in generative models" (arXiv:2004.05675).
"""
SECOND_NEAREST = (0.5, 0.25)
"""The median distance of a generated image to the nearest training image, divided by that to the second nearest, below which
copies are reported without held-out images. It is almost 1 without copies."""
LEAST_DIVERSITY = 0.4
"""The diversity, as in `mode_collapse`, from which this share is used. Images that are all alike have one nearest image."""
SMALLEST_SET = 30
"""The number of images of each kind from which it is measured."""


def measures(snapshot):
    """Returns ``training_nearest`` and ``second_nearest`` of a `Snapshot`: see `TRAINING_NEAREST` and `SECOND_NEAREST`."""
    training = snapshot.training.pixels
    if len(training) < 2:
        return {}
    distances = nearest(snapshot.generated, training, 2)[1]
    found = {"second_nearest": float(np.median(distances[:, 0] / np.maximum(distances[:, 1], 1e-6)))}
    if snapshot.held_out is not None:
        count = min(len(training), len(snapshot.held_out.pixels))
        if count >= SMALLEST_SET:
            to_training, to_held_out = (
                nearest(snapshot.generated, pixels[:count])[1][:, 0] for pixels in (training, snapshot.held_out.pixels)
            )
            found["training_nearest"] = float(np.mean(to_training < to_held_out) + np.mean(to_training == to_held_out) / 2)
    return found


def symptom(history):
    """Finds copies of training images in a `History`: a `Finding`, or None."""
    sure = [history.reaches("training_nearest", *TRAINING_NEAREST), history.reaches("second_nearest", *SECOND_NEAREST)]
    if (history.value("diversity") or 0.0) < LEAST_DIVERSITY:
        sure[0] = None
    evidence = []
    if sure[0] is not None:
        evidence.append(
            f"{history.value('training_nearest'):.0%} of the generated images are nearer to a training image than to one of as "
            "many held-out images; half of them would be expected."
        )
    if sure[1] is not None:
        evidence.append(
            f"The nearest training image is {history.value('second_nearest'):.2f} times as far from a generated image as the "
            "second nearest."
        )
    return finding(
        "memorization",
        sure,
        " ".join(evidence),
        "Add images; set --config.augment=ada; stop earlier. Compare the generated images with their nearest training images: "
        "experiments.evaluate writes neighbours.png.",
    )
