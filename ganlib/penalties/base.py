"""What all penalties have in common: weights, schedules, intervals, and what they ask of the networks."""

import keras
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.losses.weighted import WeightedTerm
from ganlib.training import schedules


class Penalty(WeightedTerm):
    """A weighted term of the discriminator's loss, of the generator's, or of both.

    Subclasses define ``term(critic, real, fake, rng)``, or ``generator_term(critic, generator, fake, rng)``, or both,
    without the weight. Those with a state are given ``is_due``, too, and must leave it as it is where that is False.

    They get

    - ``critic``, a `ganlib.models.critic.Critic`: the discriminator as a function of images;
    - ``real`` and ``fake``: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``;
    - ``rng``, a `ganlib.training.RandomStream`, the source of all chance;

    and return a float32 scalar, the mean over the batch.

    Args:
        weight: what the term is multiplied by, a number or a `ganlib.training.schedules.Schedule`.
        interval: the term is computed at every ``interval``-th step only and multiplied by ``interval`` there, so
            that its mean stays (lazy regularization, Karras et al. 2020, arXiv:1912.04958, section 3.1).

    Raises:
        UserError: for an interval below 1.

    Attributes:
        state: a `keras.layers.Layer` whose weights are kept between steps and saved with the model, or None.
        conditioning: what a conditional discriminator's ``conditioning`` must be, or None for any.
        uses_collectives: whether replicas exchange something in its term. TensorFlow has no exchange inside a condition, so
            with several of them it is computed at every step, and counts at every ``interval``-th.
    """

    state = None
    conditioning = None
    uses_collectives = False

    def __init__(self, weight, interval=1):
        if interval < 1:
            raise UserError(f"a penalty's interval must be at least 1, got {interval}")
        super().__init__(schedules.restored(weight))
        self.interval = interval

    @property
    def on_discriminator(self):
        """Whether it has a term of the discriminator's loss."""
        return type(self).term is not Penalty.term

    @property
    def on_generator(self):
        """Whether it has a term of the generator's loss."""
        return type(self).generator_term is not Penalty.generator_term

    def build(self, generator, discriminator):
        """Called by `ganlib.GAN.compile` with the networks: checks that they fit, and makes ``state``.

        Raises:
            UserError: if they do not.
        """
        if not self.conditioning:
            return
        own = discriminator.conditioning if discriminator.num_classes else None
        if own != self.conditioning:
            raise UserError(
                f"penalty {self.name!r} needs a conditional discriminator with conditioning={self.conditioning!r}, "
                + (f"this one has {own!r}" if own else "this one has no classes")
            )

    def __call__(self, critic, real, fake, rng, step=0):
        """The weighted term of the discriminator's loss at ``step``, a scalar integer: 0 between intervals."""
        return self._weighted(lambda is_due: self.term(critic, real, fake, rng, **self._told(is_due)), step)

    def of_generator(self, critic, generator, fake, rng, step=0):
        """The weighted term of the generator's loss."""
        arguments = critic, generator, fake, rng
        return self._weighted(lambda is_due: self.generator_term(*arguments, **self._told(is_due)), step)

    def _told(self, is_due):
        """What a penalty with a state is told besides: whether the step counts, a scalar boolean."""
        return {"is_due": is_due} if self.state else {}

    def _weighted(self, term, step):
        weight, nothing = self.interval * schedules.value_at(self.weight, step), tf.zeros((), tf.float32)
        is_due = step % self.interval == 0
        if self.interval == 1:
            return weight * term(is_due)
        if self.uses_collectives and tf.distribute.get_replica_context().num_replicas_in_sync > 1:
            return tf.where(is_due, weight * term(is_due), nothing)
        return tf.cond(is_due, lambda: weight * term(is_due), lambda: nothing)

    def term(self, critic, real, fake, rng):
        """What the discriminator is to keep small, a scalar; those without leave it undefined, and it is not called."""
        raise NotImplementedError

    def generator_term(self, critic, generator, fake, rng):
        """What the generator is to keep small, a scalar; those without leave it undefined, and it is not called."""
        raise NotImplementedError

    def get_config(self):
        return {"weight": keras.saving.serialize_keras_object(self.weight), "interval": self.interval}
