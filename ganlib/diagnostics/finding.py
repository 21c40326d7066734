"""`Finding`: a symptom of a dataset or a run, with its evidence and what to change."""

import dataclasses

import numpy as np

SYMPTOMS = (
    "discriminator_overfitting", "mode_collapse", "memorization", "discriminator_dominates", "generator_dominates", "unstable",
    "exploding_or_dead_layers", "labels_ignored", "stale_average", "duplicate_images", "blank_images", "outlier_images",
    "class_imbalance", "missing_class", "too_few_images", "split_leak", "split_named_folders",
)  # fmt: skip
"""The names of all symptoms."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """A symptom of a dataset or a run.

    Attributes:
        symptom: One of `SYMPTOMS`.
        confidence: How sure it is that the symptom is there, from 0.5, where a measure reaches its threshold, to 1.
        evidence: One sentence with the measured values.
        advice: What to change, with the config key if there is one, and when to change nothing.
        images: The indices of images that show the symptom, ``(n,)`` int64. Defaults to none.
    """

    symptom: str
    confidence: float
    evidence: str
    advice: str
    images: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64), compare=False)

    def __post_init__(self):
        if self.symptom not in SYMPTOMS:
            raise ValueError(f"unknown symptom {self.symptom!r}")
        if not isinstance(self.confidence, float):
            raise ValueError(f"the confidence must be a float, got {self.confidence!r}")

    def as_dict(self):
        """Returns the finding without its images as a dict that can be written as JSON."""
        names = "symptom", "confidence", "evidence", "advice"
        return {name: getattr(self, name) for name in names}


def confidence(value, threshold, certain):
    """Returns how sure a symptom is: 0.5 where its measure reaches a threshold, rising linearly to 1.

    Args:
        value: The measure.
        threshold: The value where the symptom is reported.
        certain: The value where it is certain. It is below ``threshold`` if small values are the symptom.

    Returns:
        A float in ``[0.5, 1]`` rounded to two digits, or None if the threshold is not reached.
    """
    fraction = (value - threshold) / (certain - threshold)
    return round(0.5 + 0.5 * min(float(fraction), 1.0), 2) if fraction >= 0 else None


def share(count, total):
    """Returns a count with its share as text, such as ``"12 of 300 (4 %)"``."""
    percent = 100 * count / total
    return f"{count:,} of {total:,} ({percent:.{0 if percent >= 10 or percent == 0 else 1 if percent >= 0.1 else 2}f} %)"
