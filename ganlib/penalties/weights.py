"""Penalties and constraints on the weights of the networks."""

import keras
import tensorflow as tf

from ganlib.penalties.base import Penalty

register = keras.saving.register_keras_serializable("ganlib.penalties")


@register
class OrthogonalWeights(Penalty):
    """weight / 2 * sum ||W W^T without its diagonal||^2 over the generator's weights with at least two axes, without the label
    embedding that all layers share. W has a row for each output.

    Brock et al. 2019, "Large scale GAN training for high fidelity natural image synthesis" (arXiv:1809.11096), equation 3. It
    improves images from truncated latents. The gradient is that of the author's code (github.com/ajbrock/BigGAN-PyTorch), half
    the gradient of the equation.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 1e-4, as in the paper.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
    """

    name = "orthogonal_weights"

    def __init__(self, weight=1e-4, interval=1):
        super().__init__(weight, interval)

    def generator_term(self, critic, generator, fake, rng):
        shared = getattr(generator, "embedding", None)
        excluded = {id(v) for v in shared.trainable_variables} if shared is not None else set()
        weights = [v for v in generator.trainable_variables if len(v.shape) > 1 and id(v) not in excluded]
        return tf.add_n([_half_off_diagonal_square(weight) for weight in weights])


def _half_off_diagonal_square(weight):
    """Computes half the sum of the squared products of different rows of W, the weights of different outputs.

    An embedding has a row for each class, as in the author's code. The outputs of other kernels are on the last axis.
    """
    matrix = tf.cast(weight.value, tf.float32)
    if not weight.name.startswith("embeddings"):
        matrix = tf.transpose(tf.reshape(matrix, (-1, weight.shape[-1])))
    products = tf.matmul(matrix, matrix, transpose_b=True)
    return 0.5 * tf.reduce_sum(tf.square(products - tf.linalg.diag(tf.linalg.diag_part(products))))


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
