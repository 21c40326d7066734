"""The classes of generated images, as nearest neighbors see them: labels that are ignored, and classes that are missing."""

import numpy as np

from ganlib.diagnostics.distances import vote
from ganlib.diagnostics.history import finding

LABELS_USED = (0.25, 0.05)
"""How far the judge's accuracy on generated images is from guessing, as a share of the same on real images, below which ignored
labels are reported, and where they are certain."""
CLEAR_JUDGE = 0.15
"""How much better than guessing the judge must be on real images."""
RECOGNIZED = (0.15, 0.02)
"""The frequency of a class among the generated images, divided by that of real ones, below which it is reported as missing."""
EXACT_JUDGE = 0.8
"""The share of the real images of a class that the judge must recognize for it to be reported as missing."""
SMALLEST_EXPECTED = 10
"""The number of generated images of a class that are expected, from which it can be missing."""


def measures(snapshot):
    """Returns the judge's results on a `Snapshot` of images with classes.

    Returns:
        A dict with ``judge_accuracy``, its mean accuracy over the classes of real images; for a conditional generator,
        ``labels_used``, the same on generated images relative to that, both measured from guessing; ``rarest_class`` and
        ``rarest_share``, the class whose frequency among generated images is lowest relative to the expected one, and that
        ratio, among the classes that the judge recognizes.
    """
    real, classes = snapshot.training, snapshot.num_classes
    if real.labels is None or classes < 2 or len(real.pixels) < 10 * classes:
        return {}
    recalls = _recalls(real.judged, real.labels[: len(real.judged)], classes)
    accuracy, guessing = float(np.nanmean(recalls)), 1.0 / classes
    found = {"judge_accuracy": accuracy}
    generated = vote(snapshot.generated, real.pixels, real.labels)
    if snapshot.labels is not None and accuracy - guessing >= CLEAR_JUDGE:
        used = np.nanmean(_recalls(generated, snapshot.labels, classes))
        found["labels_used"] = float((used - guessing) / (accuracy - guessing))
    expected_labels = real.labels if snapshot.labels is None else snapshot.labels
    expected = np.bincount(expected_labels, minlength=classes) / len(expected_labels)
    measurable = (np.nan_to_num(recalls) >= EXACT_JUDGE) & (expected * len(generated) >= SMALLEST_EXPECTED)
    if measurable.any():
        shares = np.bincount(generated, minlength=classes) / len(generated)
        ratios = np.where(measurable, shares / np.maximum(expected, 1e-12), np.inf)
        found |= {"rarest_class": int(ratios.argmin()), "rarest_share": float(ratios.min())}
    return found


def _recalls(judged, labels, classes):
    """Returns the share of the images of each class that are judged to be of it: ``(classes,)``, NaN without images."""
    counts = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[judged == labels], minlength=classes)
    return np.where(counts > 0, right / np.maximum(counts, 1), np.nan)


def labels_ignored(history):
    """Finds a conditional generator that ignores its labels in a `History`: a `Finding`, or None."""
    accuracy, used = history.value("judge_accuracy") or 0.0, history.value("labels_used") or 0.0
    return finding(
        "labels_ignored",
        [history.reaches("labels_used", *LABELS_USED)],
        f"A vote of nearest neighbors recognizes {accuracy:.0%} of the real images of a class. For generated ones, "
        f"its advantage over guessing is {max(used, 0.0):.0%} of that for real images.",
        "Check that the labels belong to the images. Use networks whose normalization is conditioned on the classes: "
        "--config.networks=resnet or biggan. With --config.discriminator.conditioning=auxiliary, increase "
        "--config.penalties.auxiliary_classification.weight.",
    )


def missing_class(history):
    """Finds a class that is not generated in a `History`: a `Finding`, or None."""
    label, share = history.value("rarest_class"), history.value("rarest_share") or 0.0
    is_always_this = len(set(history.latest("rarest_class"))) == 1
    return finding(
        "missing_class",
        [history.reaches("rarest_share", *RECOGNIZED) if is_always_this else None],
        f"A vote of nearest neighbors finds the class {history.class_name(label)} among the generated images {share:.0%} as "
        "often as expected.",
        "Lower the learning rate of the generator, or add a penalty such as --config.penalties.r1.weight=10. An unconditional "
        "GAN makes all classes if it becomes a conditional one: --config.conditional=True.",
    )
