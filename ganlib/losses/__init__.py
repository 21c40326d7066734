"""Losses of the discriminator, the generator and classifiers, and weighted terms of a loss."""

from ganlib.losses.adversarial import (
    LOSSES,
    Loss,
    cross_entropy_discriminator,
    hinge_discriminator,
    least_squares_discriminator,
    least_squares_generator,
    linear_generator,
    minimax_generator,
    non_saturating_generator,
    relativistic_discriminator,
    relativistic_generator,
    wasserstein_discriminator,
)
from ganlib.losses.resolving import get
from ganlib.losses.semi_supervised import (
    GENERATOR_LOSSES,
    cross_entropy,
    feature_matching,
    feature_matching_l1,
    pseudo_label_loss,
    triple_classifier_loss,
    triple_discriminator_loss,
    unlabeled_losses,
)

__all__ = [
    "GENERATOR_LOSSES",
    "LOSSES",
    "Loss",
    "cross_entropy",
    "cross_entropy_discriminator",
    "feature_matching",
    "feature_matching_l1",
    "get",
    "hinge_discriminator",
    "least_squares_discriminator",
    "least_squares_generator",
    "linear_generator",
    "minimax_generator",
    "non_saturating_generator",
    "pseudo_label_loss",
    "relativistic_discriminator",
    "relativistic_generator",
    "triple_classifier_loss",
    "triple_discriminator_loss",
    "unlabeled_losses",
    "wasserstein_discriminator",
]
