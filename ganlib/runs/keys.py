"""Which keys of a config a method reads, and which values they may have.

A key that a run does not read must be left at its default, and no value may be nonsense. `check` refuses both before
anything is trained or written. `READ` is the one place that says what is read: the jobs check by it, runs are compared by
it, and the page of all keys is made of it. tests/runs/test_keys.py holds it against what every key does.
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
    """Other keys on which it depends whether a key is read.

    Attributes:
        holds: from a config to whether it is read.
        unless: what the config says where it is not, for the message.
        remedy: what to do to have it read.
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
    "no data set is one of TensorFlow Datasets",
    "set dataset to one",
)
FOLDER = Condition(
    lambda config: any((name or "").startswith("folder:") for name in _datasets(config)),
    "no data set is a folder",
    "set dataset to folder:PATH",
)
BACKGROUND = Condition(  # experiments.generate --like reads transparent pictures, too
    lambda config: FOLDER.holds(config) or config.instances.features, FOLDER.unless, FOLDER.remedy
)
CHOSEN = Condition(
    lambda config: config.labels_per_class or config.validation_per_class,
    "labels_per_class and validation_per_class choose no images",
    "set one of them",
)
HELD_OUT = Condition(
    lambda config: config.validation_per_class, "validation_per_class is 0", "hold images out by validation_per_class"
)
METRICS = Condition(lambda config: config.metrics, "metrics is ''", "set metrics")
INSTANCES = Condition(lambda config: config.instances.features, "instances.features is ''", "set instances.features")
ADA = Condition(lambda config: config.augment == "ada", "augment is not 'ada'", "set augment to 'ada'")
ADAPTS = Condition(lambda config: config.ada.target is not None, "ada.target is None", "set ada.target")
GENERATED = Condition(lambda config: config.generated_from, "generated_from is unset", "set generated_from")
TRAINS_FEATURES = Condition(
    lambda config: _trains(config, "features_from"),
    "the method learns from labeled images alone, and features_from names no GAN to train",
    "set method to 'semi_supervised'",
)
BATCHES = Condition(
    lambda config: config.generated_from or not config.labeled_batch_size,
    "labeled_batch_size is set and there are no generated images",
    "set labeled_batch_size alone",
)
OWN_FEATURES = Condition(
    lambda config: not config.features_from, "features_from names the networks", "leave features_from unset"
)
NAMED_NETWORKS = Condition(
    lambda config: (
        any("networks" not in config[which] for which in ("generator", "discriminator"))
        or (config.method == "triple_gan" and "networks" not in config.triple_gan.classifier)
    ),
    "every network names its own",
    "leave them out",
)
NAMED_DISCRIMINATOR = Condition(
    lambda config: "networks" not in config.discriminator, "discriminator.networks is set", "leave it out"
)

EVERY = dict.fromkeys(
    (
        "method", "dataset", "classes", "image_size", "batch_size", "steps", "seed", "networks", "discriminator",
        "discriminator_optimizer", "augment", "accumulation_steps", "non_finite", "ema_decay", "precision",
        "steps_per_execution", "log_every", "checkpoint_every", "labels_per_class", "validation_per_class", "smoke",
    ),
    (),
) | {"data_dir": (TFDS,), "skip_corrupt": (FOLDER,), "label_seed": (CHOSEN,)}  # fmt: skip
"""Key -> conditions, of the keys that every method reads."""

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
"""Method -> key -> the conditions under which it is read; a key that is not there is not read."""


def check(config, defaults):
    """Refuses a config that is not of the job, or that sets a key to no purpose or to nonsense.

    Args:
        config: the `ConfigDict` to train by.
        defaults: that of all keys of the job, with their defaults.

    Raises:
        UserError: naming the keys, with their values and what to do.
    """
    check_values(config, defaults)
    found = idle(config, defaults)
    if found:
        raise UserError("; ".join(found.values()))


