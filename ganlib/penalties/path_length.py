"""Path length regularization, which makes equal steps in the styles change the image by equal amounts everywhere."""

import math

import keras
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.penalties.base import Penalty
from ganlib.training.replicas import batch_mean
from ganlib.training.state import State


@keras.saving.register_keras_serializable("ganlib.penalties")
class PathLength(Penalty):
    """weight * E (||J y|| - a)^2 for the generator: J y is the gradient of the product of the image and noise y with respect to
    the styles, and a is the moving average of its length.

    Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN" (arXiv:1912.04958), equation 4. As in the
    authors' code, y has a standard deviation of one over the square root of the number of positions, the length is the root
    of the mean over layers of the squared lengths of their gradients, only half of the batch is used, and the term is also
    differentiated through the share of this batch in a.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 2.0, as in the authors' code.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 4, as in the authors' code.
        decay: The decay of the moving average. Defaults to 0.99, as in the authors' code.
        separate: As in `R1`. Defaults to False; the authors' code makes a separate step.
    """

    name = "path_length"
    uses_collectives = True

    def __init__(self, weight=2.0, interval=4, decay=0.99, separate=False):
        super().__init__(weight, interval)
        self.decay, self.separate = decay, separate

    def build(self, generator, discriminator):
        super().build(generator, discriminator)
        if not hasattr(generator, "from_styles"):
            raise UserError(
                f"penalty 'path_length' needs a generator with styles, such as stylegan2, and {type(generator).__module__} has "
                "none: remove the penalty"
            )
        self.state = State(length=0.0)

    def generator_term(self, critic, generator, fake, rng, is_due):
        count = tf.maximum(tf.shape(fake)[0] // 2, 1)
        latents = rng.normal((count, generator.latent_dim))
        labels = None if critic.labels is None else critic.labels[:count]
        draws = generator.sample_noise(count, rng)
        styles = generator.layer_styles(latents, labels, draws.get("mixing"))
        if hasattr(generator, "update_average_style"):
            generator.update_average_style(styles[:, 0], is_due)
        noise = rng.normal((count, *generator.image_shape)) / math.sqrt(math.prod(generator.image_shape[:2]))
        lengths = lengths_of(style_gradients(generator, styles, draws.get("noise"), noise))
        mean = batch_mean(lengths)
        average = self.decay * self.state.length.value + (1.0 - self.decay) * mean
        self.state.average("length", tf.stop_gradient(mean), self.decay, is_due)
        return tf.reduce_mean(tf.square(lengths - average))

    def get_config(self):
        return {**super().get_config(), "decay": self.decay, "separate": self.separate}


def style_gradients(generator, styles, layer_noise, noise):
    """Computes the gradient of the product of images and noise with respect to ``(n, layers, latent_dim)`` styles.

    Args:
        generator: A generator with ``from_styles``.
        styles: ``(n, layers, latent_dim)``.
        layer_noise: The noise of the layers, or None for their fixed noise.
        noise: ``(n, height, width, channels)``, the noise that the images are multiplied with.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(styles)
        product = tf.reduce_sum(generator.from_styles(styles, layer_noise) * noise)
    return tf.cast(tape.gradient(product, styles), tf.float32)


def lengths_of(gradients):
    """Returns the ``(n,)`` roots of the mean over layers of squared lengths: ``(n, layers, latent_dim)`` gradients."""
    return tf.sqrt(tf.reduce_mean(tf.reduce_sum(tf.square(gradients), axis=2), axis=1) + 1e-12)
