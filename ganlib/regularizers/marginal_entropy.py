"""`MarginalEntropy`, for classes that are predicted equally often."""

import math

import keras
import tensorflow as tf

from ganlib.regularizers.base import Regularizer
from ganlib.training.replicas import batch_mean


@keras.saving.register_keras_serializable("ganlib.regularizers")
class MarginalEntropy(Regularizer):
    """log K - H(E p(y|x)) over a batch of unlabeled images, for the classifier: 0 if all K classes are predicted equally often.

    Springenberg 2016, "Unsupervised and semi-supervised learning with categorical GANs" (arXiv:1511.06390), section 3.2.
    With few labels, one class can absorb another, which this term prevents. It assumes that the classes are about equally
    frequent in the data.

    Args:
        weight: The factor that multiplies the term. Defaults to 1.0.
        ramp_down: The number of steps over which the weight falls linearly to 0, so that a class that is slightly more frequent
            than another does not lose images to it permanently. Defaults to 0, which keeps the weight constant.
    """

    name = "marginal_entropy"

    def __init__(self, weight=1.0, ramp_down=0):
        super().__init__(weight)
        self.ramp_down = ramp_down

    def __call__(self, outputs, rng):
        frequencies = batch_mean(tf.nn.softmax(outputs.unlabeled_logits))
        decay = tf.maximum(1.0 - tf.cast(outputs.step, tf.float32) / self.ramp_down, 0.0) if self.ramp_down else 1.0
        return self.weight * decay * (math.log(frequencies.shape[0]) + tf.reduce_sum(tf.math.xlogy(frequencies, frequencies)))

    def get_config(self):
        return {**super().get_config(), "ramp_down": self.ramp_down}
