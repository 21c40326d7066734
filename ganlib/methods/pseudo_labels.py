"""A classifier trained on its own confident predictions: Lee 2013; FixMatch, Sohn et al. 2020 (arXiv:2001.07685)."""

from ganlib.methods import shared_keys, values
from ganlib.methods.conditions import UNEQUAL
from ganlib.methods.method import Method


def build(run):
    """Builds and compiles the `ganlib.PseudoLabelClassifier` of a run."""
    from ganlib.methods import building
    from ganlib.models import PseudoLabelClassifier

    config = run.config
    model = PseudoLabelClassifier(building.classifier(run, config.discriminator))
    model.compile(
        building.optimizer(config.discriminator_optimizer, config.steps),
        strong_augment=config.pseudo_labels.strong_augment,
        threshold=config.pseudo_labels.threshold,
        unlabeled_weight=config.unlabeled_weight,
        joint_pass=config.pseudo_labels.joint_pass,
        weight_decay=config.pseudo_labels.weight_decay,
        class_weights=building.class_weights(run),
        **building.shared_arguments(config),
    )
    return model


METHOD = Method(
    job="train_classifier",
    build=build,
    reads=shared_keys.EVERY
    | shared_keys.CLASSIFIER
    | shared_keys.FROM_FEATURES
    | {
        "unlabeled_dataset": (),
        "unlabeled_weight": (),
        "freeze_features": (),
        "initial_head": (),
        "class_priors": (),
        "class_weights": (UNEQUAL,),
        "pseudo_labels.threshold": (),
        "pseudo_labels.strong_augment": (),
        "pseudo_labels.joint_pass": (),
        "pseudo_labels.weight_decay": (),
    },
    settings={
        "threshold": (0.95, "smallest probability at which a prediction becomes a pseudo-label"),
        "strong_augment": (
            "",
            'strong data augmentation for FixMatch, such as "flip,shift,randaugment" or "flip,shift,ctaugment"',
        ),
        "joint_pass": (True, "classify labeled and unlabeled images in one pass, with the same batch statistics"),
        "weight_decay": (0.0, "weight of half the squared norm of all kernels in the loss"),
    },
    earlier_settings={"joint_pass": False},
    values={
        "pseudo_labels.threshold": values.share(),
        "pseudo_labels.strong_augment": values.strong_augmentation,
        "pseudo_labels.joint_pass": values.flag,
        "pseudo_labels.weight_decay": values.number(0),
    },
)
