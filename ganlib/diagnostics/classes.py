"""Classes with few images or none, and splits that are mistaken for classes."""

import numpy as np

from ganlib.data import tree
from ganlib.diagnostics.finding import Finding, confidence

IMBALANCE = (4.0, 10.0)
"""The ratio of the largest and the smallest class where imbalance is reported, and where it is certain."""
MISSING_ADVICE = "Add images of the class, or remove the class if it is not meant to be learned."


def class_imbalance(labels, class_names):
    """Finds classes that are much rarer than others.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        class_names: The names of the classes.

    Returns:
        A `Finding`, whose images are those of the rarest class, or None.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return None
    rarest, most = present[counts[present].argmin()], counts.argmax()
    sure = confidence(counts[most] / counts[rarest], *IMBALANCE)
    if sure is None:
        return None
    evidence = (
        f"Class {class_names[most]!r} has {counts[most]:,} images and class {class_names[rarest]!r} {counts[rarest]:,}, "
        f"a ratio of {counts[most] / counts[rarest]:.1f}."
    )
    advice = (
        "For a classifier, set --config.class_sampling=balanced or --config.class_weights=balanced, and compare balanced "
        "accuracies. A conditional GAN learns rare classes last: generate them and look at them."
    )
    return Finding("class_imbalance", sure, evidence, advice, np.flatnonzero(labels == rarest))


def missing_class(labels, class_names, is_series=True):
    """Finds classes without images, also those that are missing in a series of numbers.

    Args:
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        class_names: The names of the classes.
        is_series: Whether classes that are numbers form a series without gaps. Defaults to True.

    Returns:
        A `Finding`, or None.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    empty = [name for name, count in zip(class_names, counts, strict=True) if not count]
    skipped = _skipped_numbers(class_names) if is_series else []
    if not empty and not skipped:
        return None
    if empty:
        evidence = f"{len(empty)} of {len(class_names)} classes have no image: {_listed(empty)}."
        return Finding("missing_class", 1.0, evidence, MISSING_ADVICE)
    numbers = sorted(map(int, class_names))
    evidence = f"The classes are numbered from {numbers[0]} to {numbers[-1]}, but there is no {_listed(skipped)}."
    return Finding("missing_class", 0.75, evidence, MISSING_ADVICE)


def split_named_folders(class_names):
    """Finds classes that are named like the splits of a dataset, such as ``train`` and ``val2017``.

    Args:
        class_names: The names of the classes.

    Returns:
        A `Finding`, or None.
    """
    if not class_names or not tree.splits_instead_of_classes([str(name) for name in class_names]):
        return None
    evidence = f"The classes are named like splits of a dataset: {_listed(class_names)}."
    advice = (
        "Name the folders train, validation and test, with one folder per class in each. If there are no classes, pass the "
        "training folder alone. Leave the names if they are what the images show."
    )
    return Finding("split_named_folders", 0.95, evidence, advice)


def folder_classes(counts):
    """Finds the symptoms of class folders that cannot be opened: named like splits, empty, or missing in the training split.

    Args:
        counts: A dict from the name of a split to a dict from the name of a class to its number of images, as
            `ganlib.data.listing.class_counts` returns it.

    Returns:
        A list of `Finding`.
    """
    train = counts.get("train", counts.get("", {}))
    named = [split_named_folders(tuple(classes)) for classes in counts.values()]
    empty = [f"{split}/{name}".lstrip("/") for split, classes in counts.items() for name, count in classes.items() if not count]
    unknown = [f"train/{name}" for classes in counts.values() for name in classes if train and name not in train]
    findings = [finding for finding in named if finding][:1]
    if empty or unknown:
        missing = list(dict.fromkeys(empty + unknown))
        evidence = f"{len(missing)} class folders have no image or are missing: {_listed(missing)}."
        findings.append(Finding("missing_class", 1.0, evidence, MISSING_ADVICE))
    return findings


def _skipped_numbers(class_names):
    """Returns the missing numbers of a series with at least three of each four numbers."""
    if len(class_names) < 3 or not all(str(name).isdecimal() for name in class_names):
        return []
    numbers = {int(name) for name in class_names}
    skipped = sorted({*range(min(numbers), max(numbers))} - numbers) if max(numbers) < 2 * len(numbers) else []
    return skipped if len(skipped) <= len(numbers) / 3 else []


def _listed(names, limit=5):
    return ", ".join(map(str, names[:limit])) + (f" and {len(names) - limit} more" if len(names) > limit else "")
