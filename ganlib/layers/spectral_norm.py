"""Spectral normalization."""

import keras
from keras import ops

from ganlib.layers.kernels import call_with_kernel


@keras.saving.register_keras_serializable("ganlib.layers")
class SpectralNorm(keras.layers.Wrapper):
    """A wrapper that divides a layer's kernel by an estimate of its largest singular value.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks" (arXiv:1802.05957). A call with
    ``training=True`` runs one step of power iteration. The gradient flows through the kernel and the norm, with the singular
    vectors held fixed, as in the paper. In contrast, `keras.layers.SpectralNormalization` overwrites the kernel with its
    normalized value.

    Args:
        layer: A `Dense`, `Conv2D` or `Embedding`, whose first weight is the kernel.
    """

    def build(self, input_shape=None):
        super().build(input_shape)
        kernel = self.layer.weights[0]
        self.singular_vector = self.add_weight(
            name="singular_vector", shape=(kernel.shape[-1],), initializer="random_normal", trainable=False
        )

    def call(self, inputs, training=False):
        kernel = ops.cast(self.layer.weights[0], "float32")  # read once: each symbolic read traces the initializer
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        constant, right = ops.stop_gradient(matrix), ops.cast(self.singular_vector, "float32")
        left = ops.normalize(ops.matmul(constant, right), epsilon=1e-12)
        if training:
            right = ops.normalize(ops.matmul(left, constant), epsilon=1e-12)
            self.singular_vector.assign(right)
        norm = ops.sum(left * ops.matmul(matrix, right))
        return call_with_kernel(self.layer, kernel / norm, inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)
