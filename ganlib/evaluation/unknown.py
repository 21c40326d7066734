"""Images of none of a classifier's classes: found by the energy of their logits.

Liu et al. 2020, "Energy-based out-of-distribution detection" (arXiv:2010.03759). The energy of an image is minus the
log-sum-exp of its class logits. In a semi-supervised GAN, this log-sum-exp is the logit of "real".
"""

import numpy as np
import scipy.special

from ganlib.errors import UserError
from ganlib.evaluation import classification
from ganlib.files import read_measures

PERCENTILES = "energy_percentiles"
"""The key of ``classification.json`` with the energies of held-out images."""


def energies(logits):
    """Returns the energies of ``(n, num_classes)`` logits: ``(n,)`` float64. The larger, the less the image is like those of
    the classes.

    Examples:
        >>> import numpy as np
        >>> from ganlib.evaluation import unknown
        >>> unknown.energies(np.log([[1.0, 1.0], [30.0, 70.0]])).round(2)
        array([-0.69, -4.61])
    """
    return -scipy.special.logsumexp(np.asarray(logits, np.float64), axis=-1)


def percentiles(classifier, held_out):
    """Computes the percentiles of the energies of held-out images.

    Args:
        classifier: A `ganlib.Classifier`.
        held_out: A `ganlib.data.Source` of images of the classes that were not used for training, or of their features for a
            classifier that takes them.

    Returns:
        A list of 101 floats, the percentiles 0 to 100.
    """
    return np.percentile(energies(classification.logits(classifier, held_out)), np.arange(101)).tolist()


def threshold(run, step, share):
    """Returns the energy above which an image counts as one of none of the classes.

    Args:
        run: The `ganlib.runs.Run` of a classifier.
        step: The step of the classifier.
        share: The share of images of the classes that may be above it, in ``(0, 1)``.

    Raises:
        UserError: If the share is outside this range, or the run has no energies of held-out images at this step.
    """
    if not 0 < share < 1:
        raise UserError(
            f"the share of images of known classes that may become unknown must be above 0 and below 1, got {share}"
        )
    result = read_measures(run.folder / "classification.json")
    if not run.config.validation_per_class:
        raise UserError(
            f"{str(run.folder)!r} cannot tell what is unknown, because it has no held-out images: train a classifier with "
            "validation_per_class, such as 20"
        )
    if result.get(PERCENTILES) is None or result.get("step") != step:
        raise UserError(
            f"{str(run.folder)!r} cannot tell what is unknown, because it has no energies of held-out images at step {step}: "
            "run its training command again, which completes it"
        )
    return float(np.interp(100 * (1 - share), np.arange(101), result[PERCENTILES]))
