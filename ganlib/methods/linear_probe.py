"""A logistic regression on the features of a frozen network (Alain & Bengio 2016, arXiv:1610.01644)."""

from ganlib.methods import shared_keys
from ganlib.methods.conditions import UNEQUAL, UNLABELED
from ganlib.methods.method import Method


def build(run):
    """Builds and compiles the `ganlib.LinearProbe` of a run."""
    from ganlib.methods import building
    from ganlib.models import LinearProbe

    config = run.config
    model = LinearProbe(building.classifier(run, config.discriminator))
    model.compile(config.class_weights == "balanced", config.seed, config.steps)
    return model


NOT_READ = (
    "batch_size", "discriminator_optimizer", "augment", "accumulation_steps", "non_finite", "ema_decay", "steps_per_execution",
    "log_every", "checkpoint_every", "labeled_batch_size", "class_sampling", "evaluate_every", "selected_step",
)  # fmt: skip
"""The keys of a training by gradient steps."""

METHOD = Method(
    job="train_classifier",
    build=build,
    reads={
        key: conditions
        for key, conditions in (
            shared_keys.EVERY
            | shared_keys.CLASSIFIER
            | shared_keys.FROM_FEATURES
            | {"unlabeled_dataset": (UNLABELED,), "class_priors": (), "class_weights": (UNEQUAL,)}
        ).items()
        if key not in NOT_READ
    },
)
