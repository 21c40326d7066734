"""Penalties on what an augmentation changes in the discriminator's logits."""

import keras
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib.penalties.base import Penalty

register = keras.saving.register_keras_serializable("ganlib.penalties")


@register
class Consistency(Penalty):
    """weight * E (D(x) - D(T(x)))^2 at real images: Zhang et al. 2020, "Consistency regularization for GANs"
    (arXiv:1910.12027), equation 3; the paper's weight is 10.

    Args:
        weight: as always.
        interval: as always.
        augment: T, names out of `ganlib.augment.POLICIES`; the paper has flips and shifts.
    """

    name = "consistency"

    def __init__(self, weight, interval=1, augment="flip,shift"):
        super().__init__(weight, interval)
        self.augment = augment
        self._augment = augmentations.get(augment)

    def term(self, critic, real, fake, rng):
        return self._change(critic, real, rng)

    def _change(self, critic, images, rng):
        return tf.reduce_mean(tf.square(critic(images) - critic(self._augment(images, rng))))

    def get_config(self):
        return {**super().get_config(), "augment": self.augment}


@register
class BalancedConsistency(Consistency):
    """`Consistency` at real and at generated images: Zhao et al. 2020, "Improved consistency regularization for GANs"
    (arXiv:2002.04724), bCR; the paper's weight is 10 for each."""

    name = "balanced_consistency"

    def term(self, critic, real, fake, rng):
        return self._change(critic, real, rng) + self._change(critic, fake, rng)
