"""The base class of the terms of a semi-supervised GAN, and the tensors that they are computed from."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from ganlib.losses.weighted import WeightedTerm


@dataclasses.dataclass(frozen=True)
class Outputs:
    """The outputs of the classifier's step.

    Attributes:
        unlabeled_logits: ``(n, num_classes)`` logits of unlabeled images.
        fake_logits: ``(n, num_classes)`` logits of generated images.
        latents: ``(n, latent_dim)`` latents of these generated images.
        fake: ``(n, height, width, channels)`` generated images.
        classify_generated: A function from latents to the logits of the images generated from them, with the random numbers of
            ``fake`` and ``fake_logits``: the generator's noise, the augmentation and the dropout masks. A second argument, a
            function, maps the images to other ones, which are then classified.
        classify_by_average: A function without arguments that returns the ``(n, num_classes)`` logits of the averaged
            classifier for the same unlabeled images under a new augmentation.
        step: The number of previous train steps, a scalar integer.
    """

    unlabeled_logits: tf.Tensor
    fake_logits: tf.Tensor
    latents: tf.Tensor
    fake: tf.Tensor
    classify_generated: Callable
    classify_by_average: Callable
    step: tf.Tensor


class Regularizer(WeightedTerm):
    """A weighted term of the classifier's loss or of the generator's loss."""


def classifier_terms(regularizers, outputs, rng):
    """Computes the terms of a classifier's loss, a dict of scalars by name, ready for the logs."""
    return {regularizer.name: regularizer(outputs, rng) for regularizer in regularizers}
