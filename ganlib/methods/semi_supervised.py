"""A classifier trained against a generator: Salimans et al. 2016 (arXiv:1606.03498)."""

from ganlib.methods import shared_keys, values
from ganlib.methods.conditions import OWN_FEATURES, UNEQUAL
from ganlib.methods.method import Method


def build(run):
    """Builds and compiles the `ganlib.SemiSupervisedGAN` of a run."""
    from ganlib import regularizers
    from ganlib.methods import building
    from ganlib.models import SemiSupervisedGAN

    config = run.config
    model = SemiSupervisedGAN(
        building.network(run, "generator", config.generator),
        building.with_body(building.network(run, "discriminator", config.discriminator)),
        len(run.class_names),
        shifts_priors=bool(config.get("class_priors")),
    )
    terms = {"regularizers": regularizers.CLASSIFIER_TERMS, "generator_regularizers": regularizers.GENERATOR_TERMS}
    model.compile(
        building.optimizer(config.generator_optimizer, config.steps),
        building.optimizer(config.discriminator_optimizer, config.steps),
        labeled_augment=config.labeled_augment,
        unlabeled_weight=config.unlabeled_weight,
        class_weights=building.class_weights(run),
        generator_loss=config.generator_loss,
        update=config.update_rule,
        fresh_real_images=config.get("fresh_real_images", False),  # earlier configs lack the key
        **{key: building.terms("regularizer", config[key], known, config.steps) for key, known in terms.items()},
        **building.shared_arguments(config),
    )
    return model


def _generator_losses():
    from ganlib import losses

    return losses.GENERATOR_LOSSES


METHOD = Method(
    job="train_classifier",
    build=build,
    reads=shared_keys.EVERY
    | shared_keys.WITH_GENERATOR
    | shared_keys.CLASSIFIER
    | {
        "unlabeled_dataset": (),
        "unlabeled_weight": (),
        "class_priors": (),
        "labeled_augment": (),
        "class_weights": (UNEQUAL,),
        "generator_loss": (),
        "regularizers": (),
        "generator_regularizers": (),
        "update_rule": (),
        "fresh_real_images": (),
        "discriminator": (OWN_FEATURES,),
    },
    values={
        "generator_loss": values.one_of("generator loss", _generator_losses),
        "generator_regularizers": values.arguments,
    },
)
