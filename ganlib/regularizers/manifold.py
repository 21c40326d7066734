"""Logits that vary little along the images that the generator makes."""

import keras
import tensorflow as tf

from ganlib.regularizers.base import Regularizer


@keras.saving.register_keras_serializable("ganlib.regularizers")
class Manifold(Regularizer):
    """E ||f(G(z)) - f(G(z + epsilon d / ||d||))||^2 with f the logits and d a random direction.

    Lecouat et al. 2018, "Semi-supervised learning with GANs: revisiting manifold regularization" (arXiv:1805.08957).
    For the classifier: it holds the logits still along the images that the generator makes.

    Args:
        weight: the authors' code has 1e-3.
        epsilon: the length of the step between latents.
    """

    name = "manifold"

    def __init__(self, weight=1e-3, epsilon=1.0):
        super().__init__(weight)
        self.epsilon = epsilon

    def __call__(self, outputs, rng):
        direction = tf.math.l2_normalize(rng.normal(tf.unstack(tf.shape(outputs.latents))), axis=-1)
        moved = outputs.classify_generated(outputs.latents + self.epsilon * direction)
        return self.weight * tf.reduce_mean(tf.reduce_sum(tf.square(outputs.fake_logits - moved), axis=-1))

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
