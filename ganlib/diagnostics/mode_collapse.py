"""The generated images lack diversity: they are all alike, or alike within a class, or copies of a few."""

import numpy as np

from ganlib.diagnostics.distances import mean_distance, neighbor_distance
from ganlib.diagnostics.history import finding

DIVERSITY = (0.5, 0.25)
"""The mean distance between generated images, divided by that between real ones, below which a collapse is reported, and where
it is certain."""
CLASS_DIVERSITY = (0.25, 0.1)
"""The same within a class, the median of the classes. Small networks that are conditioned on labels reach 0.3 to 0.4."""
NEIGHBOR_DISTANCE = (0.25, 0.1)
"""The same for the distance of an image to its nearest neighbor: small if there are only a few different images."""
SMALLEST_SET = 200
"""The number of real images from which nearest neighbors are compared. A good generator repeats images of a smaller set."""
SMALLEST_CLASS = 8
"""The number of generated images of a class from which its diversity is measured."""


def measures(snapshot):
    """Returns the ``diversity``, the ``neighbor_distance`` and the median ``class_diversity`` of a `Snapshot`, each divided by
    that of as many real images."""
    generated, real = snapshot.generated, snapshot.training
    found = {"diversity": _ratio(mean_distance(generated), real.mean_distance)}
    if len(real.some_pixels) >= SMALLEST_SET:
        found["neighbor_distance"] = _ratio(neighbor_distance(generated[: len(real.some_pixels)]), real.neighbor_distance)
    if snapshot.labels is not None and real.labels is not None:
        ratios = []
        for label in np.unique(snapshot.labels):
            of_class = generated[snapshot.labels == label]
            others = real.pixels[real.labels == label][: len(of_class)]
            if min(len(of_class), len(others)) >= SMALLEST_CLASS:
                ratios.append(_ratio(mean_distance(of_class), mean_distance(others)))
        if ratios:
            found["class_diversity"] = float(np.median(ratios))
    return found


def _ratio(generated, real):
    return float(generated / max(real, 1e-6))


def symptom(history):
    """Finds a loss of diversity in a `History`: a `Finding`, or None."""
    names = {"diversity": DIVERSITY, "class_diversity": CLASS_DIVERSITY, "neighbor_distance": NEIGHBOR_DISTANCE}
    sure = {name: history.reaches(name, *limits) for name, limits in names.items()}
    described = {
        "diversity": "The mean distance between two generated images is {:.0%} of that between two real ones.",
        "class_diversity": "The mean distance between two generated images of one class is {:.0%} of that between real ones.",
        "neighbor_distance": "The distance of a generated image to the most similar other one is {:.0%} of that of real ones.",
    }
    evidence = [described[name].format(history.value(name)) for name, value in sure.items() if value is not None]
    return finding(
        "mode_collapse",
        list(sure.values()),
        " ".join(evidence),
        "Start again with a lower learning rate of the generator, a penalty such as --config.penalties.r1.weight=10, a wider "
        "discriminator or --config.loss=relativistic; with few images set --config.augment=color,translation,cutout.",
    )
