"""The LeCam penalty, which keeps the discriminator's logits near their moving averages."""

import functools

import keras
import tensorflow as tf

from ganlib.penalties.base import Penalty
from ganlib.training.replicas import batch_mean
from ganlib.training.state import State


@keras.saving.register_keras_serializable("ganlib.penalties")
class LeCam(Penalty):
    """weight * (E relu(D(x) - a_fake)^2 + E relu(a_real - D(G(z)))^2), with a_real and a_fake the moving averages of logits.

    Tseng et al. 2021, "Regularizing generative adversarial networks under limited data" (arXiv:2104.03310), equation 4, with
    the ReLUs of the authors' code (github.com/google/lecam-gan). Use it for small datasets: it keeps the discriminator from
    becoming overconfident on images that it has memorized.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 0.3, as for BigGAN on CIFAR-10;
            the authors use 3e-7 for StyleGAN2.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
        decay: The decay of the moving averages. The authors use 0.9 for BigGAN and 0.99 for StyleGAN2. Defaults to 0.9.
        start: The step from which the term counts; before it, the averages are those of the current batch. The authors use
            1,000 for BigGAN and 0 for StyleGAN2. Defaults to 0.
        debiased: Whether to divide the averages by ``1 - decay**updates``, as for StyleGAN2. Defaults to False.
    """

    name = "lecam"
    uses_collectives = True

    def __init__(self, weight=0.3, interval=1, decay=0.9, start=0, debiased=False):
        super().__init__(weight, interval)
        self.decay, self.start, self.debiased = decay, start, debiased

    def build(self, generator, discriminator):
        super().build(generator, discriminator)
        self.state = State(real=0.0, fake=0.0, **({"updates": 0.0} if self.debiased else {}))

    def __call__(self, critic, real, fake, rng, step=0):
        return self._weighted(functools.partial(self.term, step=step), (critic, real, fake, rng), step)

    def term(self, critic, real, fake, rng, is_due, step=None):
        """Computes the term at ``step``, and updates the averages; None stands for any step from ``start`` on."""
        has_started = True if step is None else step >= self.start
        if self.debiased:
            self.state.updates.assign_add(tf.cast(is_due, tf.float32))
        real_logits, fake_logits = critic(real), critic(fake)
        decay = tf.where(has_started, self.decay, 0.0)
        real_average, fake_average = (
            self._debiased(self.state.average(name, batch_mean(tf.stop_gradient(logits)), decay, is_due))
            for name, logits in (("real", real_logits), ("fake", fake_logits))
        )
        real_term = tf.reduce_mean(tf.square(tf.nn.relu(real_logits - fake_average)))
        fake_term = tf.reduce_mean(tf.square(tf.nn.relu(real_average - fake_logits)))
        return tf.where(has_started, real_term + fake_term, 0.0)

    def _debiased(self, average):
        if not self.debiased:
            return average
        return average / tf.maximum(1.0 - tf.pow(self.decay, self.state.updates.value), 1e-8)

    def get_config(self):
        return {**super().get_config(), "decay": self.decay, "start": self.start, "debiased": self.debiased}
