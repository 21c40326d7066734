"""Partitions of a training set with few labels: a labeled, an unlabeled and a held-out part."""

import dataclasses

import numpy as np

from ganlib.data import labels
from ganlib.data.source import Source, joined, without_labels
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


@dataclasses.dataclass(frozen=True)
class AddedLabels:
    """Labels for further images of a training set, such as those that `ganlib.data.suggestions` reads.

    Attributes:
        indices: ``(n,)`` int64, the positions of the images among the images of `pool_of`.
        labels: ``(n,)`` int64 labels, with -1 for those that the training set itself has.
    """

    indices: np.ndarray
    labels: np.ndarray


def few_labels(source, per_class=None, seed=0, validation_per_class=0, unlabeled=None, added=None):
    """Partitions a training set into few labeled images, unlabeled images and held-out images.

    Args:
        source: A `ganlib.data.Source` with labels that is not streamed.
        per_class: The number of labeled images per class; None uses all that are not held out. Defaults to None.
        seed: An integer that determines the selection. The same seed holds out the same images for any ``per_class``. Defaults
            to 0.
        validation_per_class: The number of labeled images per class to hold out. Defaults to 0.
        unlabeled: Another `ganlib.data.Source` of unlabeled images, whose labels, if any, are not used. The unlabeled part then
            begins with the labeled images. Images that equal a labeled or a held-out one are left out, if all are in memory.
            None uses ``source`` without the held-out images, and with its images that have no label. Defaults to None.
        added: The `AddedLabels` of images that are labeled too. Defaults to None.

    Returns:
        A `FewLabels`.

    Raises:
        UserError: If the source is streamed, has no labels or too few of a class, the unlabeled images have another shape or
            all equal a labeled or a held-out image, or an image with an added label is held out.
    """
    labeled, validation = _selected(source, per_class, seed, validation_per_class, unlabeled)
    of_labels = source.subset(labeled) if added is None else _with_added(source, labeled, validation, unlabeled, added)
    if unlabeled is None:
        others = _without(source, validation)
    else:
        rest = without_label(source, per_class, seed, validation_per_class, unlabeled, added)
        if added is None and not len(rest):  # added labels may be those of all that were left
            raise UserError(
                f"{unlabeled.name}: all {unlabeled.num_examples} unlabeled images equal a labeled or a held-out image of "
                f"{source.name}: use a dataset with other images, or none"
            )
        rest = unlabeled if len(rest) == unlabeled.num_examples else unlabeled.subset(rest)
        others = joined(without_labels(of_labels), without_labels(rest))
    return FewLabels(of_labels, others, source.subset(validation) if validation_per_class else None)


def pool_of(source, unlabeled=None):
    """Returns the `ganlib.data.Source` of all images from which more could be labeled, with those that have a label.

    Args:
        source: The `ganlib.data.Source` of the training set.
        unlabeled: The source of other unlabeled images, which are then the pool. Defaults to None.
    """
    return unlabeled or source.all_images or source


def without_label(source, per_class=None, seed=0, validation_per_class=0, unlabeled=None, added=None):
    """Returns the positions in `pool_of` of the images that are neither labeled nor held out: ``(n,)`` int64, ascending.

    Args:
        source, per_class, seed, validation_per_class, unlabeled, added: As for `few_labels`.

    Raises:
        UserError: As `few_labels`.
    """
    used = np.concatenate(_selected(source, per_class, seed, validation_per_class, unlabeled))
    used = _positions(source, used, unlabeled)
    used = used if added is None else np.union1d(used, added.indices)
    return np.setdiff1d(np.arange(pool_of(source, unlabeled).num_examples), used)


def _positions(source, indices, unlabeled=None):
    """Returns the positions in the pool of some images of a source. In a pool of other images, these are the images with equal
    pixels, as far as all are in memory."""
    if unlabeled is None:
        return indices if source.all_images is None else source.positions[indices]
    return np.flatnonzero(_equal_to_some(unlabeled, np.arange(unlabeled.num_examples), source, indices))


def _with_added(source, labeled, validation, unlabeled, added):
    """Returns the source of the labeled images and of those with an added label. An added label replaces an earlier one."""
    pool = pool_of(source, unlabeled)
    held_out = np.isin(added.indices, _positions(source, validation, unlabeled))
    if held_out.any():
        first = pool.image_name(added.indices[held_out][0])
        raise UserError(
            f"the added label of {first!r} is of a held-out image: remove its row from the table "
            f"(held out are {held_out.sum()} of the {len(held_out)} images)"
        )
    values = added.labels.copy()
    if (values < 0).any():
        known = np.full(pool.num_examples, -1)
        if not unlabeled:
            known[_positions(source, np.arange(source.num_examples))] = source.labels
        values = np.where(values < 0, known[added.indices], values)
        if (values < 0).any():
            raise UserError(
                f"the added label of {pool.image_name(added.indices[values < 0][0])!r} is empty: fill it in, or delete the row "
                f"({(values < 0).sum()} of {len(values)} are empty)"
            )
    labeled = labeled[~_have_added(source, labeled, unlabeled, added)]
    further = dataclasses.replace(pool.subset(added.indices), labels=values, class_names=source.class_names)
    return joined(source.subset(labeled), further)


def _have_added(source, labeled, unlabeled, added):
    """Returns for each labeled image whether it has an added label, a bool array."""
    if unlabeled is None:
        return np.isin(_positions(source, labeled), added.indices)
    return _equal_to_some(source, labeled, unlabeled, added.indices)


def _equal_to_some(source, indices, other, other_indices):
    """Returns for each of some images of a source whether some images of another one have one with equal pixels, a bool array.
    It is False unless both are in memory."""
    if source.images is None or other.images is None:
        return np.zeros(len(indices), bool)
    images = {image.tobytes() for image in other.images[other_indices]}
    return np.array([image.tobytes() in images for image in source.images[indices]], bool)


def _selected(source, per_class, seed, validation_per_class, unlabeled):
    """Returns ``(labeled, validation)``, the indices of the selected images of a source, which is checked."""
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
    return labeled, validation


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
