"""What the terms of a semi-supervised GAN are computed from, and what they have in common."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from ganlib.losses.weighted import WeightedTerm


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What the classifier's step has computed.

    Attributes:
        unlabeled_logits: ``(n, num_classes)`` of unlabeled images.
        fake_logits: ``(n, num_classes)`` of generated images.
        latents: ``(n, latent_dim)`` of those generated images.
        classify_generated: from latents to the logits of the images that the generator makes of them.
        classify_by_average: without arguments, to the ``(n, num_classes)`` logits that the averaged classifier gives the
            same unlabeled images, augmented anew.
        step: how many steps were made before, a scalar integer.
    """

    unlabeled_logits: tf.Tensor
    fake_logits: tf.Tensor
    latents: tf.Tensor
    classify_generated: Callable
    classify_by_average: Callable
    step: tf.Tensor


class Regularizer(WeightedTerm):
    """A weighted term of the classifier's loss or of the generator's."""


def classifier_terms(regularizers, outputs, rng):
    """The terms of a classifier's loss by name: a dict of scalars, ready for the logs."""
    return {regularizer.name: regularizer(outputs, rng) for regularizer in regularizers}
