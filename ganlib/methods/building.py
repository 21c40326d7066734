"""Builds networks, optimizers and terms of a loss from their entries in a config."""

import importlib
import inspect

import keras

from ganlib import layers, networks
from ganlib.augment import ADA
from ganlib.errors import UserError, choose, did_you_mean
from ganlib.training import schedules


def terms(kind, config, known, steps):
    """Builds penalties or regularizers, one for each name in ``config``.

    Args:
        kind: ``"penalty"`` or ``"regularizer"``, for messages.
        config: Name -> arguments.
        known: Name -> class.
        steps: The number of train steps, for schedules among the arguments.
    """
    return [
        constructed(choose(kind, name, known), f"{kind} {name!r}", _scheduled(arguments, steps))
        for name, arguments in config.items()
    ]


def classifier(run, arguments):
    """Builds a `ganlib.Classifier` of the run's classes on the body of a discriminator with the given ``arguments``."""
    discriminator = with_body(network(run, "discriminator", arguments))
    discriminator.body.trainable = not run.config.freeze_features
    num_classes = len(run.class_names)
    head = discriminator.class_head(num_classes)
    head = layers.with_prior_shift(head) if run.config.get("class_priors") else head  # earlier configs lack the key
    return networks.Classifier(discriminator.body, run.image_shape, num_classes, head)


def is_balanced(config):
    """Returns whether a classifier's config gives all classes the same weight in training, whatever their numbers of labels."""
    return "balanced" in (config.class_sampling, config.class_weights)


def class_weights(run):
    """Returns the weights of the classes that a run's config selects: None, or a list of numbers, inversely proportional to
    the numbers of labels. Their mean over the labeled images is 1.
    """
    if run.config.get("class_weights", "none") == "none":
        return None
    counts = run.facts["label_counts"]
    return [sum(counts) / (len(counts) * count) for count in counts]


def shared_arguments(config):
    """Returns the arguments of ``compile`` that all models share, a dict, from a ``config``."""
    keys = ("ema_decay", "seed", "accumulation_steps", "non_finite", "steps_per_execution")
    augment = _ada(config) if config.augment == "ada" else config.augment
    return {"augment": augment, **_scheduled({key: config[key] for key in keys}, config.steps)}


def _ada(config):
    arguments = dict(config.ada)
    strengths = dict(arguments.pop("strengths", {}))  # not a schedule
    return ADA(strengths=strengths, **_scheduled(arguments, config.steps))


def _scheduled(arguments, steps):
    """Replaces descriptions of schedules with the schedules."""
    return {name: schedules.from_config(value, steps) for name, value in arguments.items()}


def network(run, which, arguments, num_classes=None):
    """Builds a generator, a discriminator or an encoder.

    Args:
        run: A `ganlib.runs.Run`, which has the image shape and the config's ``networks``.
        which: ``"generator"``, ``"discriminator"`` or ``"encoder"``.
        arguments: A dict of its arguments. The key ``networks``, if present, overrides the module in the config.
        num_classes: The number of classes that it is conditioned on; None for an unconditional network. Defaults to None.

    Raises:
        UserError: If the module has no such network, or the network does not take an argument.
    """
    arguments = completed(run, which, arguments)
    kind = _kind(run, which, arguments.pop("networks", None))
    return constructed(kind, which, arguments, image_shape=run.image_shape, num_classes=num_classes)


def completed(run, which, arguments):
    """Returns the arguments of a run's network as a dict, with the earlier defaults if ganlib 0.1 created the run.

    Args:
        run: A `ganlib.runs.Run`.
        which: ``"generator"``, ``"discriminator"`` or ``"encoder"``.
        arguments: A dict of the arguments in the run's config.
    """
    is_earlier = run.facts.get("defaults_of", "0.1.0").startswith("0.1.")
    earlier_defaults = _kind(run, which, arguments.get("networks")).earlier_defaults if is_earlier else {}
    plain = {name: value.to_dict() if hasattr(value, "to_dict") else value for name, value in arguments.items()}
    return {**earlier_defaults, **plain}


