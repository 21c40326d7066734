"""`PullAway`, for generated images with different features."""

import keras
import tensorflow as tf

from ganlib.regularizers.base import Regularizer
from ganlib.training.replicas import whole_batch


@keras.saving.register_keras_serializable("ganlib.regularizers")
class PullAway(Regularizer):
    """The mean squared cosine between the features of two generated images, for the generator.

    Zhao et al. 2017 (arXiv:1609.03126), section 2.4. It is part of Bad GAN (Dai et al. 2017, arXiv:1705.09783), whose authors
    use it on SVHN only, with a weight of 0.8. It keeps the entropy of the generated images high, as the encoder of
    `ganlib.BadGAN` does.

    Args:
        weight: The factor that multiplies the term. Defaults to 1.0.
    """

    name = "pull_away"

    def __call__(self, fake_features):
        directions = tf.math.l2_normalize(whole_batch(tf.cast(fake_features, tf.float32)), axis=-1)
        cosines = tf.matmul(directions, directions, transpose_b=True)
        count = tf.cast(tf.shape(directions)[0], tf.float32)
        # The diagonal holds the cosine of each image with itself, which is 1.
        return self.weight * (tf.reduce_sum(tf.square(cosines)) - count) / (count * (count - 1.0))
