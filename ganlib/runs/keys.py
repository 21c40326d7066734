"""The config keys that each method reads, and the checks of a config.

A key that a run does not read must keep its default, and every value must be valid. `check` enforces both before anything
is trained or written. `READ` is the single source of truth for the keys that a method reads: the jobs check configs against
it, runs are compared with it, and the page of all keys is generated from it. tests/runs/test_keys.py verifies it against the
effect of every key.
"""

import dataclasses
from collections.abc import Callable

from ganlib.errors import UserError, did_you_mean
from ganlib.runs import key_values

JOBS = {"gan": "train_gan"} | dict.fromkeys(
    ("semi_supervised", "triple_gan", "pseudo_labels", "supervised"), "train_classifier"
)
"""Method -> the job that trains it."""


@dataclasses.dataclass(frozen=True)
class Condition:
    """A condition on other keys under which a key is read.

    Attributes:
        holds: A function that takes a config and returns True if the key is read.
        unless: The state of the config in which the key is not read, for the message.
        remedy: The change that makes the run read the key, for the message.
    """

    holds: Callable
    unless: str
    remedy: str


def _is_tfds(name):
    return bool(name) and name != "digits" and not name.startswith(("folder:", "prepared:"))


def _datasets(config):
    return [config.dataset, config.get("unlabeled_dataset")]


def _trains(config, *keys):
    return any((config[key] or "").startswith("config:") for key in keys)


TFDS = Condition(
    lambda config: any(_is_tfds(name) for name in _datasets(config)),
    "no dataset is from TensorFlow Datasets",
    "set dataset to the name of one",
)
FOLDER = Condition(
    lambda config: any((name or "").startswith("folder:") for name in _datasets(config)),
    "no dataset is a folder",
    "set dataset to folder:PATH",
)
BACKGROUND = Condition(  # experiments.generate --like also reads transparent images
    lambda config: FOLDER.holds(config) or config.instances.features, FOLDER.unless, FOLDER.remedy
)
CHOSEN = Condition(
    lambda config: config.labels_per_class or config.validation_per_class,
    "labels_per_class and validation_per_class select no images",
    "set one of them",
)
HELD_OUT = Condition(
    lambda config: config.validation_per_class, "validation_per_class is 0", "set validation_per_class to hold out images"
)
METRICS = Condition(lambda config: config.metrics, "metrics is ''", "set metrics")
INSTANCES = Condition(lambda config: config.instances.features, "instances.features is ''", "set instances.features")
ADA = Condition(lambda config: config.augment == "ada", "augment is not 'ada'", "set augment to 'ada'")
ADAPTS = Condition(lambda config: config.ada.target is not None, "ada.target is None", "set ada.target")
GENERATED = Condition(lambda config: config.generated_from, "generated_from is unset", "set generated_from")
TRAINS_FEATURES = Condition(
    lambda config: _trains(config, "features_from"),
    "the method trains on labeled images only, and features_from names no GAN to train",
    "set method to 'semi_supervised'",
)
BATCHES = Condition(
    lambda config: config.generated_from or not config.labeled_batch_size,
    "labeled_batch_size is set and there are no generated images",
    "set only labeled_batch_size",
)
OWN_FEATURES = Condition(
    lambda config: not config.features_from, "features_from names the networks", "leave features_from unset"
)
NAMED_NETWORKS = Condition(
    lambda config: (
        any("networks" not in config[which] for which in ("generator", "discriminator"))
        or (config.method == "triple_gan" and "networks" not in config.triple_gan.classifier)
    ),
    "every network sets its own networks key",
    "remove one of these keys",
)
NAMED_DISCRIMINATOR = Condition(
    lambda config: "networks" not in config.discriminator, "discriminator.networks is set", "remove it"
)

