"""Detects outdated results in the folder of a comparison, by their config, data, feature network and code."""

import functools
import json

from ganlib.files import write_json

ASKED = "asked.json"
"""The file in a trial's folder that records the config, data and code at the start of training."""
OF_IMAGES = (
    "dataset", "classes", "image_size", "data_dir", "skip_corrupt", "background", "fit", "label_file", "file_column",
    "label_column", "method", "conditional", "labels_per_class", "validation_per_class",
)  # fmt: skip
"""The config keys that select images."""


def claim(trial, accept_other_code=False):
    """Records the config, data and code of a trial in its folder before training.

    Args:
        trial: An object with a ``workdir`` and a dict ``requested`` with the keys config, data and code.
        accept_other_code: Whether to accept a run that another version of the code has trained, or that has no record. Defaults
            to False.

    Returns:
        None, or a line that lists the differences from the record in the folder.
    """
    path = trial.workdir / ASKED
    if not (trial.workdir / "config.json").exists():
        write_json(path, trial.requested)
        return None
    recorded = read(path) or {}
    if accept_other_code:
        recorded = {**trial.requested, **recorded, "code": trial.requested["code"]}
    lines = [
        f"{key} {recorded.get(key)} -> {value}"
        for key, value in trial.requested.items()
        if key != "config" and recorded.get(key) != value
    ]
    lines += _changed_keys(_completed(recorded.get("config", {}), trial.requested["config"]), trial.requested["config"])
    if not lines:
        return None
    return f"{str(trial.workdir)!r} holds a different run: {'; '.join(lines)}"


def claim_all(trials, accept_other_code=False):
    """Calls `claim` for every trial of a comparison.

    Raises:
        UserError: If folders hold different runs. The message lists the folders and the differences.
    """
    from ganlib import UserError

    lines = [line for trial in trials if (line := claim(trial, accept_other_code))]
    if lines:
        raise UserError(
            f"{'; '.join(lines)}. Choose another --workdir to train again, or, if only the code differs, pass "
            "--accept_other_code to use the existing runs"
        )


def differences(path, expected):
    """Returns lines such as ``"samples 300 -> 500"`` for the values in a JSON file that differ from ``expected``, or a single
    line if the file is missing."""
    values = read(path)
    if values is None:
        return [f"{str(path)!r} is missing"]
    return [f"{key} {values.get(key)} -> {value}" for key, value in expected.items() if values.get(key) != value]


def still_different(tasks):
    """Returns a line for each task, an object with ``label``, ``result`` and ``expected``, whose result is outdated.

    It is called after all tasks have run, so that a table contains only up-to-date results.
    """
    forget_features()
    changes = [(task.label, differences(task.result, task.expected)) for task in tasks]
    return [f"{label} has an outdated result: {'; '.join(lines)}" for label, lines in changes if lines]


def read(path):
    """Returns the contents of a JSON file, or None if it does not exist or is damaged."""
    from ganlib.files import read_measures

    return read_measures(path) or None


def plain(config):
    """Returns a config as plain values for JSON, without the keys that do not affect training steps."""
    from ganlib.runs import resuming

    values = json.loads(config.to_json_best_effort())
    return {key: value for key, value in values.items() if key not in resuming.CONFIG}


def images_of(config, split="train"):
    """Returns the fingerprint of the images that a config names: see `ganlib.data.Source`."""
    return _images_of(_values_of_images(config), split)


def _values_of_images(config):
    """Returns the values of `OF_IMAGES`. An image size that is a list, as read from JSON, becomes a tuple, to be hashable."""
    return tuple(tuple(value) if isinstance(value := config.get(key), list) else value for key in OF_IMAGES)


@functools.cache
def _images_of(values, split):
    from ml_collections import ConfigDict

    from ganlib import runs

    return runs.open_data(ConfigDict(dict(zip(OF_IMAGES, values, strict=True))), split).fingerprint


def features_of(config, network):
    """Returns the version of a feature network for the images that a config names, or None if it is not trained yet."""
    return _features_of(network, _values_of_images(config))


def forget_features():
    """Clears the cache of `features_of`, because a feature network may have been trained since."""
    _features_of.cache_clear()


@functools.cache
def _features_of(name, values):
    from ml_collections import ConfigDict

    from ganlib import runs
    from ganlib.metrics import features, in_domain

    config = ConfigDict(dict(zip(OF_IMAGES, values, strict=True)))
    source, test = runs.open_data(config), runs.open_test(config, [], [name])
    if name.startswith("in_domain") and not in_domain.path_of(test or source).exists():
        return None
    return features.get(name, source, test=test).version


def _completed(recorded, requested):
    """Returns a recorded config with the keys that did not exist yet when it was recorded. Their defaults change nothing."""
    from experiments.configs import base

    defaults = plain(base.gan() if requested.get("method") == "gan" else base.classifier())
    return {**{key: defaults.get(key) for key in requested}, **recorded} if recorded else requested


def _changed_keys(recorded, requested, prefix=""):
    lines = []
    for key in sorted({*recorded, *requested}):
        old, new = recorded.get(key), requested.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            lines += _changed_keys(old, new, f"{prefix}{key}.")
        elif old != new:
            lines.append(f"{prefix}{key} {json.dumps(old)} -> {json.dumps(new)}")
    return lines
