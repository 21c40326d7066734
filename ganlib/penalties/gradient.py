"""Penalties on the gradient of the discriminator's logits with respect to images."""

import keras
import tensorflow as tf

from ganlib.penalties.base import Penalty
from ganlib.training.replicas import batch_mean

register = keras.saving.register_keras_serializable("ganlib.penalties")


class _ZeroCenteredPenalty(Penalty):
    """weight / 2 * E ||grad D(x)||^2, the base class of `R1` and `R2`.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 10.0, as in the paper.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
        augmented: Whether to take the gradient with respect to the augmented image. If False, it is taken with respect to the
            image before augmentation, as in the codes of StyleGAN2-ADA and R3GAN. Defaults to False.
    """

    def __init__(self, weight=10.0, interval=1, augmented=False):
        super().__init__(weight, interval)
        self.augmented = augmented

    def _half_mean_square(self, critic, images):
        if self.augmented:
            return 0.5 * tf.reduce_mean(_squared_gradient_norms(critic.on_augmented, critic.augmented(images)))
        return 0.5 * tf.reduce_mean(_squared_gradient_norms(critic, images))

    def get_config(self):
        return {**super().get_config(), "augmented": self.augmented}


@register
class R1(_ZeroCenteredPenalty):
    """weight / 2 * E ||grad D(x)||^2 at real images: Mescheder et al. 2018 (arXiv:1801.04406), equation 9.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 10.0, as in the paper.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
        augmented: As in `R2`. Defaults to False.
        separate: Whether the term gets an optimizer step of its own after that of the loss, as in StyleGAN2's code. All weights
            take this step, also those that the term does not reach. The authors multiply the learning rate by
            ``interval / (interval + 1)`` and use it as the exponent of Adam's ``beta_1`` and ``beta_2``. Defaults to False.

    Examples:
        >>> from ganlib import penalties
        >>> penalties.R1(weight=10.0, interval=16).name
        'r1'
    """

    name = "r1"

    def __init__(self, weight=10.0, interval=1, augmented=False, separate=False):
        super().__init__(weight, interval, augmented)
        self.separate = separate

    def term(self, critic, real, fake, rng):
        return self._half_mean_square(critic, real)

    def get_config(self):
        return {**super().get_config(), "separate": self.separate}


@register
class R2(_ZeroCenteredPenalty):
    """weight / 2 * E ||grad D(G(z))||^2 at generated images: Mescheder et al. 2018, equation 10."""

    name = "r2"

    def term(self, critic, real, fake, rng):
        return self._half_mean_square(critic, fake)


@register
class WGANGP(Penalty):
    """weight * E (||grad D(x')|| - 1)^2 at random points between real and generated images.

    Gulrajani et al. 2017 (arXiv:1704.00028), equation 3.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 10.0, as in the paper.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
    """

    name = "wgan_gp"

    def __init__(self, weight=10.0, interval=1):
        super().__init__(weight, interval)

    def term(self, critic, real, fake, rng):
        mix = rng.uniform((tf.shape(real)[0], 1, 1, 1))
        return _distance_from_one(critic, real + mix * (fake - real))


@register
class DRAGAN(Penalty):
    """weight * E (||grad D(x')|| - 1)^2 at real images with noise: Kodali et al. 2017, "On convergence and stability of GANs"
    (arXiv:1705.07215).

    The noise is that of the authors' code: U(0, 1) * U(0, 1) / 2 times the standard deviation of all pixels of the batch. The
    first factor is drawn for each image and the second for each pixel.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 10.0, as in the authors' code.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
    """

    name = "dragan"
    uses_collectives = True

    def __init__(self, weight=10.0, interval=1):
        super().__init__(weight, interval)

    def term(self, critic, real, fake, rng):
        mean, mean_of_squares = (batch_mean(tf.reduce_mean(x, [1, 2, 3])) for x in (real, tf.square(real)))
        deviation = tf.sqrt(tf.maximum(mean_of_squares - tf.square(mean), 0.0))
        scale, noise = rng.uniform((tf.shape(real)[0], 1, 1, 1)), rng.uniform(tf.unstack(tf.shape(real)))
        return _distance_from_one(critic, real + 0.5 * deviation * scale * noise)


def _distance_from_one(critic, images):
    """Computes the mean of (||gradient|| - 1)^2 at images."""
    return tf.reduce_mean(tf.square(tf.sqrt(_squared_gradient_norms(critic, images) + 1e-12) - 1.0))


def _squared_gradient_norms(critic, images):
    """Computes the ``(n,)`` squared norms of the gradient of each image's logit with respect to that image."""
    images = tf.stop_gradient(images)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = critic(images)
    return tf.reduce_sum(tf.square(tape.gradient(logits, images)), axis=[1, 2, 3])