def check_values(config, defaults):
    """The part of `check` that is about each key alone.

    Raises:
        UserError: for the config of another job, a key that there is not or is missing, or a value that it cannot have.
    """
    _check_job(config, defaults)
    known = dict(_items(defaults))
    values = dict(_items(config))
    for key in values:
        if key not in known:
            raise UserError(f"unknown config key: {key}.{did_you_mean(key, known)}")
    for key in known:
        if key not in values:
            raise UserError(f"the config lacks the key {key}: begin it with one of the functions in experiments.configs.base")
    for key, value in values.items():
        key_values.check(key, value, config, adapts="ada.target" in READ[config.method])


def idle(config, defaults, kept=()):
    """The keys that differ from their defaults although the run does not read them.

    Args:
        config: a `ConfigDict` whose ``method`` is known.
        defaults: that of all keys of its job, with their defaults.
        kept: conditions to take for fulfilled.

    Returns:
        A dict from keys to a line about each.
    """
    before, lines = dict(_items(defaults)), {}
    for key, value in _items(config):
        reason = _why_unread(key, config, kept)
        if reason and key in before and _plain(value) != _plain(before[key]):
            unless, remedy = reason
            shown = f"{key}={_plain(value)!r} does nothing where {unless}"
            lines[key] = f"{shown}: leave it at {_plain(before[key])!r}, or {remedy}"
    return lines


def without_idle(config, defaults, keys):
    """A copy of a config, in which some of the keys of `idle` are at their defaults."""
    config, before = config.copy_and_resolve_references(), dict(_items(defaults))
    with config.unlocked(), config.ignore_type():
        for key in keys:
            group, _, leaf = key.rpartition(".")
            (config[group] if group else config)[leaf] = before[key]
    return config


def same(key, config, other):
    """Whether two configs have the same value of a key."""
    return _plain(dict(_items(config)).get(key)) == _plain(dict(_items(other)).get(key))


def unread(config):
    """The keys, among those of `READ`, that a run of a config does not read: a set of names.

    Networks that ``features_from`` names count as read, since a run's config has them in their place.
    """
    if config.method not in READ:
        return set()  # `ganlib.runs.build` refuses it
    everything = {key for own in READ.values() for key in own}
    return {key for key in everything if _why_unread(key, config, kept=(OWN_FEATURES,))}


def filled(config, defaults):
    """What an older version wrote of a config, with today's keys: those that it lacks have their defaults.

    Args:
        config: a dict.
        defaults: the `ConfigDict` of all keys.

    Returns:
        A dict of the keys of ``defaults``.
    """
    result = {}
    for key, default in defaults.items():
        if key in GROUPS:
            result[key] = filled(config.get(key) or {}, default)
        else:
            result[key] = config.get(key, _plain(default))
    return result


def readers(key, job):
    """The methods of a job that read a key, perhaps under conditions: a list of names."""
    return [method for method, own in JOBS.items() if own == job and key in READ[method]]


def _why_unread(key, config, kept):
    """``(unless, remedy)`` where a key is not read, otherwise None."""
    own = READ[config.method]
    if key not in own:
        methods = " or ".join(repr(method) for method in readers(key, JOBS[config.method]))
        return f"method is {config.method!r}", f"set method to {methods}"
    return next(((c.unless, c.remedy) for c in own[key] if c not in kept and not c.holds(config)), None)


def _check_job(config, defaults):
    method, job = config.get("method"), JOBS[defaults.method]
    if method in JOBS and JOBS[method] != job:
        raise UserError(
            f"method {method!r} is not trained by experiments.{job}: run python -m experiments.{JOBS[method]} with this config"
        )
    if method not in JOBS:
        own = [name for name in JOBS if JOBS[name] == job]
        raise UserError(f"unknown method {method!r}: known are {', '.join(own)}.{did_you_mean(method, own)}")


def _items(config, prefix=""):
    """Pairs of a key and its value; a group whose keys `READ` names is taken apart, other groups are values."""
    for key in config:
        value = config[key]
        if f"{prefix}{key}" in GROUPS and hasattr(value, "items"):
            yield from _items(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value):
    return value.to_dict() if hasattr(value, "to_dict") else value


GROUPS = {key.rpartition(".")[0] for own in READ.values() for key in own} - {""}
