"""The LeCam penalty, which keeps the discriminator's logits near their moving averages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from ganlib.penalties.base import Penalty
from ganlib.training.random_stream import RandomStream
from ganlib.training.replicas import batch_mean
from ganlib.training.schedules import Schedule
from ganlib.training.state import State

if TYPE_CHECKING:
    from ganlib.models.critic import Critic
    from ganlib.networks import Discriminator, Generator


@keras.saving.register_keras_serializable("ganlib.penalties")
class LeCam(Penalty):
    """weight * (E (D(x) - a_fake)^2 + E (D(G(z)) - a_real)^2), with a_real and a_fake the moving averages of the logits.

    Tseng et al. 2021, "Regularizing generative adversarial networks under limited data" (arXiv:2104.03310), equation 4. It is
    for small data sets: it keeps the discriminator from becoming overconfident on images that it has memorized.

    Args:
        weight: The factor that multiplies the term, or a schedule. The authors use 0.3 for BigGAN on CIFAR-10 and 3e-7 for
            StyleGAN2.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
        decay: The decay of the moving averages. Defaults to 0.99.
    """

    name = "lecam"
    uses_collectives = True

    def __init__(self, weight: float | Schedule, interval: int = 1, decay: float = 0.99):
        super().__init__(weight, interval)
        self.decay = decay

    def build(self, generator: Generator, discriminator: Discriminator) -> None:
        super().build(generator, discriminator)
        self.state = State(real=0.0, fake=0.0)

    def term(self, critic: Critic, real: tf.Tensor, fake: tf.Tensor, rng: RandomStream, is_due: bool | tf.Tensor) -> tf.Tensor:
        real_logits, fake_logits = critic(real), critic(fake)
        real_average, fake_average = (
            self.state.average(name, batch_mean(tf.stop_gradient(logits)), self.decay, is_due)
            for name, logits in (("real", real_logits), ("fake", fake_logits))
        )
        real_term = tf.reduce_mean(tf.square(real_logits - fake_average))
        return real_term + tf.reduce_mean(tf.square(fake_logits - real_average))

    def get_config(self) -> dict:
        return {**super().get_config(), "decay": self.decay}
