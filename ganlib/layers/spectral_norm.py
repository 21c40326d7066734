"""Spectral normalization."""

import keras
import numpy as np
from keras import ops

from ganlib.errors import choose
from ganlib.layers.kernels import call_with_kernel

FORMS = {"fresh": False, "stored": True}
"""Form -> whether inference uses both singular vectors as the last training call stored them."""

STORED = {"form": "stored"}
"""The arguments of `SpectralNorm` that give PyTorch's spectral normalization."""


@keras.saving.register_keras_serializable("ganlib.layers")
class SpectralNorm(keras.layers.Wrapper):
    """A wrapper that divides a layer's kernel by an estimate of its largest singular value.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks" (arXiv:1802.05957). Each call estimates the
    singular vectors by one step of power iteration from the stored one, and a call with ``training=True`` stores the result.
    The gradient flows through the kernel and the norm, with the singular vectors held fixed, as in the paper. In contrast,
    `keras.layers.SpectralNormalization` overwrites the kernel with its normalized value.

    Args:
        layer: A `Dense`, `Conv2D` or `Embedding`, whose first weight is the kernel.
        form: ``"fresh"`` runs a step of power iteration in inference too, as in the code of the paper and of BigGAN.
            ``"stored"`` uses the vectors of the last training call in inference, as `torch.nn.utils.spectral_norm` does.
            Defaults to ``"fresh"``.
        epsilon: The smallest norm by which vectors are divided. Defaults to 1e-12.

    Raises:
        UserError: If the form is unknown.
    """

    def __init__(self, layer, form="fresh", epsilon=1e-12, **kwargs):
        super().__init__(layer, **kwargs)
        self.form, self.epsilon = form, epsilon
        self._stores_both = choose("form of spectral normalization", form, FORMS)

    def build(self, input_shape=None):
        super().build(input_shape)
        shape = self.layer.weights[0].shape
        self.singular_vector = self._vector("singular_vector", shape[-1])
        if self._stores_both:
            self.left_singular_vector = self._vector("left_singular_vector", int(np.prod(shape[:-1])))

    def _vector(self, name, size):
        return self.add_weight(name=name, shape=(size,), initializer="random_normal", trainable=False)

    def call(self, inputs, training=False):
        kernel = ops.cast(self.layer.weights[0], "float32")  # read once: each symbolic read traces the initializer
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        left, right = self._singular_vectors(ops.stop_gradient(matrix), training)
        norm = ops.sum(left * ops.matmul(matrix, right))
        return call_with_kernel(self.layer, kernel / norm, inputs)

    def _singular_vectors(self, matrix, training):
        """Returns the left and the right singular vector, and stores them if ``training``."""
        right = ops.cast(self.singular_vector, "float32")
        if self._stores_both and not training:
            return self._normalized(ops.cast(self.left_singular_vector, "float32")), self._normalized(right)
        left = self._normalized(ops.matmul(matrix, right))
        following = self._normalized(ops.matmul(left, matrix))
        if training:
            self.singular_vector.assign(following)
            if self._stores_both:
                self.left_singular_vector.assign(left)
        # An embedding has a row for each output, so the half steps are in the other order.
        is_embedding = isinstance(self.layer, keras.layers.Embedding)
        return left, self._normalized(right) if is_embedding else following

    def _normalized(self, vector):
        return vector / ops.maximum(ops.sqrt(ops.sum(ops.square(vector))), self.epsilon)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "form": self.form, "epsilon": self.epsilon}
