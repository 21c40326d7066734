"""Conditions under which a method reads a key of its config."""

import dataclasses
from collections.abc import Callable


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


def _trains_gan(config, *keys):
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
LABELED_FOLDER = Condition(
    lambda config: config.dataset.startswith("folder:"), "dataset is not a folder", "set dataset to folder:PATH"
)
TABLE = Condition(lambda config: config.label_file != "none", "label_file is 'none'", "name a table or leave label_file unset")
FITTED = Condition(
    lambda config: any(name and name != "digits" for name in _datasets(config)) or config.instances.features,
    "the digits have one size",
    "set dataset to other images",
)
BACKGROUND = Condition(  # experiments.generate --like also reads transparent images
    lambda config: FOLDER.holds(config) or config.instances.features or (config.fit == "pad" and FITTED.holds(config)),
    FOLDER.unless,
    FOLDER.remedy,
)
CHOSEN = Condition(
    lambda config: config.labels_per_class or config.validation_per_class or config.validation_per_class is None,
    "labels_per_class and validation_per_class select no images",
    "set one of them",
)
UNEQUAL = Condition(
    lambda config: not config.labels_per_class,
    "labels_per_class selects equally many labels of each class",
    "leave labels_per_class unset",
)
HELD_OUT = Condition(
    lambda config: config.validation_per_class, "validation_per_class is 0", "set validation_per_class to hold out images"
)
EVALUATED = Condition(
    lambda config: config.validation_per_class and 0 < config.evaluate_every < config.steps,
    "no step but the last is evaluated",
    "set validation_per_class, and evaluate_every below steps",
)
METRICS = Condition(lambda config: config.metrics, "metrics is ''", "set metrics")
INSTANCES = Condition(lambda config: config.instances.features, "instances.features is ''", "set instances.features")
ADA = Condition(lambda config: config.augment == "ada", "augment is not 'ada'", "set augment to 'ada'")
ADAPTS = Condition(lambda config: config.ada.target is not None, "ada.target is None", "set ada.target")
GENERATED = Condition(lambda config: config.generated_from, "generated_from is unset", "set generated_from")
ONLY_REAL = Condition(
    lambda config: not config.generated_from,
    "the frequencies of the classes among generated images differ",
    "leave generated_from unset",
)
UNLABELED = Condition(
    lambda config: (
        _trains_gan(config, "features_from")
        or config.class_priors
        or config.get("added_labels")
        or "feature_space" in (config.networks, config.discriminator.get("networks"))
    ),
    "the method trains on labeled images only",
    "set added_labels, class_priors to 'estimated' or method to 'semi_supervised'",
)
BATCHES = Condition(
    lambda config: config.generated_from or not config.labeled_batch_size,
    "labeled_batch_size is set and there are no generated images",
    "set only labeled_batch_size",
)
ENCODES = Condition(
    lambda config: config.bad_gan.encoder_weight, "bad_gan.encoder_weight is 0", "set bad_gan.encoder_weight, such as 0.01"
)
LOWERS_DENSITY = Condition(
    lambda config: config.bad_gan.low_density_weight,
    "bad_gan.low_density_weight is 0",
    "set bad_gan.low_density_weight, such as 0.0001",
)
OWN_FEATURES = Condition(
    lambda config: not config.features_from, "features_from names the networks", "leave features_from unset"
)
NAMED_NETWORKS = Condition(
    lambda config: (
        any("networks" not in config[which] for which in ("generator", "discriminator"))
        or (config.method == "triple_gan" and "networks" not in config.triple_gan.classifier)
        or (config.method == "bad_gan" and ENCODES.holds(config) and "networks" not in config.bad_gan.encoder)
    ),
    "every network sets its own networks key",
    "remove one of these keys",
)
NAMED_DISCRIMINATOR = Condition(
    lambda config: "networks" not in config.discriminator, "discriminator.networks is set", "remove it"
)
