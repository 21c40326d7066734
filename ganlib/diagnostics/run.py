"""Symptoms of a GAN's training, from what is measured while it runs."""

from ganlib.diagnostics import (
    balance,
    discriminator_dominates,
    discriminator_overfitting,
    generator_dominates,
    kernels,
    labels,
    memorization,
    mode_collapse,
    stale_average,
    unstable,
)

SYMPTOMS = (
    unstable.symptom,
    kernels.symptom,
    mode_collapse.symptom,
    memorization.symptom,
    discriminator_overfitting.symptom,
    discriminator_dominates.symptom,
    generator_dominates.symptom,
    labels.labels_ignored,
    labels.missing_class,
    stale_average.symptom,
)
"""Functions from a `ganlib.diagnostics.history.History` to a `Finding` or None."""

MEASURES = (balance, discriminator_overfitting, mode_collapse, memorization, stale_average, labels)
"""Modules with a function ``measures`` from a `ganlib.diagnostics.snapshot.Snapshot` to a dict."""


CURVES = [
    ("diversity, generated / real", {
        "diversity": "all images", "class_diversity": "within a class", "neighbor_distance": "nearest neighbors"}),
    ("nearest image is a training image", {"training_nearest": "share of generated images"}),
    ("overfitting of the discriminator", {"overfitting": "r_v"}),
    ("discriminator", {"discriminator_accuracy": "pairs ranked correctly"}),
    ("distance from real images", {"image_distance": "energy distance", "average_lag": "lag of the average"}),
    ("labels used, real = 1", {"labels_used": "advantage over guessing", "rarest_share": "frequency of rarest class"}),
]  # fmt: skip
"""The measures to draw, in the format of `ganlib.plots.curves`."""


def measures(snapshot, first=None, previous=None):
    """Returns everything that is measured on a `ganlib.diagnostics.snapshot.Snapshot`: a dict that can be written as JSON.

    Args:
        snapshot: The `Snapshot`.
        first: A dict from names of kernels to their scales at the first examination. Defaults to None.
        previous: The ``kernels`` of the previous snapshot. Defaults to None.
    """
    found = {}
    for module in MEASURES:
        found |= module.measures(snapshot)
    return found | kernels.measures(snapshot, first, previous)


def of_run(history):
    """Returns the symptoms in a `ganlib.diagnostics.history.History`, a list of `Finding`, the surest first."""
    found = {finding.symptom: finding for finding in filter(None, (symptom(history) for symptom in SYMPTOMS))}
    if "mode_collapse" in found:
        found.pop("missing_class", None)  # a consequence
    return sorted(found.values(), key=lambda finding: -finding.confidence)
