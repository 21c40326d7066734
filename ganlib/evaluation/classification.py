"""A trained classifier as a product: calibrated, tested once, with its mistakes shown."""

import numpy as np

from ganlib import metrics, plots, runs
from ganlib.errors import UserError

MISTAKES = 24


def load(run):
    """The averaged classifier of a run, with its calibration: that of `ganlib.load`, a `ganlib.Classifier`.

    Args:
        run: a `ganlib.runs.Run`.

    Raises:
        UserError: if the run is of a GAN without a classifier, or has no readable checkpoint.
    """
    model = runs.load(run.folder)
    if not hasattr(model, "classifier"):
        raise UserError(f"no classifier in {str(run.folder)!r}: train one with experiments.train_classifier")
    return model.classifier


def calibrate(classifier, held_out):
    """Sets a classifier's temperature by held-out labeled images: Guo et al. 2017 (arXiv:1706.04599).

    Args:
        classifier: a `ganlib.Classifier`.
        held_out: a `ganlib.data.Source` of images that were not trained on; None leaves the temperature as it is.

    Returns:
        The temperature, a float.
    """
    if held_out is not None:
        logits = np.concatenate([classifier.predict(images, verbose=0) for images in _images(held_out)])
        classifier.temperature.assign(metrics.temperature(held_out.labels, logits))
    return float(classifier.temperature.numpy())


def calibrate_run(run, model, held_out):
    """Calibrates the averaged classifier of a run whose training is over, and keeps its temperature in the newest checkpoint.

    That checkpoint is written anew; whenever the process is killed, the old one or the new one is there. The same call again
    writes nothing, so a run that was killed before it was calibrated is calibrated by the same command.

    Args:
        run: a `ganlib.runs.Run`.
        model: its model, as `ganlib.runs.fit` leaves it.
        held_out: as in `calibrate`.

    Returns:
        The temperature, a float.
    """
    before = float(model.classifier.temperature.numpy())
    temperature = calibrate(model.classifier, held_out)
    if temperature != before:
        checkpoints = run.checkpoints(model)
        checkpoints.save(anew=True)
        checkpoints.wait()
    return temperature


def accuracy(model, source):
    """The share of a labeled source's images that a model with ``classify`` gets right: a float in [0, 1]."""
    return metrics.accuracy(source.labels, classify(model, source))


def classify(model, source):
    """``(n, num_classes)`` float32 probabilities of all images of a source, in their order."""
    return np.concatenate([model.classify(images) for images in _images(source)])


def test(classifier, source):
    """All that is told of a classifier on labeled test images.

    Args:
        classifier: a `ganlib.Classifier`.
        source: a labeled `ganlib.data.Source`.

    Returns:
        ``(result, picture)``: a dict of ``test_accuracy``, ``confusion_matrix`` (rows the true classes),
        ``recall_by_class``, ``expected_calibration_error``, ``temperature`` and ``test_images``, ready for JSON; and a
        `matplotlib.figure.Figure` of the most confident mistakes, or None if there are none.
    """
    probabilities = classify(classifier, source)
    labels, matrix = source.labels, metrics.confusion_matrix(source.labels, probabilities)
    recall = dict(zip(source.class_names, metrics.recall_by_class(labels, probabilities), strict=True))
    result = {
        "test_accuracy": metrics.accuracy(labels, probabilities),
        "test_images": len(labels),
        "expected_calibration_error": metrics.expected_calibration_error(labels, probabilities),
        "temperature": float(classifier.temperature.numpy()),
        "recall_by_class": {name: None if np.isnan(value) else float(value) for name, value in recall.items()},
        "confusion_matrix": matrix.tolist(),
    }
    return result, _picture_of_mistakes(source, probabilities)


def _picture_of_mistakes(source, probabilities):
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != source.labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]
    if not len(worst):
        return None
    names = source.class_names
    captions = [f"{names[predicted[i]]}, not {names[source.labels[i]]}\n{100 * confidence[i]:.0f} %" for i in worst]
    return plots.captioned_grid(source.pick(worst), captions)


def _images(source, batch_size=1000):
    """The images of a source that can be picked, in order, in parts."""
    for start in range(0, source.num_examples, batch_size):
        yield source.pick(np.arange(start, min(start + batch_size, source.num_examples)))
