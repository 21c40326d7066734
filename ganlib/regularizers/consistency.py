"""Equal classes for two augmentations of an unlabeled image."""

import keras
import tensorflow as tf

from ganlib.regularizers.base import Regularizer


@keras.saving.register_keras_serializable("ganlib.regularizers")
class Consistency(Regularizer):
    """E ||p(x) - p'(x)||^2 with p the class probabilities of an unlabeled image, and p' those of the averaged
    classifier under another augmentation and without dropout.

    Tarvainen & Valpola 2017, "Mean teachers are better role models" (arXiv:1703.01780), whose authors give the mean over
    ten classes a weight of 100, the sum that is here a weight of 10. Triple-GAN's authors use it too.
    For the classifier: it holds its classes still under what an augmentation changes.

    Args:
        weight: what the term is multiplied by.
        ramp_up: over so many steps the weight rises from exp(-5) of itself, as the authors' does; a classifier that has
            learned little would hold on to what it guesses.
    """

    name = "consistency"

    def __init__(self, weight=10.0, ramp_up=0):
        super().__init__(weight)
        self.ramp_up = ramp_up

    def __call__(self, outputs, rng):
        target = tf.stop_gradient(tf.nn.softmax(outputs.classify_by_average()))
        distances = tf.reduce_sum(tf.square(tf.nn.softmax(outputs.unlabeled_logits) - target), axis=-1)
        share = tf.minimum(tf.cast(outputs.step, tf.float32) / self.ramp_up, 1.0) if self.ramp_up else 1.0
        return self.weight * tf.exp(-5.0 * tf.square(1.0 - share)) * tf.reduce_mean(distances)

    def get_config(self):
        return {**super().get_config(), "ramp_up": self.ramp_up}
