"""Images that a dataset has more than once, and images of a test set that are also in the training set."""

import numpy as np

from ganlib.diagnostics import thumbnails
from ganlib.diagnostics.finding import Finding, confidence, share

COPIES = (0.005, 0.05)
"""The share of images with an identical copy where the symptom is reported, and where it is certain."""
NEARLY_IDENTICAL = (0.02, 0.1)
"""The same for images with an identical or a nearly identical copy."""


def duplicate_images(images, name_of=str):
    """Finds images that are identical or nearly identical to another one: compressed again, resized or brightened.

    A generator reproduces repeated images more often, and a copy that is held out makes a test too easy.

    Args:
        images: ``(n, height, width, channels)`` uint8.
        name_of: A function from the index of an image to its name. Defaults to `str`.

    Returns:
        A `Finding`, or None.
    """
    first, copies = {}, []
    for index, digest in enumerate(thumbnails.digests(images)):
        original = first.setdefault(digest, index)
        if original != index:
            copies.append((original, index))
    unique = np.array(sorted(first.values()), np.int64)
    rows = thumbnails.thumbnails(images)[unique]
    compared, neighbors, distances = thumbnails.nearest(rows, rows, excluded=np.arange(len(rows)))
    near = [(unique[a], unique[b]) for a, b in _pairs(compared, neighbors, distances)]
    return _finding("duplicate_images", copies, near, len(compared), len(images), "another image", name_of, name_of)


def split_leak(images, test_images, name_of=str, test_name_of=str):
    """Finds images of a test set that are identical or nearly identical to an image of the training set.

    Args:
        images: ``(n, height, width, channels)`` uint8, the training set.
        test_images: ``(m, height, width, channels)`` uint8, the test set or held-out images.
        name_of: A function from the index of a training image to its name. Defaults to `str`.
        test_name_of: The same for test images. Defaults to `str`.

    Returns:
        A `Finding`, whose images are indices in the test set, or None.
    """
    known = {digest: index for index, digest in enumerate(thumbnails.digests(images))}
    digests = thumbnails.digests(test_images)
    copies = [(known[digest], index) for index, digest in enumerate(digests) if digest in known]
    others = np.array([index for index, digest in enumerate(digests) if digest not in known], np.int64)
    answers = thumbnails.nearest(thumbnails.thumbnails(test_images)[others], thumbnails.thumbnails(images))
    near = [(neighbor, others[query]) for query, neighbor in _pairs(*answers)]
    count, total = len(answers[0]), len(test_images)
    return _finding("split_leak", copies, near, count, total, "a training image", name_of, test_name_of)


ADVICE = {
    "duplicate_images": "Delete the copies, or leave them if an image is meant to appear that often.",
    "split_leak": "Remove these images from one of the two sets. Otherwise the measured accuracy and FID are too good.",
}


def _pairs(compared, neighbors, distances):
    close = distances <= thumbnails.NEARLY_EQUAL
    return list(zip(compared[close].tolist(), neighbors[close].tolist(), strict=True))


def _finding(symptom, copies, near, compared, total, other, name_of, second_name_of):
    """Returns the finding for pairs ``(first, second)`` of identical and of nearly identical images, or None."""
    near_share = len(near) / compared if compared else 0.0
    exact = confidence(len(copies) / total, *COPIES) if copies else None
    both = confidence(len(copies) / total + near_share, *NEARLY_IDENTICAL)
    if exact is None and both is None:
        return None
    parts = []
    if copies:
        parts.append(f"{share(len(copies), total)} images are identical to {other}")
    if near:
        searched = "" if compared + len(copies) >= total else " that were compared"
        parts.append(f"{share(len(near), compared)} images{searched} are nearly identical to {other}")
    first, second = (copies or near)[0]
    evidence = f"{' and '.join(parts)}, such as {second_name_of(second)} and {name_of(first)}."
    shown = np.array([pair[1] for pair in copies + near], np.int64)
    return Finding(symptom, max(filter(None, (exact, both))), evidence, ADVICE[symptom], shown)
