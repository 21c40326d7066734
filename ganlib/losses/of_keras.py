"""Keras's binary cross-entropy as a loss of a GAN, as in the DCGAN tutorial of TensorFlow."""

import keras
from keras import ops

from ganlib.errors import UserError
from ganlib.losses.adversarial import Loss

NAMES = ("binary_crossentropy", "BinaryCrossentropy", "bce", "BCE")


def is_of_keras(loss):
    """Returns True if ``loss`` is a loss of Keras, or one of its names for the binary cross-entropy."""
    return isinstance(loss, keras.losses.Loss) or loss in NAMES


def converted(loss):
    """Converts a loss of Keras, whose targets are 1 for real and 0 for generated images; the generator's target is 1.

    Without label smoothing this is ``"non_saturating"``.

    Args:
        loss: ``"binary_crossentropy"``, or a `keras.losses.BinaryCrossentropy` with ``from_logits=True``.

    Returns:
        A `ganlib.losses.Loss`.

    Raises:
        UserError: If it is another loss, takes probabilities, or is not a mean.
    """
    if isinstance(loss, str):
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    if not isinstance(loss, keras.losses.BinaryCrossentropy):
        raise UserError(
            f"{type(loss).__name__} is not a loss of a GAN here: use keras.losses.BinaryCrossentropy(from_logits=True), or a "
            "name such as 'hinge' or 'least_squares'"
        )
    if not loss.from_logits:
        raise UserError("the losses of ganlib take logits: use keras.losses.BinaryCrossentropy(from_logits=True)")
    if loss.reduction not in ("sum_over_batch_size", "mean"):
        raise UserError(f"a loss of a GAN is a mean, got reduction={loss.reduction!r}: use reduction='sum_over_batch_size'")

    def discriminator(real, fake):
        return loss(ops.ones_like(real), real) + loss(ops.zeros_like(fake), fake)

    def generator(fake, real=None):
        return loss(ops.ones_like(fake), fake)

    return Loss(discriminator, generator)
