"""Partitions of a training set with few labels: a labeled, an unlabeled and a held-out part."""

import dataclasses

import numpy as np

from ganlib.data import labels
from ganlib.data.source import Source
from ganlib.errors import UserError


@dataclasses.dataclass(frozen=True)
class FewLabels:
    """The parts of a training set with few labels.

    Attributes:
        labeled: The images whose labels are used for training.
        unlabeled: All images used for training without labels, including the labeled ones.
        validation: Held-out labeled images for model selection and calibration, disjoint from the other two, or None.
    """

    labeled: Source
    unlabeled: Source
    validation: Source | None


def few_labels(source, per_class=None, seed=0, validation_per_class=0, unlabeled=None):
    """Partitions a training set into few labeled images, unlabeled images and held-out images.

    Args:
        source: A `ganlib.data.Source` with labels that is not streamed.
        per_class: The number of labeled images per class; None uses all that are not held out. Defaults to None.
        seed: An integer that determines the selection. The same seed holds out the same images for any ``per_class``. Defaults
            to 0.
        validation_per_class: The number of labeled images per class to hold out. Defaults to 0.
        unlabeled: Another `ganlib.data.Source` of unlabeled images; None uses ``source`` without the held-out images, and with
            its images that have no label. Defaults to None.

    Returns:
        A `FewLabels`.

    Raises:
        UserError: If the source is streamed, has no labels or too few of a class, or the unlabeled images have another shape.
    """
    source.check_not_streamed("labeled images cannot be selected")
    if source.labels is None:
        raise UserError(f"{source.name} has no labels: choose a labeled dataset")
    if unlabeled is not None and unlabeled.image_shape != source.image_shape:
        raise UserError(
            f"{source.name} has images of {source.image_shape}, the unlabeled {unlabeled.name} of {unlabeled.image_shape}: "
            f"{_remedy(source, unlabeled)}"
        )
    validation, remaining = np.array([], np.int64), np.arange(source.num_examples)
    if validation_per_class:
        validation, remaining = labels.split(source.labels, validation_per_class, seed)
    _check_every_class(source, remaining)
    _check_enough(source, remaining, per_class, validation_per_class)
    labeled = remaining if per_class is None else remaining[labels.split(source.labels[remaining], per_class, seed)[0]]
    return FewLabels(
        source.subset(labeled),
        unlabeled or _without(source, validation),
        source.subset(validation) if validation_per_class else None,
    )


def _without(source, held_out):
    """Returns all images of a source except some, also the images without a label.

    Args:
        source: The `ganlib.data.Source`.
        held_out: The indices of the images to leave out.
    """
    images, left_out = source, held_out
    if source.all_images is not None:
        images, left_out = source.all_images, source.positions[held_out]
    return images.subset(np.setdiff1d(np.arange(images.num_examples), left_out)) if len(left_out) else images


def _remedy(first, second):
    """Returns how to give two sources the same image shape."""
    if first.image_shape[:2] != second.image_shape[:2]:
        return "set image_size to give both the same size"
    return "convert both to gray or to color"


def check_test_set(source, test):
    """Checks that a test set matches a training set.

    Args:
        source: The `ganlib.data.Source` used for training.
        test: The `ganlib.data.Source` used for testing.

    Raises:
        UserError: If the test set is streamed, has no labels, or has other classes or another image shape than the training
            set.
    """
    test.check_not_streamed("it cannot be used for testing")
    if test.labels is None:
        raise UserError(f"{test.name} has no labels: choose another test split")
    if test.image_shape != source.image_shape:
        raise UserError(
            f"{source.name} has images of {source.image_shape}, {test.name} of {test.image_shape}: {_remedy(source, test)}"
        )
    if test.class_names != source.class_names:
        raise UserError(
            f"{source.name} has the classes {', '.join(source.class_names)}, {test.name} {', '.join(test.class_names)}: "
            "use the same classes for both"
        )


def _check_enough(source, remaining, per_class, validation_per_class):
    counts = np.bincount(source.labels[remaining], minlength=len(source.class_names))
    if per_class and counts.min() < per_class:
        held_out = f" besides the {validation_per_class} that are held out" if validation_per_class else ""
        raise UserError(
            f"class {source.class_names[counts.argmin()]!r} of {source.name} has {counts.min()} labels{held_out}: set "
            f"labels_per_class to at most {counts.min()}, got {per_class}"
        )


def _check_every_class(source, indices):
    counts = np.bincount(source.labels[indices], minlength=len(source.class_names))
    for name, count in zip(source.class_names, counts, strict=True):
        if not count:
            raise UserError(f"class {name!r} of {source.name} has no labeled image for training: add some, or remove the class")
