"""Rules for resuming a run: the config keys and facts that may differ between two starts, and the effect of a difference.

The tables `CONFIG` and `FACTS` are the single source of truth.
"""

import dataclasses
import json

import numpy as np

from ganlib.data import sizes
from ganlib.training.schedules import SCHEDULES

RESUMES = "resumes"
"""The final weights are bit-identical to those of a run that used the new values from its first step."""
REPORTS = "reports the difference and resumes"
"""The weights may differ by rounding, or through a change in a library."""
REFUSES = "refuses to resume"
"""The run does not resume unless the user accepts the difference."""

CONFIG = {
    "data_dir", "log_every", "checkpoint_every", "sample_every", "evaluate_every", "metrics", "features", "evaluation_samples",
    "steps_per_execution", "steps",
}  # fmt: skip
"""The config keys that may differ. A difference in any other key is refused, and so is one in ``steps`` if a schedule
depends on it."""

MEANINGS = {"image_size": sizes.parsed}
"""Config key -> a function of its value. Two values are equal if the function returns the same for both."""

PLACES = {
    "dataset": "fingerprint",
    "unlabeled_dataset": "unlabeled_fingerprint",
    "added_labels": "labeled_fingerprint",
}
"""Config key -> a fact. The key may differ if the fact is equal: the same images are in another place."""

FACTS = {
    "image_shape": REFUSES, "class_names": REFUSES, "class_counts": REFUSES, "label_counts": REFUSES, "num_examples": REFUSES,
    "fingerprint": REFUSES, "unlabeled_fingerprint": REFUSES, "labeled_fingerprint": REFUSES,
    "generated_by": REFUSES, "instance_dim": REFUSES, "instance_features": REFUSES,
    "ganlib": REPORTS, "tensorflow": REPORTS, "keras": REPORTS, "replicas": REPORTS,
    "data": RESUMES, "python": RESUMES, "devices": RESUMES, "defaults_of": RESUMES,
}  # fmt: skip
"""Key of ``run.json`` -> the effect of a difference. A key that an older run lacks may differ. Every key that a start writes
is listed."""


@dataclasses.dataclass(frozen=True)
class Differences:
    """The differences between two starts of a run, as lines such as ``"batch_size 64 -> 128"``.

    Attributes:
        config: Differences in the config that are refused.
        data: Differences in the data that are refused.
        reported: Differences that are reported while the run resumes.
    """

    config: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()

    @property
    def refusal(self):
        """The refused differences, as in ``"another config: batch_size 64 -> 128"``; empty if there are none."""
        parts = [("another config", self.config), ("other data", self.data)]
        return " and ".join(f"{what}: {'; '.join(lines)}" for what, lines in parts if lines)


def differences(before, after, unread=()):
    """Returns the `Differences` between two starts of a run.

    Args:
        before: ``(config, facts)`` of the earlier start, as dicts read from JSON. Either may be empty.
        after: ``(config, facts)`` of this start.
        unread: Config keys that the run does not read and that may therefore differ. Defaults to ``()``.
    """
    (old_config, old_facts), (config, facts) = before, after
    lines = {REFUSES: [], REPORTS: [], RESUMES: []}
    for key in sorted(facts, key=list(FACTS).index):
        if key in old_facts and old_facts[key] != facts[key]:
            lines[FACTS[key]].append(f"{key} {_short(old_facts[key], facts[key])}")
    data, reported = lines[REFUSES], lines[REPORTS]
    if data and all(line.startswith("fingerprint ") for line in data):
        data = ["files were replaced or renamed; their number is unchanged"]
    data = [line for line in data if not line.startswith("fingerprint ")]
    moved = {key for key, fact in PLACES.items() if old_facts.get(fact, "unknown") == facts.get(fact)}
    allowed = moved | {*CONFIG, *unread}
    if "best" in (old_config.get("selected_step"), config.get("selected_step")):
        allowed -= {"evaluate_every", "selected_step"}  # they determine which step is the result
    settings = _config_differences(old_config, config, allowed) if old_config else []
    return Differences(tuple(settings), tuple(data), tuple(reported))


def data_facts(source, **facts):
    """Returns the entries of ``run.json`` about a `ganlib.data.Source`, ready for JSON, together with ``facts``."""
    counts = None
    if source.labels is not None:
        counts = np.bincount(source.labels, minlength=len(source.class_names)).tolist()
    return {
        "image_shape": list(source.image_shape), "class_names": list(source.class_names), "data": source.name,
        "num_examples": source.num_examples, "class_counts": counts, "fingerprint": source.fingerprint, **facts,
    }  # fmt: skip


def schedules_of_all_steps(config, prefix=""):
    """Returns the names of the schedules in a config whose length depends on its number of steps, such as ``"ema_decay"``.

    Args:
        config: A config or a group of it, as a dict.
        prefix: The prefix of the names, such as ``"penalties."``. Defaults to ``""``.
    """
    names = []
    for key, value in config.items():
        if key == "linear_decay" and value is not None:
            names.append(prefix + key)
        elif isinstance(value, dict) and key in SCHEDULES and "share" in value:
            names.append(prefix.removesuffix("."))
        elif isinstance(value, dict):
            names += schedules_of_all_steps(value, f"{prefix}{key}.")
    return names


def _config_differences(old, new, allowed, prefix=""):
    lines = []
    for key in sorted({*old, *new}):
        name, old_value, new_value = prefix + key, old.get(key), new.get(key)
        meaning = MEANINGS.get(name, lambda value: value)
        if meaning(old_value) == meaning(new_value):
            continue
        if name == "steps" and schedules_of_all_steps(new):
            lines.append(
                f"steps {old_value} -> {new_value}, which changes the schedule of {', '.join(schedules_of_all_steps(new))}"
            )
        elif name in allowed:
            continue
        elif isinstance(old_value, dict) and isinstance(new_value, dict):
            lines += _config_differences(old_value, new_value, allowed, f"{name}.")
        else:
            lines.append(f"{name} {json.dumps(old_value)} -> {json.dumps(new_value)}")
    return lines


def _short(old, new):
    """Formats two values; for two long lists, the first items that differ."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new) > 10:
        index = next(index for index, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1])
        return f"[{index}] {json.dumps(old[index])} -> {json.dumps(new[index])}"
    return " -> ".join(text if len(text) < 100 else f"{text[:100]}..." for text in map(json.dumps, (old, new)))
