"""`Manifold`, for logits that vary little along the manifold of generated images."""

import keras
import tensorflow as tf

from ganlib.regularizers.base import Outputs, Regularizer
from ganlib.training.random_stream import RandomStream


@keras.saving.register_keras_serializable("ganlib.regularizers")
class Manifold(Regularizer):
    """E ||f(G(z)) - f(G(z + epsilon d / ||d||))||^2 for the classifier: f are the logits and d is a random direction.

    Lecouat et al. 2018, "Semi-supervised learning with GANs: revisiting manifold regularization" (arXiv:1805.08957). It keeps
    the logits nearly constant along the manifold of generated images.

    Args:
        weight: The factor that multiplies the term. Defaults to 1e-3, as in the authors' code.
        epsilon: The distance between the two latents. Defaults to 1.0.
    """

    name = "manifold"

    def __init__(self, weight: float = 1e-3, epsilon: float = 1.0):
        super().__init__(weight)
        self.epsilon = epsilon

    def __call__(self, outputs: Outputs, rng: RandomStream) -> tf.Tensor:
        direction = tf.math.l2_normalize(rng.normal(tf.unstack(tf.shape(outputs.latents))), axis=-1)
        shifted_logits = outputs.classify_generated(outputs.latents + self.epsilon * direction)
        return self.weight * tf.reduce_mean(tf.reduce_sum(tf.square(outputs.fake_logits - shifted_logits), axis=-1))

    def get_config(self) -> dict:
        return {**super().get_config(), "epsilon": self.epsilon}
