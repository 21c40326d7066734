"""Calibration of the classifier of a finished run: its temperature, and the frequencies of the classes."""

import numpy as np

from ganlib import layers, metrics
from ganlib.evaluation import classification
from ganlib.methods import building

LABELS_FOR_HALF = 40
"""With this number of labels of each class, the estimated frequencies are averaged half and half with those in training.

The fewer labels a classifier was trained on, the less certain is the estimate. With 20 labels of each class, a linear probe
classified 75.5 % of held-out photos of solar cells correctly with this average, 74.3 % with the estimate and 73.6 % without
any. With 400 labels, it was 86.6, 86.5 and 84.6 %.
"""


def calibrate(run, model, held_out, parts=None):
    """Calibrates the averaged classifier of a finished run and stores the result in its checkpoint.

    The temperature is fitted to the held-out images. If the config has ``class_priors="estimated"``, the frequencies of the
    classes among the unlabeled images are estimated then and averaged with those in training, as `LABELS_FOR_HALF` describes.
    If all images have a label, the frequencies are known. The logits are shifted to the result.

    The checkpoint is replaced atomically: if the process is killed, either the old or the new one exists. Calling it again
    writes nothing, so rerunning the command calibrates a run that was killed before its calibration.

    Args:
        run: A `ganlib.runs.Run`.
        model: The model of the run, at its selected step.
        held_out: The held-out images, as in `ganlib.evaluation.classification.calibrate`.
        parts: The `ganlib.data.FewLabels` of images, or of features, that the model was trained on. Only the estimation of the
            frequencies needs them. Defaults to None.

    Returns:
        ``(temperature, priors)``: a float, and the frequencies that the logits are shifted to, ``(num_classes,)`` float64, or
        None.
    """
    classifier, priors = model.classifier, None
    shift = layers.prior_shift_of(classifier.head)
    calibrated = [classifier.temperature, *([shift.shift] if shift else [])]
    previous = [variable.numpy() for variable in calibrated]
    training = None
    if shift:
        shift.shift.assign(np.zeros(classifier.num_classes))
        training = training_priors(run, classifier, parts)
    temperature = classification.calibrate(classifier, held_out, training)
    if shift:
        priors = _priors(run, classifier, parts, training)
        # The probabilities are the softmax of the logits divided by the temperature.
        shift.shift.assign(temperature * np.log(priors / training))
    if all(np.allclose(variable.numpy(), value, atol=1e-4) for variable, value in zip(calibrated, previous, strict=True)):
        for variable, value in zip(calibrated, previous, strict=True):
            variable.assign(value)
    else:
        checkpoints = run.selected_checkpoints(model)
        checkpoints.save(anew=True)
        checkpoints.wait()
    return temperature, priors


def _priors(run, classifier, parts, training):
    """Returns the frequencies of the classes among the unlabeled images: known if all of them have a label, or estimated."""
    counts = np.bincount(parts.labeled.labels, minlength=classifier.num_classes)
    if counts.sum() == parts.unlabeled.num_examples:
        return counts / counts.sum()
    probabilities = classification.probabilities(classifier, parts.unlabeled)
    if run.config.unlabeled_dataset:  # the labeled images come first, and may be as frequent as someone chose
        probabilities = probabilities[parts.labeled.num_examples :]
    estimated = metrics.class_priors(probabilities, training)
    weight = counts.min() / (counts.min() + LABELS_FOR_HALF)
    return weight * estimated + (1 - weight) * training


def training_priors(run, classifier, parts):
    """Returns the frequencies of the classes in the training of a classifier: ``(num_classes,)`` float64, or None if its logits
    are not shifted to other frequencies.

    Args:
        run: A `ganlib.runs.Run`.
        classifier: Its `ganlib.Classifier`.
        parts: The `ganlib.data.FewLabels` that it was trained on.
    """
    if layers.prior_shift_of(classifier.head) is None:
        return None
    counts = np.bincount(parts.labeled.labels, minlength=classifier.num_classes)
    is_balanced = building.is_balanced(run.config)
    return np.full(len(counts), 1.0 / len(counts)) if is_balanced else counts / counts.sum()
