"""Penalties and constraints on the weights of the networks."""

import keras
import tensorflow as tf

from ganlib.penalties.base import Penalty

register = keras.saving.register_keras_serializable("ganlib.penalties")


@register
class OrthogonalWeights(Penalty):
    """weight * sum ||W^T W without its diagonal||^2 over the generator's kernels with at least two axes, without embeddings.

    Brock et al. 2019, "Large scale GAN training for high fidelity natural image synthesis" (arXiv:1809.11096), equation 3. It
    improves images from truncated latents.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 1e-4, as in the paper.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
    """

    name = "orthogonal_weights"

    def __init__(self, weight=1e-4, interval=1):
        super().__init__(weight, interval)

    def generator_term(self, critic, generator, fake, rng):
        kernels = [v for v in generator.trainable_variables if len(v.shape) > 1 and "embedding" not in v.path]
        return tf.add_n([_off_diagonal_square(kernel.value) for kernel in kernels])


def _off_diagonal_square(kernel):
    """Computes the sum of the squared products of different columns."""
    matrix = tf.reshape(tf.cast(kernel, tf.float32), (-1, kernel.shape[-1]))
    products = tf.matmul(matrix, matrix, transpose_a=True)
    return tf.reduce_sum(tf.square(products - tf.linalg.diag(tf.linalg.diag_part(products))))


@register
class WeightClipping(Penalty):
    """Clips the discriminator's weights to [-limit, limit] after each update. It adds no term to a loss.

    Arjovsky et al. 2017, "Wasserstein GAN" (arXiv:1701.07875), algorithm 1.

    Args:
        limit: The largest absolute value of a weight. Defaults to 0.01, as in the paper.
    """

    name = "weight_clipping"

    def __init__(self, limit=0.01):
        super().__init__(1.0)
        self.limit = limit

    def build(self, generator, discriminator):
        super().build(generator, discriminator)
        for variable in discriminator.trainable_variables:  # Keras's optimizers apply constraints after each update
            variable.constraint = lambda weights: tf.clip_by_value(weights, -self.limit, self.limit)

    def get_config(self):
        return {"limit": self.limit}
