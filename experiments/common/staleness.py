"""Whether a result in a comparison's folder is of what is asked for now: its config, data, feature network and code."""

import functools
import json

from ganlib.files import write_json

ASKED = "asked.json"
"""The file of a trial's folder that says what the run was asked for when its training began."""
OF_IMAGES = ("dataset", "classes", "image_size", "data_dir", "skip_corrupt", "background")
"""Keys of a config that choose images."""


def claim(trial, accept_other_code=False):
    """Notes in a trial's folder what its run is asked for, before it is trained.

    Args:
        trial: an object with a ``workdir`` and a dict ``asked`` of the keys config, data and code.
        accept_other_code: take a run that other code of ganlib has trained, or of which nothing is noted.

    Returns:
        None, or a line that says what differs from what the folder was begun for.
    """
    path = trial.workdir / ASKED
    if not (trial.workdir / "config.json").exists():
        write_json(path, trial.asked)
        return None
    before = read(path) or {}
    if accept_other_code:
        before = {**trial.asked, **before, "code": trial.asked["code"]}
    lines = [f"{key} {before.get(key)} -> {value}" for key, value in trial.asked.items()
             if key != "config" and before.get(key) != value]  # fmt: skip
    lines += _changed_keys(before.get("config", trial.asked["config"]), trial.asked["config"])
    if not lines:
        return None
    return f"{str(trial.workdir)!r} holds another run than is asked for: {'; '.join(lines)}"


def claim_all(trials, accept_other_code=False):
    """`claim` for every trial of a comparison.

    Raises:
        UserError: naming each folder that holds a run of something else, and what differs.
    """
    from ganlib import UserError

    lines = [line for trial in trials if (line := claim(trial, accept_other_code))]
    if lines:
        raise UserError(f"{'; '.join(lines)}. Choose another --workdir to train anew, or, where the code alone differs, "
                        "pass --accept_other_code to take the runs as they are")  # fmt: skip


def differences(path, wanted):
    """Lines such as ``"samples 300 -> 500"`` for values of a JSON file that are not those wanted; one line if it is missing."""
    measured = read(path)
    if measured is None:
        return [f"{str(path)!r} is missing"]
    return [f"{key} {measured.get(key)} -> {value}" for key, value in wanted.items() if measured.get(key) != value]


def still_different(tasks):
    """A line for each task, an object with ``label``, ``result`` and ``wanted``, whose result is not what is wanted.

    It is called when all have run, so that nothing stands in a table but what was asked for.
    """
    forget_features()
    found = [(task.label, differences(task.result, task.wanted)) for task in tasks]
    return [f"{label} is not of what is asked: {'; '.join(lines)}" for label, lines in found if lines]


def read(path):
    """What a JSON file holds; None if there is none, or it is damaged."""
    from ganlib.files import read_measures

    return read_measures(path) or None


def plain(config):
    """A config as JSON has it, without the keys that do not change what a step does."""
    from ganlib.runs import resuming

    values = json.loads(config.to_json_best_effort())
    return {key: value for key, value in values.items() if key not in resuming.CONFIG}


def images_of(config, split="train"):
    """The content of the images that a config names: see `ganlib.data.Source`."""
    return _images_of(tuple(config.get(key) for key in OF_IMAGES), split)


@functools.cache
def _images_of(values, split):
    from ml_collections import ConfigDict

    from ganlib import runs

    return runs.open_data(ConfigDict(dict(zip(OF_IMAGES, values, strict=True))), split).fingerprint


def features_of(config):
    """The version of the feature network that a config names, or None if it has yet to be trained."""
    return _features_of(config.features, tuple(config.get(key) for key in OF_IMAGES))


def forget_features():
    """Lets `features_of` look again: a network that had to be trained may now be there."""
    _features_of.cache_clear()


@functools.cache
def _features_of(name, values):
    from ml_collections import ConfigDict

    from ganlib import runs
    from ganlib.metrics import features, in_domain

    source = runs.open_data(ConfigDict(dict(zip(OF_IMAGES, values, strict=True))))
    if name == "in_domain" and not in_domain.path_of(source).exists():
        return None
    return features.get(name, source).version


def _changed_keys(before, now, prefix=""):
    lines = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            lines += _changed_keys(old, new, f"{prefix}{key}.")
        elif old != new:
            lines.append(f"{prefix}{key} {json.dumps(old)} -> {json.dumps(new)}")
    return lines