EVERY = dict.fromkeys(
    (
        "method", "dataset", "classes", "image_size", "batch_size", "steps", "seed", "networks", "discriminator",
        "discriminator_optimizer", "augment", "accumulation_steps", "non_finite", "ema_decay", "precision",
        "steps_per_execution", "log_every", "checkpoint_every", "labels_per_class", "validation_per_class", "smoke",
    ),
    (),
) | {"data_dir": (TFDS,), "skip_corrupt": (FOLDER,), "label_seed": (CHOSEN,)}  # fmt: skip
"""Key -> the conditions under which it is read, for the keys that every method reads."""

WITH_GENERATOR = {
    "generator": (), "generator_optimizer": (), "sample_every": (), "networks": (NAMED_NETWORKS,),
    "ada.categories": (ADA,), "ada.probability": (ADA,), "ada.target": (ADA,), "ada.adjustment": (ADA, ADAPTS),
    "ada.interval": (ADA, ADAPTS),
}  # fmt: skip

CLASSIFIER = dict.fromkeys(("background", "test_split", "labeled_batch_size", "features_from"), ()) | {
    "evaluate_every": (HELD_OUT,)
}

FROM_FEATURES = {"discriminator": (OWN_FEATURES,), "networks": (OWN_FEATURES, NAMED_DISCRIMINATOR)}

READ = {
    "gan": EVERY | WITH_GENERATOR | dict.fromkeys(
        (
            "conditional", "instances.features", "weights_from", "body_from", "frozen_layers", "loss", "penalties",
            "discriminator_steps", "top_k", "metrics", "features", "update_rule",
        ),
        (),
    ) | {
        "instances.neighbors": (INSTANCES,), "instances.embedding_dim": (INSTANCES,), "instances.kept": (INSTANCES,),
        "evaluation_samples": (METRICS,), "evaluate_every": (METRICS,), "background": (BACKGROUND,),
    },
    "semi_supervised": EVERY | WITH_GENERATOR | CLASSIFIER | dict.fromkeys(
        (
            "unlabeled_dataset", "unlabeled_weight", "labeled_augment", "generator_loss", "regularizers",
            "generator_regularizers", "update_rule",
        ),
        (),
    ) | {"discriminator": (OWN_FEATURES,)},
    "triple_gan": EVERY | WITH_GENERATOR | CLASSIFIER | dict.fromkeys(
        (
            "unlabeled_dataset", "freeze_features", "regularizers", "triple_gan.classifier_optimizer", "triple_gan.alpha",
            "triple_gan.adversarial_weight", "triple_gan.generated_weight",
        ),
        (),
    ) | {"triple_gan.classifier": (OWN_FEATURES,)},
    "pseudo_labels": EVERY | CLASSIFIER | FROM_FEATURES | dict.fromkeys(
        (
            "unlabeled_dataset", "unlabeled_weight", "freeze_features", "pseudo_labels.threshold",
            "pseudo_labels.strong_augment",
        ),
        (),
    ),
    "supervised": EVERY | CLASSIFIER | FROM_FEATURES | {
        "freeze_features": (), "generated_from": (), "generated_images": (GENERATED,),
        "unlabeled_dataset": (TRAINS_FEATURES,), "batch_size": (BATCHES,),
    },
}  # fmt: skip
"""Method -> key -> the conditions under which the key is read. The method does not read any other key."""


def check(config, defaults):
    """Raises an error if a config belongs to another job, has an invalid value, or sets a key that has no effect.

    Args:
        config: The `ConfigDict` to train with.
        defaults: The `ConfigDict` of all keys of the job, with their default values.

    Raises:
        UserError: With the keys, their values and how to fix them.
    """
    check_values(config, defaults)
    idle_keys = idle(config, defaults)
    if idle_keys:
        raise UserError("; ".join(idle_keys.values()))


def check_values(config, defaults):
    """Runs the part of `check` that looks at one key at a time.

    Raises:
        UserError: For a config of another job, an unknown or missing key, or an invalid value.
    """
    _check_job(config, defaults)
    known = dict(_items(defaults))
    values = dict(_items(config))
    for key in values:
        if key not in known:
            raise UserError(f"unknown config key: {key}.{did_you_mean(key, known)}")
    for key in known:
        if key not in values:
            raise UserError(f"the config lacks the key {key}: create it with one of the functions in experiments.configs.base")
    for key, value in values.items():
        key_values.check(key, value, config, adapts="ada.target" in READ[config.method])


