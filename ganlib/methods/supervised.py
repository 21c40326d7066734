"""A classifier trained on labeled images alone: the baseline."""

from ganlib.methods import conditions, shared_keys
from ganlib.methods.method import Method


def build(run):
    """Builds and compiles the `ganlib.SupervisedClassifier` of a run."""
    from ganlib.methods import building
    from ganlib.models import SupervisedClassifier

    config = run.config
    model = SupervisedClassifier(building.classifier(run, config.discriminator))
    model.compile(
        building.optimizer(config.discriminator_optimizer, config.steps),
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
        "freeze_features": (),
        "initial_head": (),
        "class_priors": (conditions.ONLY_REAL,),
        "class_weights": (conditions.UNEQUAL,),
        "generated_from": (),
        "generated_images": (conditions.GENERATED,),
        "unlabeled_dataset": (conditions.UNLABELED,),
        "batch_size": (conditions.BATCHES,),
    },
)
