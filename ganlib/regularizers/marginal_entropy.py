"""Classes that are predicted equally often."""

import math

import keras
import tensorflow as tf

from ganlib.regularizers.base import Regularizer
from ganlib.training.replicas import batch_mean


@keras.saving.register_keras_serializable("ganlib.regularizers")
class MarginalEntropy(Regularizer):
    """log K - H(E p(y|x)) over a batch of unlabeled images: 0 where all K classes are given equally often.

    Springenberg 2016, "Unsupervised and semi-supervised learning with categorical GANs" (arXiv:1511.06390), section 3.2.
    For the classifier: with few labels a class can swallow another. It takes data whose classes are about equally
    frequent.

    Args:
        weight: what the term is multiplied by.
        ramp_down: over so many steps the weight falls to 0 in a line, since a class that is a little more frequent than
            another must not lose images to it for ever; 0 keeps the weight.
    """

    name = "marginal_entropy"

    def __init__(self, weight=1.0, ramp_down=0):
        super().__init__(weight)
        self.ramp_down = ramp_down

    def __call__(self, outputs, rng):
        shares = batch_mean(tf.nn.softmax(outputs.unlabeled_logits))
        left = tf.maximum(1.0 - tf.cast(outputs.step, tf.float32) / self.ramp_down, 0.0) if self.ramp_down else 1.0
        return self.weight * left * (math.log(shares.shape[0]) + tf.reduce_sum(tf.math.xlogy(shares, shares)))

    def get_config(self):
        return {**super().get_config(), "ramp_down": self.ramp_down}
