"""Few-label splits: the selection of the examples that keep their labels."""

import numpy as np

from ganlib.errors import UserError


def split(labels, per_class, seed):
    """Selects ``per_class`` labeled examples of every class; the others are unlabeled.

    Args:
        labels: ``(n,)`` integers.
        per_class: The number of labeled examples per class, at least 1.
        seed: A nonnegative integer; the same seed gives the same split.

    Returns:
        ``(labeled, unlabeled)``: int64 arrays of indices into ``labels``. ``labeled`` is ordered by class; ``unlabeled`` is
        sorted. Every index is in exactly one of them.

    Raises:
        UserError: If a class has fewer than ``per_class`` examples, or an argument is negative.

    Examples:
        >>> from ganlib.data import labels
        >>> labeled, unlabeled = labels.split([0, 0, 1, 1, 1], per_class=1, seed=0)
        >>> len(labeled), len(unlabeled)
        (2, 3)
    """
    labels = np.asarray(labels)
    if per_class < 1:
        raise UserError(f"labels per class must be at least 1, got {per_class}")
    if seed < 0:
        raise UserError(f"the seed of labels must be at least 0, got {seed}")
    rng = np.random.default_rng(seed)
    labeled = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < per_class:
            raise UserError(f"{per_class} labels per class requested, but class {label} has only {len(members)} examples")
        labeled.append(rng.choice(members, per_class, replace=False))
    labeled = np.concatenate(labeled).astype(np.int64)
    return labeled, np.setdiff1d(np.arange(len(labels)), labeled)
