"""`Penalty`, the base class of all penalties: weights, schedules, intervals, and requirements on the networks."""

import keras
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.losses.weighted import WeightedTerm
from ganlib.training import schedules


class Penalty(WeightedTerm):
    """A weighted term of the discriminator's loss, of the generator's loss, or of both.

    Subclasses define ``term(critic, real, fake, rng)``, or ``generator_term(critic, generator, fake, rng)``, or both, without
    the weight. A penalty with a state also receives ``is_due``, and must leave its state unchanged if ``is_due`` is False.

    The arguments of the terms are

    - ``critic``, a `ganlib.models.critic.Critic`: the discriminator as a function of images;
    - ``generator``, a `ganlib.networks.Generator`;
    - ``real`` and ``fake``: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``;
    - ``rng``, a `ganlib.training.RandomStream`, the source of all random numbers;
    - ``is_due``, a scalar boolean: True if the term counts at this step.

    A term is a float32 scalar, the mean over the batch.

    Args:
        weight: The factor that multiplies the term, a number or a `ganlib.training.schedules.Schedule`.
        interval: Compute the term only every ``interval`` steps and multiply it by ``interval``, which preserves its
            mean (lazy regularization, Karras et al. 2020, arXiv:1912.04958, section 3.1). Defaults to 1.

    Raises:
        UserError: If the interval is below 1.

    Attributes:
        state: A `keras.layers.Layer` whose weights are kept between steps and saved with the model, or None.
        conditioning: The value of ``conditioning`` that the penalty needs in a conditional discriminator, or None for any.
        separate: Whether the term gets an optimizer step of its own, after that of the loss: see `R1` and `PathLength`.
        uses_collectives: True if the term exchanges tensors between replicas. TensorFlow does not support collectives inside a
            condition, so with several replicas the term is computed at every step, and counts every ``interval`` steps.
    """

    state = None
    conditioning = None
    separate = False
    uses_collectives = False

    def __init__(self, weight, interval=1):
        if interval < 1:
            raise UserError(f"a penalty's interval must be at least 1, got {interval}")
        super().__init__(schedules.restored(weight))
        self.interval = interval

    @property
    def on_discriminator(self):
        """True if the penalty has a term of the discriminator's loss."""
        return type(self).term is not Penalty.term

    @property
    def on_generator(self):
        """True if the penalty has a term of the generator's loss."""
        return type(self).generator_term is not Penalty.generator_term

    def build(self, generator, discriminator):
        """Checks that the networks fit the penalty and creates ``state``. Called by `ganlib.GAN.compile`.

        Raises:
            UserError: If the networks do not fit.
        """
        if not self.conditioning:
            return
        conditioning = discriminator.conditioning if discriminator.num_classes else None
        if conditioning != self.conditioning:
            raise UserError(
                f"penalty {self.name!r} needs a conditional discriminator with conditioning={self.conditioning!r}, "
                + (f"this one has {conditioning!r}" if conditioning else "this one has no classes")
            )

    def is_due(self, step):
        """Returns whether the term counts at ``step``, a scalar integer."""
        return step % self.interval == 0

    def __call__(self, critic, real, fake, rng, step=0):
        """Computes the weighted term of the discriminator's loss at ``step``, a scalar integer. It is 0 between intervals."""
        return self._weighted(self.term, (critic, real, fake, rng), step)

    def of_generator(self, critic, generator, fake, rng, step=0):
        """Computes the weighted term of the generator's loss at ``step``, a scalar integer. It is 0 between intervals."""
        return self._weighted(self.generator_term, (critic, generator, fake, rng), step)

    def _weighted(self, term, arguments, step):
        """Computes the weight times ``term(*arguments)`` if ``step`` is a multiple of the interval, and 0 otherwise."""
        weight = self.interval * schedules.value_at(self.weight, step)
        zero = tf.zeros((), tf.float32)
        is_due = self.is_due(step)
        state_arguments = {"is_due": is_due} if self.state else {}

        def weighted_term():
            return weight * term(*arguments, **state_arguments)

        if self.interval == 1:
            return weighted_term()
        uses_collectives = getattr(self, "communicates", self.uses_collectives)  # its name in earlier versions
        if uses_collectives and tf.distribute.get_replica_context().num_replicas_in_sync > 1:
            return tf.where(is_due, weighted_term(), zero)
        return tf.cond(is_due, weighted_term, lambda: zero)

    def term(self, critic, real, fake, rng):
        """Computes the unweighted term of the discriminator's loss, a scalar.

        Subclasses without such a term do not define this method, and it is not called.
        """
        raise NotImplementedError

    def generator_term(self, critic, generator, fake, rng):
        """Computes the unweighted term of the generator's loss, a scalar.

        Subclasses without such a term do not define this method, and it is not called.
        """
        raise NotImplementedError

    def get_config(self):
        return {"weight": keras.saving.serialize_keras_object(self.weight), "interval": self.interval}
