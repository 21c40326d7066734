"""A classifier, a conditional generator and a discriminator of pairs: Li et al. 2017 (arXiv:1703.02291)."""

from ganlib.errors import UserError
from ganlib.methods import shared_keys, values
from ganlib.methods.conditions import OWN_FEATURES
from ganlib.methods.method import Method


def build(run):
    """Builds and compiles the `ganlib.TripleGAN` of a run.

    Raises:
        UserError: If the pretraining leaves no step for the generator.
    """
    from ganlib import regularizers
    from ganlib.methods import building
    from ganlib.models import TripleGAN

    config, settings, num_classes = run.config, run.config.triple_gan, len(run.class_names)
    if settings.pretraining_steps >= config.steps and not config.smoke:
        raise UserError(
            f"triple_gan.pretraining_steps={settings.pretraining_steps} leaves none of the {config.steps} steps to train the "
            "generator and the discriminator: increase steps, or decrease triple_gan.pretraining_steps"
        )
    steps = max(config.steps - settings.pretraining_steps, 1)  # of the generator and the discriminator
    model = TripleGAN(
        building.network(run, "generator", config.generator, num_classes),
        building.network(run, "discriminator", config.discriminator, num_classes),
        building.classifier(run, settings.classifier),
    )
    model.compile(
        building.optimizer(config.generator_optimizer, steps),
        building.optimizer(config.discriminator_optimizer, steps),
        building.optimizer(settings.classifier_optimizer, config.steps),
        alpha=settings.alpha,
        labeled_fraction=settings.labeled_fraction,
        adversarial_loss=settings.adversarial_loss,
        adversarial_weight=settings.adversarial_weight,
        generated_weight=settings.generated_weight,
        generated_from_step=settings.generated_from_step,
        pretraining_steps=settings.pretraining_steps,
        regularizers=building.terms("regularizer", config.regularizers, regularizers.CLASSIFIER_TERMS, config.steps),
        **building.shared_arguments(config),
    )
    return model


def _adversarial_losses():
    from ganlib import losses

    return losses.TRIPLE_CLASSIFIER_LOSSES


METHOD = Method(
    job="train_classifier",
    build=build,
    reads=shared_keys.EVERY
    | shared_keys.WITH_GENERATOR
    | shared_keys.CLASSIFIER
    | {
        "unlabeled_dataset": (),
        "freeze_features": (),
        "regularizers": (),
        "triple_gan.classifier": (OWN_FEATURES,),
        "triple_gan.classifier_optimizer": (),
        "triple_gan.alpha": (),
        "triple_gan.labeled_fraction": (),
        "triple_gan.adversarial_loss": (),
        "triple_gan.adversarial_weight": (),
        "triple_gan.generated_weight": (),
        "triple_gan.generated_from_step": (),
        "triple_gan.pretraining_steps": (),
    },
    settings={
        "classifier": ({}, "arguments of the Discriminator whose body the classifier uses"),
        "classifier_optimizer": ({"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5}, "optimizer of the classifier"),
        "alpha": (0.5, "fraction of the discriminator's fake pairs that come from the classifier"),
        "labeled_fraction": (
            1 / 401,
            "weight of the labeled pairs among the discriminator's real pairs; the others are predicted",
        ),
        "adversarial_loss": ("non_saturating", 'adversarial loss of the classifier: "non_saturating" or "saturating"'),
        "adversarial_weight": (0.5, "weight of the adversarial loss of the classifier"),
        "generated_weight": (0.1, "weight of the classifier's loss on generated images"),
        "generated_from_step": (0, "step from which generated images train the classifier"),
        "pretraining_steps": (0, "first steps that train only the classifier"),
    },
    earlier_settings={"labeled_fraction": 1.0, "adversarial_loss": "saturating"},
    values={
        "triple_gan.classifier_optimizer": values.arguments,
        "triple_gan.alpha": values.share(),
        "triple_gan.labeled_fraction": values.share(),
        "triple_gan.adversarial_loss": values.one_of("adversarial loss", _adversarial_losses),
        "triple_gan.adversarial_weight": values.number(0),
        "triple_gan.generated_from_step": values.whole(0),
        "triple_gan.pretraining_steps": values.whole(0),
        "triple_gan.generated_weight": values.number(0),
    },
)
