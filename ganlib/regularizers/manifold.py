"""`Manifold`, for logits that vary little along the manifold of generated images."""

import keras
import tensorflow as tf

from ganlib.errors import choose
from ganlib.regularizers.base import Regularizer

NORMS = {
    "squared": lambda x: tf.reduce_sum(tf.square(x), axis=-1),
    "l1": lambda x: tf.reduce_sum(tf.sqrt(tf.square(x) + 1e-8), axis=-1),
}
"""Name -> function of the differences of logits."""


@keras.saving.register_keras_serializable("ganlib.regularizers")
class Manifold(Regularizer):
    """E ||f(G(z)) - f(G(z + epsilon d / ||d||))||^2 for the classifier: f are the logits and d is a random direction.

    Lecouat et al. 2018, "Semi-supervised learning with GANs: revisiting manifold regularization" (arXiv:1805.08957). It keeps
    the logits nearly constant along the manifold of generated images.

    Both images of a pair have the same augmentation, dropout masks and generator's noise. In the authors' code they have
    different dropout masks. With its step of 1e-5, its term is twice the variance of the logits under dropout. The latents are
    standard normal here, and uniform in [0, 1] in the authors' code, where a distance is about 0.3 times as large.

    The authors' later code (Lecouat et al. 2018, arXiv:1807.04307) goes a longer way in the same direction, from the image x
    to x + image_step (x' - x) / ||x' - x||, where x' is the image of the shifted latents. It uses ``image_step=20.0`` and
    ``norm="l1"``.

    Args:
        weight: The factor that multiplies the term. Defaults to 1e-3, as in the authors' code.
        epsilon: The distance between the two latents. Defaults to 1.0.
        image_step: The distance between the two images; None takes the image of the shifted latents. Defaults to None.
        norm: ``"squared"`` for the squared distance of the logits, or ``"l1"`` for the sum of their absolute differences.
            Defaults to ``"squared"``.

    Raises:
        UserError: If the norm is unknown.
    """

    name = "manifold"

    def __init__(self, weight=1e-3, epsilon=1.0, image_step=None, norm="squared"):
        super().__init__(weight)
        self.epsilon, self.image_step, self.norm = epsilon, image_step, norm
        self._norm = choose("norm", norm, NORMS)

    def __call__(self, outputs, rng):
        direction = tf.math.l2_normalize(rng.normal(tf.unstack(tf.shape(outputs.latents))), axis=-1)
        moved = None if self.image_step is None else lambda images: self._moved(outputs.fake, images)
        shifted_logits = outputs.classify_generated(outputs.latents + self.epsilon * direction, moved)
        return self.weight * tf.reduce_mean(self._norm(outputs.fake_logits - shifted_logits))

    def _moved(self, images, others):
        images = tf.cast(images, tf.float32)
        difference = tf.cast(others, tf.float32) - images
        axes = list(range(1, len(difference.shape)))
        return tf.stop_gradient(images + self.image_step * tf.math.l2_normalize(difference, axis=axes))

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon, "image_step": self.image_step, "norm": self.norm}
