"""`History`: the measures of a run at several steps, from which its symptoms are found."""

import dataclasses

import numpy as np

from ganlib.diagnostics.finding import Finding, confidence

WARM_UP, WARM_UP_STEPS, LONGEST_WARM_UP = 0.1, 500, 0.3
"""The beginning of a training in which no symptoms are reported: a tenth of it, at least 500 steps, at most three tenths.

Every generator begins with images that are all alike, and every discriminator tells them from real ones.
"""
SHORTEST = 300
"""A training of fewer steps is only examined for layers that explode or are dead, and for values that are not finite."""
UNKNOWN_WARM_UP = 3
"""The number of examinations that are left out instead if the number of steps is not known."""
CONSECUTIVE = 3
"""The number of consecutive examinations that must show a symptom. One may by chance."""
IMPROVEMENT = 0.1
"""A symptom that recedes by this fraction of its range over these examinations is not reported: training cures it."""


@dataclasses.dataclass(frozen=True)
class History:
    """The measures of a run so far.

    Attributes:
        rows: A list of dicts with ``step`` and the measures of `ganlib.diagnostics.measures`, in the order of the steps.
        steps: The number of steps of the whole training, or 0 if it is unknown.
        logs: The rows of ``metrics.jsonl``: dicts with ``step``, losses and metrics. Defaults to none.
        stopped: Why the training stopped at a loss that is not finite, or an empty string. Defaults to ``""``.
        class_names: The names of the classes. Defaults to ``()``.
        is_over: Whether no more rows will follow, so that fewer examinations must do. Defaults to False, which is decided by
            the last row.
    """

    rows: list
    steps: int
    logs: list = dataclasses.field(default_factory=list)
    stopped: str = ""
    class_names: tuple = ()
    is_over: bool = False

    @property
    def warm_up(self):
        """The number of steps in which no symptoms are reported."""
        return min(max(WARM_UP * self.steps, WARM_UP_STEPS), LONGEST_WARM_UP * self.steps)

    @property
    def is_too_short(self):
        """Whether the whole training is a beginning, in which all generators are alike."""
        return 0 < self.steps < SHORTEST

    def latest(self, name, early=False):
        """Returns a measure at the last `CONSECUTIVE` examinations that have it, after the warm-up: an array of floats.

        It is empty if there are fewer, unless the training has ended. It is also empty if the training is too short. With
        ``early``, there is no warm-up, and no training is too short.
        """
        if self.is_too_short and not early:
            return np.array([])
        found = [(row["step"], row[name]) for row in self.rows if row.get(name) is not None]
        settled = [value for step, value in found if early or step >= self.warm_up]
        if not self.steps and not early:
            settled = settled[UNKNOWN_WARM_UP:]
        has_ended = self.is_over or bool(found and 0 < self.steps <= found[-1][0])
        return np.array(settled[-CONSECUTIVE:] if len(settled) >= CONSECUTIVE or has_ended else [])

    def reaches(self, name, threshold, certain, early=False):
        """Returns how sure it is that a measure has passed a threshold at all of its latest examinations and does not return.

        Args:
            name: The name of the measure.
            threshold, certain: As in `ganlib.diagnostics.finding.confidence`.
            early: Whether there is no warm-up. Defaults to False.

        Returns:
            A float in ``[0.5, 1]``, or None.
        """
        values = self.latest(name, early)
        sure = [confidence(value, threshold, certain) for value in values]
        if not sure or None in sure or (values[0] - values[-1]) / (certain - threshold) > IMPROVEMENT:
            return None
        return min(sure)

    def class_name(self, label):
        """Returns the name of a class, or its number if it has none."""
        return repr(self.class_names[label]) if label is not None and label < len(self.class_names) else str(label)

    def value(self, name):
        """Returns the newest value of a measure, or None."""
        return next((row[name] for row in reversed(self.rows) if row.get(name) is not None), None)


def finding(symptom, confidences, evidence, advice):
    """Returns a `Finding` with the largest of some confidences, or None if all of them are None."""
    sure = [value for value in confidences if value is not None]
    return Finding(symptom, max(sure), evidence, advice) if sure else None
