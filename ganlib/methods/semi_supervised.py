"""A classifier trained against a generator: Salimans et al. 2016 (arXiv:1606.03498)."""

from ganlib.methods import shared_keys, values
from ganlib.methods.conditions import OWN_FEATURES, UNEQUAL
from ganlib.methods.method import Method


def build(run):
    """Builds and compiles the `ganlib.SemiSupervisedGAN` of a run."""
    from ganlib.models import SemiSupervisedGAN

    model = SemiSupervisedGAN(**model_arguments(run))
    model.compile(**compile_arguments(run))
    return model


def model_arguments(run):
    """Returns the arguments of the constructor of a run's model, a dict."""
    from ganlib.methods import building

    return {
        "generator": building.network(run, "generator", run.config.generator),
        "discriminator": building.with_body(building.network(run, "discriminator", run.config.discriminator)),
        "num_classes": len(run.class_names),
        "shifts_priors": bool(run.config.get("class_priors")),
    }


def compile_arguments(run):
    """Returns the arguments of ``compile`` of a run's model, a dict."""
    from ganlib import regularizers
    from ganlib.methods import building

    config = run.config
    terms = {"regularizers": regularizers.CLASSIFIER_TERMS, "generator_regularizers": regularizers.GENERATOR_TERMS}
    return {
        "generator_optimizer": building.optimizer(config.generator_optimizer, config.steps),
        "discriminator_optimizer": building.optimizer(config.discriminator_optimizer, config.steps),
        "labeled_augment": config.labeled_augment,
        "unlabeled_weight": config.unlabeled_weight,
        "class_weights": building.class_weights(run),
        "generator_loss": config.generator_loss,
        "update": config.update_rule,
        "fresh_real_images": config.get("fresh_real_images", False),  # earlier configs lack the key
        **{key: building.terms("regularizer", config[key], known, config.steps) for key, known in terms.items()},
        **building.shared_arguments(config),
    }


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
