"""Penalties on the discriminator: of its gradients (R1, R2, WGAN-GP, DRAGAN) and of what augmentation changes in its logits.

All have one signature, ``penalty(critic, real, fake, random, step=0) -> scalar``: ``critic`` maps images to ``(n,)`` logits
as the discriminator's loss sees them (with its labels and augmentation), ``real`` and ``fake`` are ``(n, height,
width, channels)`` float32, ``random`` is a `ganlib.training.RandomStream`.
"""

import keras
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib.errors import UserError, choose
from ganlib.regularizers import Regularizer
from ganlib.training import schedules
from ganlib.training.sharing import batch_mean

register = keras.saving.register_keras_serializable("ganlib.penalties")


class Penalty(Regularizer):
    """A weighted term of the discriminator's loss.

    Subclasses define ``term(critic, real, fake, random)``, without the weight.

    Args:
        weight: what the term is multiplied by, a number or a `ganlib.training.schedules.Schedule`.
        interval: the term is computed at every ``interval``-th step only and multiplied by ``interval`` there, so
            that its mean stays (lazy regularisation, Karras et al. 2020, arXiv:1912.04958, section 3.1).
    """

    def __init__(self, weight, interval=1):
        if interval < 1:
            raise UserError(f"a penalty's interval must be at least 1, got {interval}")
        super().__init__(schedules.restored(weight))
        self.interval = interval

    def __call__(self, critic, real, fake, random, step=0):
        """The weighted term at ``step``, a scalar integer: 0 between intervals."""
        weight = self.interval * schedules.at(self.weight, step)
        if self.interval == 1:
            return weight * self.term(critic, real, fake, random)
        return tf.cond(
            step % self.interval == 0,
            lambda: weight * self.term(critic, real, fake, random),
            lambda: tf.zeros((), tf.float32),
        )

    def term(self, critic, real, fake, random):
        """What is to be kept small."""
        raise NotImplementedError

    def get_config(self):
        return {"weight": keras.saving.serialize_keras_object(self.weight), "interval": self.interval}


@register
class R1(Penalty):
    """weight / 2 * E ||grad D(x)||^2 at real images: Mescheder et al. 2018 (arXiv:1801.04406), equation 9.

    Example:
        >>> from ganlib import penalties
        >>> penalties.R1(weight=10.0, interval=16).name
        'r1'
    """

    name = "r1"

    def term(self, critic, real, fake, random):
        return 0.5 * tf.reduce_mean(_squared_gradient(critic, real))


@register
class R2(Penalty):
    """weight / 2 * E ||grad D(G(z))||^2 at generated images: Mescheder et al. 2018, equation 10."""

    name = "r2"

    def term(self, critic, real, fake, random):
        return 0.5 * tf.reduce_mean(_squared_gradient(critic, fake))


@register
class WGANGP(Penalty):
    """weight * E (||grad D(x')|| - 1)^2 at random points between real and generated images.

    Gulrajani et al. 2017 (arXiv:1704.00028), equation 3; the paper's weight is 10.
    """

    name = "wgan_gp"

    def term(self, critic, real, fake, random):
        mix = random.uniform((tf.shape(real)[0], 1, 1, 1))
        return _distance_from_one(critic, real + mix * (fake - real))


@register
class DRAGAN(Penalty):
    """weight * E (||grad D(x')|| - 1)^2 at real images with noise: Kodali et al. 2017, "On convergence and stability of GANs"
    (arXiv:1705.07215), whose authors' weight is 10.

    The noise is that of their code, U(0, 1) * U(0, 1) / 2 of the deviation of all pixels of the batch, the first factor for
    an image and the second for a pixel.
    """

    name = "dragan"

    def term(self, critic, real, fake, random):
        mean, mean_of_squares = (batch_mean(tf.reduce_mean(x, [1, 2, 3])) for x in (real, tf.square(real)))
        deviation = tf.sqrt(tf.maximum(mean_of_squares - tf.square(mean), 0.0))
        share, noise = random.uniform((tf.shape(real)[0], 1, 1, 1)), random.uniform(tf.unstack(tf.shape(real)))
        return _distance_from_one(critic, real + 0.5 * deviation * share * noise)


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

    def term(self, critic, real, fake, random):
        return self._change(critic, real, random)

    def _change(self, critic, images, random):
        return tf.reduce_mean(tf.square(critic(images) - critic(self._augment(images, random))))

    def get_config(self):
        return {**super().get_config(), "augment": self.augment}


@register
class BalancedConsistency(Consistency):
    """`Consistency` at real and at generated images: Zhao et al. 2020, "Improved consistency regularization for GANs"
    (arXiv:2002.04724), bCR; the paper's weight is 10 for each."""

    name = "balanced_consistency"

    def term(self, critic, real, fake, random):
        return self._change(critic, real, random) + self._change(critic, fake, random)


def _distance_from_one(critic, images):
    """The mean of (||gradient|| - 1)^2 at images."""
    return tf.reduce_mean(tf.square(tf.sqrt(_squared_gradient(critic, images) + 1e-12) - 1.0))


def _squared_gradient(critic, images):
    """``(n,)`` squared norms of the gradient of each image's logit with respect to that image."""
    images = tf.stop_gradient(images)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = critic(images)
    return tf.reduce_sum(tf.square(tape.gradient(logits, images)), axis=[1, 2, 3])


PENALTIES = {kind.name: kind for kind in (R1, R2, WGANGP, DRAGAN, Consistency, BalancedConsistency)}


def get(name, **arguments):
    """A penalty by name, one of `PENALTIES`, with its constructor's arguments.

    Raises:
        UserError: for an unknown name, listing the known ones.
    """
    return choose("penalty", name, PENALTIES)(**arguments)
