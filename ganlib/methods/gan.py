"""A GAN: Goodfellow et al. 2014 (arXiv:1406.2661), with any network, loss, penalty and augmentation of ganlib."""

import math

from ganlib.errors import UserError
from ganlib.methods import shared_keys
from ganlib.methods.conditions import BACKGROUND, FITTED, INSTANCES, METRICS
from ganlib.methods.method import Method


def build(run):
    """Builds and compiles the `ganlib.GAN` of a run."""
    from ganlib import penalties
    from ganlib.methods import building
    from ganlib.models import GAN
    from ganlib.training import schedules

    config = run.config
    generator, discriminator = networks_of(run, _num_classes(run))
    _freeze(discriminator, config.get("frozen_layers", 0))
    gan = GAN(generator, discriminator)
    terms = building.terms("penalty", config.penalties, penalties.PENALTIES, config.steps)
    gan.compile(
        building.optimizer(config.generator_optimizer, config.steps, _updates("generator", terms)),
        building.optimizer(
            config.discriminator_optimizer, config.steps, _updates("discriminator", terms, config.discriminator_steps)
        ),
        loss=config.loss,
        penalties=terms,
        discriminator_steps=config.discriminator_steps,
        update=config.update_rule,
        generator_batch_factor=config.get("generator_batch_factor", 1),
        fresh_real_images=config.get("fresh_real_images", False),
        top_k=schedules.from_config(config.top_k, config.steps),
        **building.shared_arguments(config),
    )
    return gan


def _updates(which, terms, count=1):
    """Returns the number of updates of a network in each train step, for `ganlib.training.schedules.EachStep`.

    Args:
        which: ``"generator"`` or ``"discriminator"``.
        terms: The penalties. Each one with ``separate`` adds an update when it is due.
        count: The number of updates of the loss in a step. Defaults to 1.
    """
    separate = [term for term in terms if getattr(term, "separate", False) and getattr(term, f"on_{which}")]
    period = math.lcm(*(term.interval for term in separate))
    return [count * (1 + sum(bool(term.is_due(step)) for term in separate)) for step in range(period)]


def _num_classes(run):
    """Returns the number of classes that the networks are conditioned on, or None for an unconditional GAN."""
    if run.config.conditional and not run.class_names:
        raise UserError(
            f"dataset {run.config.dataset!r} has no labels, so the GAN cannot be conditional: set conditional=False"
        )
    return len(run.class_names) if run.config.conditional else None


def networks_of(run, num_classes):
    """Builds the generator and the discriminator of a run, with the conditioning that its config sets.

    Args:
        run: A `ganlib.runs.Run`.
        num_classes: The number of classes that both are conditioned on, or None.

    Returns:
        ``(generator, discriminator)``.

    Raises:
        UserError: If the config sets both classes and instances.
    """
    from ganlib.methods import building
    from ganlib.networks import instance

    config, instances = run.config, run.instances
    if not instances:
        return tuple(building.network(run, which, config[which], num_classes) for which in ("generator", "discriminator"))
    if num_classes:
        raise UserError(
            "a GAN is conditioned on classes or on instances, not on both: set conditional=False or instances.features=''"
        )
    dim, arguments = run.facts["instance_dim"], dict(config.generator)
    if not arguments.get("condition_dim"):  # the embedded features are appended to the latents
        arguments["latent_dim"] = config.generator.latent_dim + instances.embedding_dim
    generator = building.network(run, "generator", arguments)
    discriminator = building.with_body(building.network(run, "discriminator", config.discriminator))
    projected_dim = instances.get("projected_dim", instances.embedding_dim)  # runs of ganlib 0.1 have only one of them
    return (
        instance.Generator(generator, dim, instances.kept, instances.embedding_dim),
        instance.Discriminator(discriminator, dim, projected_dim),
    )


def _freeze(discriminator, count):
    """Freezes the first ``count`` layers with weights of a discriminator's body: Mo et al. 2020, "Freeze the discriminator"
    (FreezeD, arXiv:2002.10964)."""
    from ganlib.methods import building

    if not count:
        return
    layers = [layer for layer in getattr(building.with_body(discriminator).body, "layers", []) if layer.weights]
    if not 0 <= count <= len(layers):
        raise UserError(
            f"frozen_layers must be between 0 and {len(layers)}, the layers of the discriminator that have weights, got {count}"
        )
    for layer in layers[:count]:
        layer.trainable = False


METHOD = Method(
    job="train_gan",
    build=build,
    reads=shared_keys.EVERY
    | shared_keys.WITH_GENERATOR
    | dict.fromkeys(
        (
            "conditional", "instances.features", "weights_from", "body_from", "frozen_layers", "loss", "penalties",
            "discriminator_steps", "generator_batch_factor", "fresh_real_images", "mirror", "top_k", "metrics", "features",
            "update_rule",
        ),
        (),
    )
    | {
        "instances.neighbors": (INSTANCES,),
        "instances.embedding_dim": (INSTANCES,),
        "instances.projected_dim": (INSTANCES,),
        "instances.kept": (INSTANCES,),
        "evaluation_samples": (METRICS,),
        "evaluate_every": (METRICS,),
        "background": (BACKGROUND,),
        "fit": (FITTED,),
    },
)  # fmt: skip
