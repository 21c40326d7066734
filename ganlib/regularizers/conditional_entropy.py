"""`ConditionalEntropy`, for confident predictions on unlabeled images."""

import keras
import tensorflow as tf

from ganlib.regularizers.base import Regularizer


@keras.saving.register_keras_serializable("ganlib.regularizers")
class ConditionalEntropy(Regularizer):
    """The mean entropy of the class probabilities of unlabeled images, for the classifier.

    Grandvalet & Bengio 2005. It is part of the loss of Bad GAN (Dai et al. 2017, arXiv:1705.09783, equation 6), whose authors
    use it on SVHN only, with a weight of 0.1. It moves the boundaries between classes away from unlabeled images.

    Args:
        weight: The factor that multiplies the term. Defaults to 1.0.
    """

    name = "conditional_entropy"

    def __call__(self, outputs, rng):
        log_probabilities = tf.nn.log_softmax(outputs.unlabeled_logits)
        entropy = -tf.reduce_sum(tf.exp(log_probabilities) * log_probabilities, axis=-1)
        return self.weight * tf.reduce_mean(entropy)
