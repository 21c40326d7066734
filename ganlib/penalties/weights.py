"""Penalties on the weights themselves."""

import keras
import tensorflow as tf

from ganlib.penalties.base import Penalty

register = keras.saving.register_keras_serializable("ganlib.penalties")


@register
class OrthogonalWeights(Penalty):
    """weight * sum ||W^T W without its diagonal||^2 over the generator's kernels of two axes and more, embeddings left out.

    Brock et al. 2019, "Large scale GAN training for high fidelity natural image synthesis" (arXiv:1809.11096), equation 3,
    with a weight of 1e-4: so that truncated latents give good images.
    """

    name = "orthogonal_weights"

    def __init__(self, weight=1e-4, interval=1):
        super().__init__(weight, interval)

    def generator_term(self, critic, generator, fake, rng):
        kernels = [v for v in generator.trainable_variables if len(v.shape) > 1 and "embedding" not in v.path]
        return tf.add_n([_beside_the_diagonal(kernel.value) for kernel in kernels])


def _beside_the_diagonal(kernel):
    """The sum of squares of the products of different columns."""
    matrix = tf.reshape(tf.cast(kernel, tf.float32), (-1, kernel.shape[-1]))
    products = tf.matmul(matrix, matrix, transpose_a=True)
    return tf.reduce_sum(tf.square(products - tf.linalg.diag(tf.linalg.diag_part(products))))


@register
class WeightClipping(Penalty):
    """No term: after each update, the discriminator's weights are clipped to [-limit, limit].

    Arjovsky et al. 2017, "Wasserstein GAN" (arXiv:1701.07875), algorithm 1, with a limit of 0.01.

    Args:
        limit: as above.
    """

    name = "weight_clipping"

    def __init__(self, limit=0.01):
        super().__init__(1.0)
        self.limit = limit

    def build(self, generator, discriminator):
        super().build(generator, discriminator)
        for variable in discriminator.trainable_variables:  # what Keras's optimizers apply after an update
            variable.constraint = lambda weights: tf.clip_by_value(weights, -self.limit, self.limit)

    def get_config(self):
        return {"limit": self.limit}
