"""Symptoms of a dataset, before it is trained on."""

import dataclasses
import math

import numpy as np

from ganlib.diagnostics import amount, blank, classes, duplicates, outliers
from ganlib.evaluation.images import some_images

IN_MEMORY_SAMPLES = 100_000
"""The largest number of images that are examined if they are in memory."""
READ_SAMPLES = 1_000
"""The same if they are read from files."""
READ_BYTES = 512 << 20
"""The largest size of the images that are read from files."""


def of_dataset(source, test=None, labeled=None, is_gan=True, is_augmented=False, is_conditional=False, is_series=True, seed=0):
    """Returns the symptoms of a dataset, the surest first.

    All images in memory are examined, up to 100,000, otherwise 1,000 random ones.

    Args:
        source: A `ganlib.data.Source` of the training images.
        test: A source of test or held-out images, which must have none of the training images. Defaults to None.
        labeled: A source of the images whose labels are used for training. Defaults to None, for all those of ``source``.
        is_gan: Whether a GAN is trained on the images. Defaults to True.
        is_augmented: Whether its discriminator sees augmented images. Defaults to False.
        is_conditional: Whether the GAN is conditioned on the classes. Defaults to False.
        is_series: Whether classes that are numbers form a series without gaps. Defaults to True.
        seed: An integer that determines which images are examined. Defaults to 0.

    Returns:
        A list of `ganlib.diagnostics.Finding`. Their images are indices in ``source``, for ``split_leak`` in ``test``, and for
        ``class_imbalance`` in ``labeled``. The images of a stream have none.

    Examples:
        >>> from ganlib import data, diagnostics
        >>> source = data.open("digits")
        >>> diagnostics.of_dataset(source)
        []
        >>> [finding] = diagnostics.of_dataset(source.subset([*range(1000), *range(200)]))
        >>> finding.symptom, finding.confidence
        ('duplicate_images', 1.0)
    """
    indices, images = _sample(source, seed)
    name_of, fraction = _names_of(source, indices), len(images) / source.num_examples
    findings = [
        _renumbered(duplicates.duplicate_images(images, name_of, fraction), indices),
        _renumbered(blank.blank_images(images, name_of), indices),
        _renumbered(outliers.outlier_images(images, name_of, seed), indices),
    ]
    labeled = labeled or source
    if labeled.labels is not None:
        findings += [
            classes.class_imbalance(labeled.labels, labeled.class_names),
            classes.missing_class(labeled.labels, labeled.class_names, is_series),
            classes.split_named_folders(labeled.class_names),
        ]
    if is_gan:
        findings.append(
            amount.too_few_images(source.num_examples, is_augmented, source.num_classes if is_conditional else None)
        )
    if test is not None:
        test_indices, test_images = _sample(test, seed)
        leak = duplicates.split_leak(images, test_images, name_of, _names_of(test, test_indices), fraction)
        findings.append(_renumbered(leak, test_indices))
    return sorted(filter(None, findings), key=lambda finding: -finding.confidence)


def _renumbered(finding, indices):
    """Returns a finding whose images, numbered among the examined ones, are given by their indices in the source."""
    if finding is None:
        return None
    found = finding.images if indices is not None else finding.images[:0]
    return dataclasses.replace(finding, images=found if indices is None else indices[found])


def _sample(source, seed):
    """Returns ``(indices, images)``: ascending indices and uint8 images. The indices of a stream are None."""
    size = math.prod(source.image_shape)
    limit = IN_MEMORY_SAMPLES if source.images is not None else max(1, min(READ_SAMPLES, READ_BYTES // size))
    if source.num_examples <= limit and source.images is not None:
        return np.arange(source.num_examples), source.images
    if source.fetch is None:
        return None, some_images(source, limit, seed)
    indices = np.sort(np.random.default_rng(seed).permutation(source.num_examples)[:limit])
    return indices, source.pick(indices)


def _names_of(source, indices):
    """Returns a function from the index of an examined image to its name."""
    if indices is None:
        return lambda index: f"one of {source.name}"
    return lambda index: source.image_name(indices[index])