def _kind(run, which, name):
    """Returns the class of a run's network. ``name`` overrides the module in the config unless None."""
    name = name or run.config.networks
    kind = getattr(_architecture(name), which.capitalize(), None)
    if kind is None:
        key = "bad_gan.encoder" if which == "encoder" else which
        raise UserError(f"networks={name!r} has no {which}: set {key}.networks to another module")
    return kind


def with_body(discriminator):
    """Returns ``discriminator`` if a classifier can use its features.

    Raises:
        UserError: If it has no body.
    """
    if discriminator.body is None:
        module = type(discriminator).__module__.rpartition(".")[2]
        raise UserError(f"networks={module!r} has no features for a classifier: choose other networks")
    return discriminator


def _architecture(name):
    """Imports and returns one module of `ganlib.networks` by its name."""
    known = {name: f"ganlib.networks.{name}" for name in networks.architectures()}
    return importlib.import_module(choose("networks", name, known))


def optimizer(config, steps, updates=1):
    """Builds a Keras optimizer from a config such as ``{"name": "adam", "learning_rate": 2e-4, ...}``.

    Each number may be a schedule over train steps, in the format of `ganlib.training.schedules.from_config`. With
    ``linear_decay=0.5`` the learning rate decays linearly to 0 over the last half of the ``steps``.

    Args:
        config: The name and the arguments of the optimizer, a dict.
        steps: The number of train steps of the run.
        updates: The number of updates that the optimizer makes in each train step: see
            `ganlib.training.schedules.EachStep`. Defaults to 1.

    Raises:
        UserError: If the optimizer or an argument is unknown, or ``linear_decay`` is not in ``(0, 1]``.
    """
    arguments = _scheduled(config, steps)
    name = arguments.pop("name", "adam")
    decay = arguments.pop("linear_decay", None)
    if decay is not None:
        if not 0 < decay <= 1:
            raise UserError(f"linear_decay must be a share of the steps in (0, 1], got {decay}")
        decay_steps = decay * steps
        rate = arguments["learning_rate"]
        arguments["learning_rate"] = schedules.Linear(rate, 0.0, decay_steps, begin=steps - decay_steps)
    if updates not in (1, [1]):
        scheduled = {key: value for key, value in arguments.items() if callable(value)}
        arguments |= {key: schedules.EachStep(value, updates) for key, value in scheduled.items()}
    known = {"adam": schedules.Adam, "sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop}
    return constructed(choose("optimizer", name, known), f"optimizer {name!r}", arguments)


def constructed(kind, what, arguments, **fixed_arguments):
    """Returns ``kind(**arguments, **fixed_arguments)``.

    Args:
        kind: A class.
        what: Its name for messages.
        arguments: The arguments in a config, a dict.
        **fixed_arguments: Other arguments. Those that are None are left out.

    Raises:
        UserError: If an argument in the config is unknown or has an invalid value.
    """
    known = arguments_of(kind)
    for name in arguments:
        if name not in known:
            raise UserError(
                f"the {what} has no argument {name!r}: its arguments are {', '.join(sorted(known))}.{did_you_mean(name, known)}"
            )
    try:
        return kind(**{k: v for k, v in fixed_arguments.items() if v is not None}, **arguments)
    except UserError:
        raise
    except (TypeError, ValueError) as error:  # raised by Keras for an invalid layer
        described = ", ".join(f"{name}={value}" for name, value in arguments.items())
        raise UserError(f"cannot build {what} with {described}: {' '.join(str(error).split())}") from None


def arguments_of(kind):
    """Returns the argument names of a class, and of the base classes to which it passes its other arguments: those of ganlib,
    and for an optimizer also those of Keras.
    """
    names, is_optimizer = set(), issubclass(kind, keras.optimizers.Optimizer)
    for ancestor in kind.__mro__:
        if "__init__" not in vars(ancestor):
            continue
        if names and not is_optimizer and not ancestor.__module__.startswith("ganlib"):
            break
        parameters = inspect.signature(ancestor.__init__).parameters.values()
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - {"self"}
        if all(p.kind != p.VAR_KEYWORD for p in parameters):
            break
    return names
