"""Builds the model that a config describes: networks, losses, penalties and optimizers by name."""

import importlib
import inspect

import keras

from ganlib import networks, penalties, regularizers
from ganlib.augment import ADA
from ganlib.errors import UserError, choose, did_you_mean
from ganlib.models import GAN, PseudoLabelClassifier, SemiSupervisedGAN, SupervisedClassifier, TripleGAN
from ganlib.training import precision, schedules


def build(run):
    """Builds and compiles the model of a run under its strategy. The initial weights are determined by the config's seed.

    Raises:
        UserError: For an unknown name or argument, or an image size that the network does not support.
    """
    keras.utils.set_random_seed(run.config.seed)
    with precision.policy(run.config.precision), run.strategy.scope():
        return choose("method", run.config.method, METHODS)(run)


def _build_gan(run):
    config = run.config
    num_classes = None
    if config.conditional:
        num_classes = len(run.class_names)
        if not num_classes:
            raise UserError(
                f"dataset {config.dataset!r} has no labels, so the GAN cannot be conditional: set conditional=False"
            )
    generator, discriminator = _pair(run, num_classes)
    _freeze(discriminator, config.get("frozen_layers", 0))
    gan = GAN(generator, discriminator)
    gan.compile(
        build_optimizer(config.generator_optimizer, config.steps),
        build_optimizer(config.discriminator_optimizer, config.steps, config.discriminator_steps),
        loss=config.loss,
        penalties=_terms("penalty", config.penalties, penalties.PENALTIES, config.steps),
        discriminator_steps=config.discriminator_steps,
        update=config.update_rule,
        top_k=schedules.from_config(config.top_k, config.steps),
        **_shared(config),
    )
    return gan


def _pair(run, num_classes):
    """Builds the generator and the discriminator, conditioned as the config specifies."""
    config, instances = run.config, run.instances
    if not instances:
        return tuple(_network(run, which, config[which], num_classes) for which in ("generator", "discriminator"))
    if num_classes:
        raise UserError(
            "a GAN is conditioned on classes or on instances, not on both: set conditional=False or instances.features=''"
        )
    latent_dim = config.generator.latent_dim + instances.embedding_dim
    dim = run.facts["instance_dim"]
    generator = _network(run, "generator", {**config.generator, "latent_dim": latent_dim})
    discriminator = _with_body(_network(run, "discriminator", config.discriminator))
    return (
        networks.instance.Generator(generator, dim, instances.kept, instances.embedding_dim),
        networks.instance.Discriminator(discriminator, dim, instances.embedding_dim),
    )


def _freeze(discriminator, count):
    """Freezes the first ``count`` layers with weights of a discriminator's body: Mo et al. 2020, "Freeze the discriminator"
    (FreezeD, arXiv:2002.10964)."""
    if not count:
        return
    layers = [layer for layer in getattr(_with_body(discriminator).body, "layers", []) if layer.weights]
    if not 0 <= count <= len(layers):
        raise UserError(
            f"frozen_layers must be between 0 and {len(layers)}, the layers of the discriminator that have weights, got {count}"
        )
    for layer in layers[:count]:
        layer.trainable = False


def _build_semi_supervised(run):
    config = run.config
    sgan = SemiSupervisedGAN(
        _network(run, "generator", config.generator),
        _with_body(_network(run, "discriminator", config.discriminator)),
        len(run.class_names),
    )
    sgan.compile(
        build_optimizer(config.generator_optimizer, config.steps),
        build_optimizer(config.discriminator_optimizer, config.steps),
        labeled_augment=config.labeled_augment,
        unlabeled_weight=config.unlabeled_weight,
        generator_loss=config.generator_loss,
        regularizers=_terms("regularizer", config.regularizers, regularizers.CLASSIFIER_TERMS, config.steps),
        generator_regularizers=_terms("regularizer", config.generator_regularizers, regularizers.GENERATOR_TERMS, config.steps),
        update=config.update_rule,
        **_shared(config),
    )
    return sgan


def _build_triple_gan(run):
    config, group, num_classes = run.config, run.config.triple_gan, len(run.class_names)
    model = TripleGAN(
        _network(run, "generator", config.generator, num_classes),
        _network(run, "discriminator", config.discriminator, num_classes),
        _classifier(run, group.classifier),
    )
    model.compile(
        build_optimizer(config.generator_optimizer, config.steps),
        build_optimizer(config.discriminator_optimizer, config.steps),
        build_optimizer(group.classifier_optimizer, config.steps),
        alpha=group.alpha,
        adversarial_weight=group.adversarial_weight,
        generated_weight=group.generated_weight,
        regularizers=_terms("regularizer", config.regularizers, regularizers.CLASSIFIER_TERMS, config.steps),
        **_shared(config),
    )
    return model


def _terms(kind, config, known, steps):
    """Builds a list of penalties or regularizers, one for each name in ``config``, which maps names to arguments."""
    return [
        _construct(choose(kind, name, known), f"{kind} {name!r}", _scheduled(arguments, steps))
        for name, arguments in config.items()
    ]


