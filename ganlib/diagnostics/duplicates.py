"""Images that a dataset has more than once, and images of a test set that are also in the training set."""

import numpy as np

from ganlib.diagnostics import thumbnails
from ganlib.diagnostics.finding import Finding, confidence, share

COPIES = (0.005, 0.05)
"""The share of images with an identical copy where the symptom is reported, and where it is certain."""
NEARLY_IDENTICAL = (0.02, 0.1)
"""The same for images with an identical or a nearly identical copy."""


def duplicate_images(images, name_of=str, fraction=1.0):
    """Finds images that are identical or nearly identical to another one: compressed again, resized or brightened.

    A generator reproduces repeated images more often, and a copy that is held out makes a test too easy.

    Args:
        images: ``(n, height, width, channels)`` uint8.
        name_of: A function from the index of an image to its name. Defaults to `str`.
        fraction: The share of the dataset that the images are, from which the share of copies in the dataset is estimated.
            Defaults to 1.0.

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
    counts = len(compared), len(images), fraction
    return _finding("duplicate_images", copies, near, counts, "another image", name_of, name_of)


def split_leak(images, test_images, name_of=str, test_name_of=str, fraction=1.0):
    """Finds images of a test set that are identical or nearly identical to an image of the training set.

    Args:
        images: ``(n, height, width, channels)`` uint8, the training set.
        test_images: ``(m, height, width, channels)`` uint8, the test set or held-out images.
        name_of: A function from the index of a training image to its name. Defaults to `str`.
        test_name_of: The same for test images. Defaults to `str`.
        fraction: The share of the training set that the images are, from which the share of leaked test images is estimated.
            Defaults to 1.0.

    Returns:
        A `Finding`, whose images are indices in the test set, or None.
    """
    known = {digest: index for index, digest in enumerate(thumbnails.digests(images))}
    digests = thumbnails.digests(test_images)
    copies = [(known[digest], index) for index, digest in enumerate(digests) if digest in known]
    others = np.array([index for index, digest in enumerate(digests) if digest not in known], np.int64)
    answers = thumbnails.nearest(thumbnails.thumbnails(test_images)[others], thumbnails.thumbnails(images))
    near = [(neighbor, others[query]) for query, neighbor in _pairs(*answers)]
    counts = len(answers[0]), len(test_images), fraction
    return _finding("split_leak", copies, near, counts, "a training image", name_of, test_name_of)


FEWEST_IN_SAMPLE = 3
"""The fewest copies that are reported if only a part of the dataset is examined."""

ADVICE = {
    "duplicate_images": "Delete the copies, or leave them if an image is meant to appear that often.",
    "split_leak": "Remove these images from one of the two sets. Otherwise the measured accuracy and FID are too good.",
}


def _pairs(compared, neighbors, distances):
    close = distances <= thumbnails.NEARLY_EQUAL
    return list(zip(compared[close].tolist(), neighbors[close].tolist(), strict=True))


def _finding(symptom, copies, near, counts, other, name_of, second_name_of):
    """Returns the finding for pairs ``(first, second)`` of identical and of nearly identical images, or None.

    ``counts`` is the number of images that were compared by their thumbnails, that of all examined images, and the share of the
    others among which copies were searched.
    """
    compared, total, fraction = counts
    copied_share, near_share = len(copies) / total / fraction, len(near) / max(compared, 1) / fraction
    exact = confidence(copied_share, *COPIES) if copies else None
    both = confidence(copied_share + near_share, *NEARLY_IDENTICAL)
    if (exact is None and both is None) or (fraction < 1 and len(copies) + len(near) < FEWEST_IN_SAMPLE):
        return None
    parts = []
    if copies:
        parts.append(f"{share(len(copies), total)} images are identical to {other}")
    if near:
        searched = "" if compared + len(copies) >= total else " that were compared"
        parts.append(f"{share(len(near), compared)} images{searched} are nearly identical to {other}")
    first, second = (copies or near)[0]
    evidence = f"{' and '.join(parts)}, such as {second_name_of(second)} and {name_of(first)}."
    if fraction < 1:
        percent = min(100.0, 100 * (copied_share + near_share))
        evidence += (
            f" Only {100 * fraction:.2g} % of the images were searched for copies: of all, about {percent:.0f} % have one."
        )
    shown = np.array([pair[1] for pair in copies + near], np.int64)
    return Finding(symptom, max(filter(None, (exact, both))), evidence, ADVICE[symptom], shown)
