"""A training set of which few images have a label: the labeled, the unlabeled and the held-out part."""

import dataclasses

import numpy as np

from ganlib.data import labels
from ganlib.data.sources import Source
from ganlib.errors import UserError


@dataclasses.dataclass(frozen=True)
class FewLabels:
    """The parts of a training set of which few images have a label.

    Attributes:
        labeled: the images whose labels may be learned.
        unlabeled: all images to learn from without labels, the labeled ones among them.
        validation: further labeled images, which are in neither; or None. They serve to choose and to calibrate.
    """

    labeled: Source
    unlabeled: Source
    validation: Source | None


def few_labels(source, per_class=None, seed=0, validation_per_class=0, unlabeled=None):
    """Divides a training set: few labeled images, all the others without labels, some held out.

    Args:
        source: a `ganlib.data.Source` with labels, whose images can be picked.
        per_class: labeled images of each class; None takes all that are not held out.
        seed: an integer, by which they are chosen. The same seed gives the same held-out images for any ``per_class``.
        validation_per_class: labeled images of each class to hold out.
        unlabeled: another `ganlib.data.Source` to learn from without labels; None takes the same one, less what is
            held out.

    Returns:
        A `FewLabels`.

    Raises:
        UserError: if the source has no labels, or too few of a class, or is streamed, or the unlabeled images are of another
            shape.
    """
    source.check_not_streamed("no images can be picked that keep their label")
    if source.labels is None:
        raise UserError(f"{source.name} has no labels to learn from")
    if unlabeled is not None and unlabeled.image_shape != source.image_shape:
        raise UserError(
            f"{source.name} has images of {source.image_shape}, the unlabeled {unlabeled.name} of {unlabeled.image_shape}: "
            "set image_size, so that they are alike"
        )
    validation, rest = np.array([], np.int64), np.arange(source.num_examples)
    if validation_per_class:
        validation, rest = labels.split(source.labels, validation_per_class, seed)
    _check_every_class(source, rest)
    labeled = rest if per_class is None else rest[labels.split(source.labels[rest], per_class, seed)[0]]
    return FewLabels(
        source.subset(labeled),
        unlabeled or (source.subset(rest) if validation_per_class else source),
        source.subset(validation) if validation_per_class else None,
    )


def check_test_set(source, test):
    """Checks that a test set can test what learns from a training set.

    Args:
        source: the `ganlib.data.Source` that is trained on.
        test: the one that is tested on.

    Raises:
        UserError: if the test set is streamed or has no labels, or images or classes that are not those of the training set.
    """
    test.check_not_streamed("it cannot be tested on")
    if test.labels is None:
        raise UserError(f"{test.name} has no labels to test by: choose another test split")
    if test.image_shape != source.image_shape:
        raise UserError(
            f"{source.name} has images of {source.image_shape}, {test.name} of {test.image_shape}: set image_size, so "
            "that they are alike, and have both in gray or in color"
        )
    if test.class_names != source.class_names:
        raise UserError(
            f"{source.name} has the classes {', '.join(source.class_names)}, {test.name} {', '.join(test.class_names)}: "
            "give both the same"
        )


def _check_every_class(source, indices):
    counts = np.bincount(source.labels[indices], minlength=len(source.class_names))
    for name, count in zip(source.class_names, counts, strict=True):
        if not count:
            raise UserError(
                f"class {name!r} of {source.name} has no labeled image to learn from: add some, or remove the class"
            )
