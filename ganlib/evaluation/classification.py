"""Evaluation of a trained classifier: calibration, test metrics, and a figure of its mistakes."""

import numpy as np

from ganlib import metrics, plots, runs
from ganlib.errors import UserError

MISTAKES = 24


def load(run):
    """Returns the averaged, calibrated classifier of a run, a `ganlib.Classifier`, as loaded by `ganlib.load`.

    Args:
        run: A `ganlib.runs.Run`.

    Raises:
        UserError: If the run is of a GAN without a classifier, or has no readable checkpoint.
    """
    model = runs.load(run.folder)
    if not hasattr(model, "classifier"):
        raise UserError(f"no classifier in {str(run.folder)!r}: train one with experiments.train_classifier")
    return model.classifier


def calibrate(classifier, held_out):
    """Calibrates a classifier's temperature on held-out labeled images: Guo et al. 2017 (arXiv:1706.04599).

    Args:
        classifier: A `ganlib.Classifier`.
        held_out: A `ganlib.data.Source` of images that were not used for training; None leaves the temperature unchanged.

    Returns:
        The temperature, a float.
    """
    if held_out is not None:
        logits = np.concatenate([classifier.predict(images, verbose=0) for images in _images(held_out)])
        classifier.temperature.assign(metrics.temperature(held_out.labels, logits))
    return float(classifier.temperature.numpy())


def calibrate_run(run, model, held_out):
    """Calibrates the averaged classifier of a finished run and stores its temperature in the newest checkpoint.

    The checkpoint is replaced atomically: if the process is killed, either the old or the new one exists. Calling it again
    writes nothing, so rerunning the command calibrates a run that was killed before its calibration.

    Args:
        run: A `ganlib.runs.Run`.
        model: The model of the run, as returned by `ganlib.runs.fit`.
        held_out: The held-out images, as in `calibrate`.

    Returns:
        The temperature, a float.
    """
    previous = float(model.classifier.temperature.numpy())
    temperature = calibrate(model.classifier, held_out)
    if temperature != previous:
        checkpoints = run.checkpoints(model)
        checkpoints.save(anew=True)
        checkpoints.wait()
    return temperature


def accuracy(model, source):
    """Computes the accuracy of a model with a ``classify`` method on a labeled source: a float in [0, 1]."""
    return metrics.accuracy(source.labels, classify(model, source))


def classify(model, source):
    """Computes the ``(n, num_classes)`` float32 probabilities of all images of a source, in their order."""
    return np.concatenate([model.classify(images) for images in _images(source)])


def test(classifier, source):
    """Evaluates a classifier on labeled test images.

    Args:
        classifier: A `ganlib.Classifier`.
        source: A labeled `ganlib.data.Source`.

    Returns:
        ``(result, figure)``: a JSON-serializable dict of ``test_accuracy``, ``confusion_matrix`` (rows are the true classes),
        ``recall_by_class``, ``expected_calibration_error``, ``temperature`` and ``test_images``; and a
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
    return result, _figure_of_mistakes(source, probabilities)


def _figure_of_mistakes(source, probabilities):
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != source.labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]
    if not len(worst):
        return None
    names = source.class_names
    captions = [f"{names[predicted[i]]}, not {names[source.labels[i]]}\n{100 * confidence[i]:.0f} %" for i in worst]
    return plots.captioned_grid(source.pick(worst), captions)


def _images(source, batch_size=1000):
    """Yields the images of a source in order, in batches."""
    for start in range(0, source.num_examples, batch_size):
        yield source.pick(np.arange(start, min(start + batch_size, source.num_examples)))
