"""A classifier, a conditional generator and a discriminator of pairs: Li et al. 2017 (arXiv:1703.02291)."""

from ganlib.methods import shared_keys, values
from ganlib.methods.conditions import OWN_FEATURES
from ganlib.methods.method import Method


def build(run):
    """Builds and compiles the `ganlib.TripleGAN` of a run."""
    from ganlib import regularizers
    from ganlib.methods import building
    from ganlib.models import TripleGAN

    config, settings, num_classes = run.config, run.config.triple_gan, len(run.class_names)
    model = TripleGAN(
        building.network(run, "generator", config.generator, num_classes),
        building.network(run, "discriminator", config.discriminator, num_classes),
        building.classifier(run, settings.classifier),
    )
    model.compile(
        building.optimizer(config.generator_optimizer, config.steps),
        building.optimizer(config.discriminator_optimizer, config.steps),
        building.optimizer(settings.classifier_optimizer, config.steps),
        alpha=settings.alpha,
        adversarial_weight=settings.adversarial_weight,
        generated_weight=settings.generated_weight,
        regularizers=building.terms("regularizer", config.regularizers, regularizers.CLASSIFIER_TERMS, config.steps),
        **building.shared_arguments(config),
    )
    return model


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
        "triple_gan.adversarial_weight": (),
        "triple_gan.generated_weight": (),
    },
    settings={
        "classifier": ({}, "arguments of the Discriminator whose body the classifier uses"),
        "classifier_optimizer": ({"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5}, "optimizer of the classifier"),
        "alpha": (0.5, "fraction of the discriminator's fake pairs that come from the classifier"),
        "adversarial_weight": (0.01, "weight of the adversarial loss of the classifier"),
        "generated_weight": (0.1, "weight of the classifier's loss on generated images"),
    },
    values={
        "triple_gan.classifier_optimizer": values.arguments,
        "triple_gan.alpha": values.share(),
        "triple_gan.adversarial_weight": values.number(0),
        "triple_gan.generated_weight": values.number(0),
    },
)