def _build_supervised(run):
    model = SupervisedClassifier(_classifier(run, run.config.discriminator))
    model.compile(build_optimizer(run.config.discriminator_optimizer, run.config.steps), **_shared(run.config))
    return model


def _build_pseudo_labels(run):
    config, model = run.config, PseudoLabelClassifier(_classifier(run, run.config.discriminator))
    model.compile(
        build_optimizer(config.discriminator_optimizer, config.steps),
        strong_augment=config.pseudo_labels.strong_augment,
        threshold=config.pseudo_labels.threshold,
        unlabeled_weight=config.unlabeled_weight,
        **_shared(config),
    )
    return model


def _classifier(run, arguments):
    """Builds a classifier on the body of a discriminator with these arguments."""
    discriminator = _with_body(_network(run, "discriminator", arguments))
    discriminator.body.trainable = not run.config.freeze_features
    num_classes = len(run.class_names)
    return networks.Classifier(discriminator.body, run.image_shape, num_classes, discriminator.class_head(num_classes))


def _shared(config):
    """Returns the arguments of ``compile`` that all models share."""
    keys = ("ema_decay", "seed", "accumulation_steps", "non_finite", "steps_per_execution")
    augment = ADA(**_scheduled(config.ada, config.steps)) if config.augment == "ada" else config.augment
    return {"augment": augment, **_scheduled({key: config[key] for key in keys}, config.steps)}


def _scheduled(arguments, steps):
    """Replaces the values that describe schedules by these schedules."""
    return {name: schedules.from_config(value, steps) for name, value in arguments.items()}


METHODS = {
    "gan": _build_gan,
    "semi_supervised": _build_semi_supervised,
    "pseudo_labels": _build_pseudo_labels,
    "supervised": _build_supervised,
    "triple_gan": _build_triple_gan,
}
"""The config's ``method`` -> the function that builds its model."""


def _network(run, which, arguments, num_classes=None):
    """Builds a generator or discriminator. ``arguments`` may name another module than the config's under ``networks``."""
    arguments = dict(arguments)
    name = arguments.pop("networks", run.config.networks)
    kind = getattr(_architecture(name), which.capitalize(), None)
    if kind is None:
        raise UserError(f"networks={name!r} has no {which}: set {which}.networks to another module")
    return _construct(kind, which, arguments, image_shape=run.image_shape, num_classes=num_classes)


def _with_body(discriminator):
    """Returns the discriminator after checking that a classifier can use its features."""
    if discriminator.body is None:
        module = type(discriminator).__module__.rpartition(".")[2]
        raise UserError(f"networks={module!r} has no features for a classifier: choose other networks")
    return discriminator


def _architecture(name):
    """Imports and returns one module of `ganlib.networks` by its name."""
    known = {name: f"ganlib.networks.{name}" for name in networks.architectures()}
    return importlib.import_module(choose("networks", name, known))


def build_optimizer(config, steps, updates=1):
    """Builds a Keras optimizer from a config such as ``{"name": "adam", "learning_rate": 2e-4, ...}``.

    Each number may be a schedule over train steps, as `ganlib.training.schedules.from_config` reads it. With
    ``linear_decay=0.5`` the learning rate decays linearly to 0 over the last half of the ``steps``.

    Args:
        config: The name and the arguments of the optimizer, a dict.
        steps: The number of train steps of the run.
        updates: The number of updates that the optimizer makes in each train step. Defaults to 1.

    Raises:
        UserError: For an unknown optimizer or argument, or if ``linear_decay`` is not in ``(0, 1]``.
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
    if updates > 1:
        scheduled = {key: value for key, value in arguments.items() if callable(value)}
        arguments |= {key: schedules.EachStep(value, updates) for key, value in scheduled.items()}
    known = {"adam": schedules.Adam, "sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop}
    return _construct(choose("optimizer", name, known), f"optimizer {name!r}", arguments)


def _construct(kind, what, arguments, **others):
    """Returns ``kind(**arguments, **others)``. Raises a `UserError` for an unknown argument or an invalid value."""
    known = _arguments(kind)
    for name in arguments:
        if name not in known:
            raise UserError(
                f"the {what} has no argument {name!r}: its arguments are {', '.join(sorted(known))}.{did_you_mean(name, known)}"
            )
    try:
        return kind(**{k: v for k, v in others.items() if v is not None}, **arguments)
    except UserError:
        raise
    except (TypeError, ValueError) as error:  # raised by Keras for an invalid layer
        described = ", ".join(f"{name}={value}" for name, value in arguments.items())
        raise UserError(f"cannot build {what} with {described}: {' '.join(str(error).split())}") from None


def _arguments(kind):
    """Returns the argument names of a class, and of the ganlib base classes to which it passes its other arguments."""
    names = set()
    for ancestor in kind.__mro__:
        if "__init__" not in vars(ancestor):
            continue
        if names and not ancestor.__module__.startswith("ganlib"):
            break
        parameters = inspect.signature(ancestor.__init__).parameters.values()
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - {"self"}
        if all(p.kind != p.VAR_KEYWORD for p in parameters):
            break
    return names