def idle(config, defaults, fulfilled=()):
    """Returns the keys that differ from their defaults although the run does not read them.

    Args:
        config: A `ConfigDict` with a known ``method``.
        defaults: The `ConfigDict` of all keys of its job, with their default values.
        fulfilled: Conditions to treat as fulfilled. Defaults to none.

    Returns:
        A dict from each key to a one-line message about it.
    """
    default_values, lines = dict(_items(defaults)), {}
    for key, value in _items(config):
        reason = _why_unread(key, config, fulfilled)
        if reason and key in default_values and _plain(value) != _plain(default_values[key]):
            unless, remedy = reason
            problem = f"{key}={_plain(value)!r} has no effect, because {unless}"
            lines[key] = f"{problem}: set it to its default {_plain(default_values[key])!r}, or {remedy}"
    return lines


def without_idle(config, defaults, keys):
    """Returns a copy of a config in which the given keys of `idle` are reset to their defaults."""
    config, default_values = config.copy_and_resolve_references(), dict(_items(defaults))
    with config.unlocked(), config.ignore_type():
        for key in keys:
            group, _, leaf = key.rpartition(".")
            (config[group] if group else config)[leaf] = default_values[key]
    return config


def same(key, config, other):
    """Returns True if two configs have the same value for a key."""
    return _plain(dict(_items(config)).get(key)) == _plain(dict(_items(other)).get(key))


def unread(config):
    """Returns the set of keys in `READ` that a run with this config does not read.

    Networks that come from ``features_from`` count as read, because the config of the run contains them.
    """
    if config.method not in READ:
        return set()  # `ganlib.runs.build` raises an error
    all_keys = {key for conditions in READ.values() for key in conditions}
    return {key for key in all_keys if _why_unread(key, config, fulfilled=(OWN_FEATURES,))}


def filled(config, defaults):
    """Fills in a config that an older version of ganlib wrote: keys that it lacks get their defaults.

    Args:
        config: The config as a dict.
        defaults: The `ConfigDict` of all keys with their default values.

    Returns:
        A dict with the keys of ``defaults``.
    """
    result = {}
    for key, default in defaults.items():
        if key in GROUPS:
            result[key] = filled(config.get(key) or {}, default)
        else:
            result[key] = config.get(key, _plain(default))
    return result


def readers(key, job):
    """Returns the names of a job's methods that read a key, always or under conditions, as a list."""
    return [method for method, its_job in JOBS.items() if its_job == job and key in READ[method]]


def _why_unread(key, config, fulfilled):
    """Returns ``(unless, remedy)`` if a key is not read, otherwise None."""
    conditions = READ[config.method]
    if key not in conditions:
        methods = " or ".join(repr(method) for method in readers(key, JOBS[config.method]))
        return f"method is {config.method!r}", f"set method to {methods}"
    return next(((c.unless, c.remedy) for c in conditions[key] if c not in fulfilled and not c.holds(config)), None)


def _check_job(config, defaults):
    method, job = config.get("method"), JOBS[defaults.method]
    if method in JOBS and JOBS[method] != job:
        raise UserError(
            f"experiments.{job} does not train method {method!r}: run python -m experiments.{JOBS[method]} with this config"
        )
    if method not in JOBS:
        methods = [name for name in JOBS if JOBS[name] == job]
        raise UserError(f"unknown method {method!r}: known are {', '.join(methods)}.{did_you_mean(method, methods)}")


def _items(config, prefix=""):
    """Yields pairs of a key and its value. Groups whose keys are in `READ` are flattened; other groups are values."""
    for key in config:
        value = config[key]
        if f"{prefix}{key}" in GROUPS and hasattr(value, "items"):
            yield from _items(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value):
    return value.to_dict() if hasattr(value, "to_dict") else value


GROUPS = {key.rpartition(".")[0] for conditions in READ.values() for key in conditions} - {""}
