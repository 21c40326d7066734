"""The accuracy of the classifier whose features measure generated images: what such a measure is worth."""

import numpy as np

from ganlib import metrics
from ganlib.data import partition
from ganlib.errors import UserError
from ganlib.evaluation.images import real_batches


def accuracy(evaluation, test=None):
    """Computes how well the classifier of in-domain features classifies real images that it was not trained on.

    Args:
        evaluation: A `ganlib.evaluation.Evaluation`.
        test: The real test images, a `ganlib.data.Source`. Defaults to None.

    Returns:
        A dict of the name of the images, ``images``, their number, ``num_images``, and ``accuracy``, ``balanced_accuracy`` and
        ``majority_accuracy``, that of always predicting their most frequent class. None for other feature networks, and if
        there are no such images.
    """
    held_out = {"in_domain": test, "in_domain:test": evaluation.source}.get(evaluation.features)
    if held_out is None:
        return None
    try:
        partition.check_test_set(evaluation.source, held_out)
    except UserError:  # the metrics do not need these images
        return None
    parts = [(labels, evaluation.extractor(images).probabilities) for images, labels in real_batches(held_out)]
    labels, probabilities = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return {
        "images": held_out.name,
        "num_images": len(labels),
        "accuracy": metrics.accuracy(labels, probabilities),
        "balanced_accuracy": metrics.balanced_accuracy(labels, probabilities),
        "majority_accuracy": float(np.bincount(labels).max() / len(labels)),
    }
