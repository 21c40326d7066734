"""Layers whose weights explode or have stopped changing."""

import numpy as np

from ganlib.diagnostics.history import finding

GROWTH = (20.0, 100.0)
"""The factor by which the scale of a kernel has grown since the first examination, from which it is reported as exploding."""
SMALLEST_SCALE = 0.05
"""Kernels that begin smaller, such as those that begin at 0, count as beginning here."""
DEAD = (0.5, 0.9)
"""The share of the units of a kernel that have not changed since the last examination, from which it is reported as dead."""
LOGITS = (1e3, 1e4)
"""The root mean square of the logits from which the discriminator is reported as exploding."""


def measures(snapshot, first, previous):
    """Returns how kernels have changed.

    Args:
        snapshot: A `Snapshot`.
        first: A dict from names of kernels to their scales at the first examination, or None.
        previous: The ``kernels`` of the previous `Snapshot` of this process, or None.

    Returns:
        A dict with ``largest_growth`` and its ``largest_growth_kernel``, and ``dead_units`` and its ``dead_kernel``.
    """
    found = {}
    if first:
        growth = {
            name: kernel.scale / max(first[name], SMALLEST_SCALE) for name, kernel in snapshot.kernels.items() if name in first
        }
        name = max(growth, key=growth.get, default=None)
        if name is not None:
            found |= {"largest_growth": growth[name], "largest_growth_kernel": name}
    if previous:
        dead = {
            name: float(np.mean(kernel.projections == previous[name].projections))
            for name, kernel in snapshot.kernels.items()
            if name in previous
        }
        name = max(dead, key=dead.get, default=None)
        if name is not None:
            found |= {"dead_units": dead[name], "dead_kernel": name}
    return found


def symptom(history):
    """Finds exploding or dead layers in a `History`: a `Finding`, or None."""
    growth = history.reaches("largest_growth", *GROWTH, early=True)
    dead, logits = history.reaches("dead_units", *DEAD, early=True), history.reaches("logit_scale", *LOGITS, early=True)
    evidence, advice = [], []
    if growth is not None:
        evidence.append(
            f"The weights of {history.value('largest_growth_kernel')} are {history.value('largest_growth'):.0f} times as large "
            "as at the start."
        )
    if logits is not None:
        evidence.append(f"The discriminator's logits have a root mean square of {history.value('logit_scale'):.3g}.")
    if growth is not None or logits is not None:
        advice.append("Lower the learning rates, or add a penalty such as --config.penalties.r1.weight=10.")
    if dead is not None:
        evidence.append(f"{history.value('dead_units'):.0%} of the units of {history.value('dead_kernel')} get no gradients.")
        advice.append("Lower the learning rate; use networks with leaky ReLU or with normalization.")
    return finding("exploding_or_dead_layers", [growth, dead, logits], " ".join(evidence), " ".join(advice))
