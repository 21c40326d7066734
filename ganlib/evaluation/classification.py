"""Evaluation of a trained classifier: calibration, test metrics, and a figure of its mistakes."""

import numpy as np
import scipy.special

from ganlib import layers, metrics, plots

MISTAKES = 24
FOLDS = 5
"""The number of parts of the held-out images, each of which is calibrated by the others: see `cross_fitted`."""
SPREAD = 1.0
"""The prior standard deviation of the logarithm of a temperature. Without it, six held-out photos that were all classified
correctly gave temperatures of 0.02, and a confidence of 98 % on noise."""


def calibrate(classifier, held_out, training_priors=None):
    """Calibrates a classifier's temperature on held-out labeled images: Guo et al. 2017 (arXiv:1706.04599).

    Args:
        classifier: A `ganlib.Classifier`.
        held_out: A `ganlib.data.Source` of images that were not used for training; None leaves the temperature unchanged.
        training_priors: ``(num_classes,)`` frequencies of the classes in training, if those of the held-out images may differ.
            Defaults to None.

    Returns:
        The temperature, a float.
    """
    if held_out is not None:
        classifier.temperature.assign(_temperature(held_out.labels, logits(classifier, held_out), training_priors))
    return float(classifier.temperature.numpy())


def cross_fitted(classifier, held_out, training_priors=None):
    """Computes the probabilities of held-out images, each calibrated by a temperature that was fitted without its image.

    The calibrated classifier has seen these images. Its calibration error on them would be too small.

    Args:
        classifier: A calibrated `ganlib.Classifier`.
        held_out: The `ganlib.data.Source` that it was calibrated on, of at least 2 images.
        training_priors: As for `calibrate`. Defaults to None.

    Returns:
        ``(n, num_classes)`` float64 probabilities.
    """
    from sklearn.model_selection import KFold

    labels, shift = held_out.labels, layers.prior_shift_of(classifier.head)
    unshifted = logits(classifier, held_out).astype(np.float64) - (shift.shift.numpy() if shift else 0.0)
    log_ratios = shift.shift.numpy() / classifier.temperature.numpy() if shift else 0.0
    probabilities = np.empty(unshifted.shape)
    for fitted, left_out in KFold(min(FOLDS, len(labels)), shuffle=True, random_state=0).split(labels):
        divided = unshifted[left_out] / _temperature(labels[fitted], unshifted[fitted], training_priors)
        probabilities[left_out] = scipy.special.softmax(divided + log_ratios, axis=1)
    return probabilities


def _temperature(labels, logits, training_priors):
    """Returns the temperature that calibrates logits, which have the frequencies of the classes in training."""
    offset = 0.0
    if training_priors is not None:
        frequencies = np.bincount(labels, minlength=len(training_priors)) / len(labels)
        offset = np.log(np.maximum(frequencies, 1e-12) / training_priors)
    return metrics.temperature(labels, logits, offset, SPREAD)


def probabilities(classifier, source):
    """Computes the calibrated ``(n, num_classes)`` float64 probabilities of a `ganlib.Classifier` for all images of a source.

    The source may have features in place of images, for a classifier that takes them.
    """
    return scipy.special.softmax(logits(classifier, source).astype(np.float64) / classifier.temperature.numpy(), axis=-1)


def logits(classifier, source):
    """Computes the ``(n, num_classes)`` float32 logits of all images of a source, in their order."""
    return np.concatenate([classifier.predict(images, verbose=0) for images in _images(source)])


def accuracy(model, source):
    """Computes the accuracy of a model with a ``classify`` method on a labeled source: a float in [0, 1]."""
    return metrics.accuracy(source.labels, classify(model, source))


def classify(model, source):
    """Computes the ``(n, num_classes)`` float32 probabilities of all images of a source, in their order."""
    return np.concatenate([model.classify(images) for images in _images(source)])


def test(classifier, source, features=None, cross_fitted=None):  # noqa: PT028 - it is not a pytest
    """Evaluates a classifier on labeled test images.

    Args:
        classifier: A `ganlib.Classifier`.
        source: A labeled `ganlib.data.Source`.
        features: A source of the features of these images, for a classifier that takes them. Defaults to None.
        cross_fitted: If the classifier was calibrated on these images, their probabilities from `cross_fitted`, by which the
            calibration error is computed. Defaults to None.

    Returns:
        ``(result, figure)``: a JSON-serializable dict, and a `matplotlib.figure.Figure` of the most confident mistakes, or None
        if there are none. The dict has ``test_accuracy``, ``majority_accuracy`` (that of always predicting the most frequent
        class of the test images), ``balanced_accuracy``, ``macro_f1``, ``roc_auc``, ``recall_by_class``, ``f1_by_class``,
        ``intervals`` (95 % intervals of these, as in `ganlib.metrics.intervals`), ``expected_calibration_error``,
        ``temperature``, ``test_images``, and ``confusion_matrix``, whose rows are the true classes. What is not defined, as for
        a class without test images, is None.
    """
    probabilities = classify(classifier, features or source)
    labels, matrix = source.labels, metrics.confusion_matrix(source.labels, probabilities)
    result = {
        "test_accuracy": metrics.accuracy(labels, probabilities),
        "majority_accuracy": float(matrix.sum(axis=1).max() / len(labels)),
        "balanced_accuracy": metrics.balanced_accuracy(labels, probabilities),
        "macro_f1": metrics.macro_f1(labels, probabilities),
        "roc_auc": _or_none(metrics.roc_auc(labels, probabilities)),
        "test_images": len(labels),
        "expected_calibration_error": metrics.expected_calibration_error(
            labels, probabilities if cross_fitted is None else cross_fitted
        ),
        "temperature": float(classifier.temperature.numpy()),
        "recall_by_class": _by_class(source, metrics.recall_by_class(labels, probabilities)),
        "f1_by_class": _by_class(source, metrics.f1_by_class(labels, probabilities)),
        "intervals": _intervals(source, probabilities),
        "confusion_matrix": matrix.tolist(),
    }
    return result, _figure_of_mistakes(source, probabilities)


def accuracy_at(priors, result):
    """Computes the accuracy of a classifier on images whose classes have other frequencies than the test images.

    Args:
        priors: ``(num_classes,)`` frequencies of the classes.
        result: The dict of results of `test`.

    Returns:
        A float, or None if the test images lack a class.
    """
    recall = list(result["recall_by_class"].values())
    return None if None in recall else float(np.dot(priors, recall))


def _intervals(source, probabilities):
    """Returns the intervals under the names of the results: pairs of floats, by class or alone."""
    intervals = metrics.intervals(source.labels, probabilities)
    by_class, accuracy = intervals.pop("f1_by_class"), intervals.pop("accuracy")
    return {
        "test_accuracy": _or_none(accuracy),
        **{key: _or_none(value) for key, value in intervals.items()},
        "f1_by_class": _by_class(source, by_class),
    }


def _by_class(source, values):
    return {name: _or_none(value) for name, value in zip(source.class_names, values, strict=True)}


def _or_none(value):
    """Returns a number or an array as JSON has it, with None for NaN."""
    return None if np.isnan(value).any() else np.asarray(value).tolist()


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
