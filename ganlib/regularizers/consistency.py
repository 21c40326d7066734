"""`Consistency`, for equal predictions under two augmentations of an unlabeled image."""

import keras
import tensorflow as tf

from ganlib.regularizers.base import Regularizer


@keras.saving.register_keras_serializable("ganlib.regularizers")
class Consistency(Regularizer):
    """E ||p(x) - p'(x)||^2 for the classifier: p are the class probabilities of an unlabeled image, and p' those of the
    averaged classifier under another augmentation and without dropout.

    Tarvainen & Valpola 2017, "Mean teachers are better role models" (arXiv:1703.01780). The authors use a weight of 100 for
    the mean over ten classes, which equals a weight of 10 for the sum that is used here. Triple-GAN's authors use it too. It
    makes the predictions invariant to the augmentation.

    Args:
        weight: The factor that multiplies the term. Defaults to 10.0.
        ramp_up: The number of steps over which the weight rises from exp(-5) times its value, as in the authors' code. Without
            a ramp-up, an untrained classifier would be tied to its early predictions. Defaults to 0, which uses the full weight
            from the start.
    """

    name = "consistency"

    def __init__(self, weight=10.0, ramp_up=0):
        super().__init__(weight)
        self.ramp_up = ramp_up

    def __call__(self, outputs, rng):
        target = tf.stop_gradient(tf.nn.softmax(outputs.classify_by_average()))
        distances = tf.reduce_sum(tf.square(tf.nn.softmax(outputs.unlabeled_logits) - target), axis=-1)
        progress = tf.minimum(tf.cast(outputs.step, tf.float32) / self.ramp_up, 1.0) if self.ramp_up else 1.0
        return self.weight * tf.exp(-5.0 * tf.square(1.0 - progress)) * tf.reduce_mean(distances)

    def get_config(self):
        return {**super().get_config(), "ramp_up": self.ramp_up}
