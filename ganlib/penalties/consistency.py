"""Penalties on changes of the discriminator's logits under an augmentation."""

import keras
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib.penalties.base import Penalty

register = keras.saving.register_keras_serializable("ganlib.penalties")


@register
class Consistency(Penalty):
    """weight * E (D(x) - D(T(x)))^2 at real images: Zhang et al. 2020, "Consistency regularization for GANs"
    (arXiv:1910.12027), equation 3.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 10.0, as in the paper.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
        augment: The augmentation T, comma-separated names from `ganlib.augment.POLICIES`. Defaults to ``"flip,shift"``, with
            shifts of 7 % of the size. The paper shifts by up to 4 of 32 pixels: ``"flip,shift:0.125"``.
    """

    name = "consistency"

    def __init__(self, weight=10.0, interval=1, augment="flip,shift"):
        super().__init__(weight, interval)
        self.augment = augment
        self._augment = augmentations.get(augment)

    def term(self, critic, real, fake, rng):
        return self._squared_change(critic, real, rng)

    def _squared_change(self, critic, images, rng):
        return tf.reduce_mean(tf.square(critic(images) - critic(self._augment(images, rng))))

    def get_config(self):
        return {**super().get_config(), "augment": self.augment}


@register
class BalancedConsistency(Consistency):
    """`Consistency` at real and at generated images: Zhao et al. 2020, "Improved consistency regularization for GANs"
    (arXiv:2002.04724), bCR. The paper uses a weight of 10 for both."""

    name = "balanced_consistency"

    def term(self, critic, real, fake, rng):
        return self._squared_change(critic, real, rng) + self._squared_change(critic, fake, rng)
