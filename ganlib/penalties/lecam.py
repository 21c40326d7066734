"""The LeCam penalty, which keeps the discriminator's logits near their moving averages."""

import keras
import tensorflow as tf

from ganlib.penalties.base import Penalty
from ganlib.training.replicas import batch_mean
from ganlib.training.state import State


@keras.saving.register_keras_serializable("ganlib.penalties")
class LeCam(Penalty):
    """weight * (E (D(x) - a_fake)^2 + E (D(G(z)) - a_real)^2), with a_real and a_fake the moving averages of the logits.

    Tseng et al. 2021, "Regularizing generative adversarial networks under limited data" (arXiv:2104.03310), equation 4. Use it
    for small datasets: it keeps the discriminator from becoming overconfident on images that it has memorized.

    Args:
        weight: The factor that multiplies the term, or a schedule. The authors use 0.3 for BigGAN on CIFAR-10 and 3e-7 for
            StyleGAN2.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
        decay: The decay of the moving averages. Defaults to 0.99.
    """

    name = "lecam"
    uses_collectives = True

    def __init__(self, weight, interval=1, decay=0.99):
        super().__init__(weight, interval)
        self.decay = decay

    def build(self, generator, discriminator):
        super().build(generator, discriminator)
        self.state = State(real=0.0, fake=0.0)

    def term(self, critic, real, fake, rng, is_due):
        real_logits, fake_logits = critic(real), critic(fake)
        real_average, fake_average = (
            self.state.average(name, batch_mean(tf.stop_gradient(logits)), self.decay, is_due)
            for name, logits in (("real", real_logits), ("fake", fake_logits))
        )
        real_term = tf.reduce_mean(tf.square(real_logits - fake_average))
        return real_term + tf.reduce_mean(tf.square(fake_logits - real_average))

    def get_config(self):
        return {**super().get_config(), "decay": self.decay}
