"""What may differ between two starts of a run, and what happens then. The two tables here are the only place that says so."""

import dataclasses
import json

import numpy as np

from ganlib.training.schedules import SCHEDULES

GOES_ON = "goes on"
"""The run ends with the weights of one that was started so at first, bit for bit."""
SAYS = "says what differs and goes on"
"""The weights may be others by rounding, or by a change of a library."""
REFUSES = "refuses"
"""The run does not go on, unless its user accepts what differs."""

CONFIG = {
    "data_dir", "log_every", "checkpoint_every", "sample_every", "evaluate_every", "metrics", "features", "evaluation_samples",
    "steps_per_execution", "steps",
}  # fmt: skip
"""The config keys that go on when they differ. Any other refuses, and so does ``steps`` where a schedule depends on it."""

PLACES = {"dataset": "fingerprint", "unlabeled_dataset": "unlabeled_fingerprint"}
"""Config key -> the fact by which it goes on too: the same images in another place."""

FACTS = {
    "image_shape": REFUSES, "class_names": REFUSES, "class_counts": REFUSES, "num_examples": REFUSES, "fingerprint": REFUSES,
    "unlabeled_fingerprint": REFUSES, "generated_by": REFUSES, "instance_dim": REFUSES, "instance_features": REFUSES,
    "ganlib": SAYS, "tensorflow": SAYS, "keras": SAYS, "replicas": SAYS,
    "data": GOES_ON, "python": GOES_ON, "devices": GOES_ON,
}  # fmt: skip
"""Key of ``run.json`` -> what happens when it differs. What an old run does not have goes on. Every key that a start writes is
here."""


@dataclasses.dataclass(frozen=True)
class Differences:
    """What differs between two starts of a run, as lines such as ``"batch_size 64 -> 128"``.

    Attributes:
        config: differences of the config that refuse.
        data: differences of the data that refuse.
        said: those that are said.
    """

    config: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def refusal(self):
        """What refuses, as in ``"another config: batch_size 64 -> 128"``; empty if nothing does."""
        parts = [("another config", self.config), ("other data", self.data)]
        return " and ".join(f"{what}: {'; '.join(lines)}" for what, lines in parts if lines)


def differences(before, after, unread=()):
    """The `Differences` between two starts of a run.

    Args:
        before: the pair of the config and the facts of the earlier start, as dicts that were read from JSON; either may be
            empty.
        after: those of this start.
        unread: config keys that the run does not read, and which may differ.
    """
    (old_config, old_facts), (config, facts) = before, after
    lines = {REFUSES: [], SAYS: [], GOES_ON: []}
    for key in sorted(facts, key=list(FACTS).index):
        if key in old_facts and old_facts[key] != facts[key]:
            lines[FACTS[key]].append(f"{key} {_short(old_facts[key], facts[key])}")
    data, said = lines[REFUSES], lines[SAYS]
    if data and all(line.startswith("fingerprint ") for line in data):
        data = ["files were replaced or renamed, as many as before"]
    data = [line for line in data if not line.startswith("fingerprint ")]
    free = {key for key, fact in PLACES.items() if old_facts.get(fact, "unknown") == facts.get(fact)}
    settings = _of_configs(old_config, config, free | {*CONFIG, *unread}) if old_config else []
    return Differences(tuple(settings), tuple(data), tuple(said))


def data_facts(source, **others):
    """What ``run.json`` says of a `ganlib.data.Source`, ready for JSON, with ``others``."""
    counts = None
    if source.labels is not None:
        counts = np.bincount(source.labels, minlength=len(source.class_names)).tolist()
    return {
        "image_shape": list(source.image_shape), "class_names": list(source.class_names), "data": source.name,
        "num_examples": source.num_examples, "class_counts": counts, "fingerprint": source.fingerprint, **others,
    }  # fmt: skip


def schedules_of_all_steps(config, prefix=""):
    """The names of a config's schedules that are stretched over all its steps, such as ``"ema_decay"``."""
    names = []
    for key, value in config.items():
        if key == "linear_decay" and value is not None:
            names.append(prefix + key)
        elif isinstance(value, dict) and key in SCHEDULES and "share" in value:
            names.append(prefix.removesuffix("."))
        elif isinstance(value, dict):
            names += schedules_of_all_steps(value, f"{prefix}{key}.")
    return names


def _of_configs(old, new, free, prefix=""):
    lines = []
    for key in sorted({*old, *new}):
        name, before, after = prefix + key, old.get(key), new.get(key)
        if before == after:
            continue
        if name == "steps" and schedules_of_all_steps(new):
            lines.append(f"steps {before} -> {after}, over which {', '.join(schedules_of_all_steps(new))} is stretched")
        elif name in free:
            continue
        elif isinstance(before, dict) and isinstance(after, dict):
            lines += _of_configs(before, after, free, f"{name}.")
        else:
            lines.append(f"{name} {json.dumps(before)} -> {json.dumps(after)}")
    return lines


def _short(before, after):
    """Two values; of two long lists their first items that differ."""
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after) > 10:
        index = next(index for index, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1])
        return f"[{index}] {json.dumps(before[index])} -> {json.dumps(after[index])}"
    return " -> ".join(text if len(text) < 100 else f"{text[:100]}..." for text in map(json.dumps, (before, after)))
