"""Self-attention over the positions of feature maps."""

import keras
from keras import ops

from ganlib.errors import UserError
from ganlib.layers import builders
from ganlib.layers.dtype_policy import SublayerPolicy


@keras.saving.register_keras_serializable("ganlib.attention")
class SelfAttention(SublayerPolicy, keras.layers.Layer):
    """Self-attention with a residual connection: ``(n, h, w, c)`` -> the same shape.

    Zhang et al. 2019, "Self-attention generative adversarial networks" (arXiv:1805.08318), equations 1 to 3. As in the authors'
    code, keys and values are max-pooled to half the resolution, and values have half the channels. A learned scale starts at 0,
    so that the layer is the identity at initialization.

    Args:
        spectral_norm: Whether to normalize the weights by their spectral norm, as the paper does in both networks. Defaults to
            True.
    """

    def __init__(self, spectral_norm=True, **kwargs):
        super().__init__(**kwargs)
        self.spectral_norm = spectral_norm

    def build(self, input_shape):
        channels = input_shape[-1]
        self.queries = self._convolution(max(channels // 8, 1), input_shape)
        self.keys = self._convolution(max(channels // 8, 1), input_shape)
        self.values = self._convolution(max(channels // 2, 1), input_shape)
        self.outputs = self._convolution(channels, (*input_shape[:-1], max(channels // 2, 1)))
        self.pool = keras.layers.MaxPooling2D(2)
        self.scale = self.add_weight(name="scale", shape=(), initializer="zeros")

    def _convolution(self, filters, input_shape):
        layer = builders.conv(filters, 1, self.spectral_norm, use_bias=False)
        layer.build(input_shape)
        return layer

    def call(self, inputs, training=False):
        _, height, width, _ = inputs.shape
        queries, keys, values = (
            ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))
            for x in (
                self.queries(inputs, training=training),
                self.pool(self.keys(inputs, training=training)),
                self.pool(self.values(inputs, training=training)),
            )
        )
        weights = ops.softmax(ops.matmul(queries, ops.transpose(keys, (0, 2, 1))), axis=-1)
        attended = ops.matmul(weights, values)
        attended = ops.reshape(attended, (-1, height, width, attended.shape[-1]))
        return inputs + ops.cast(self.scale, inputs.dtype) * self.outputs(attended, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "spectral_norm": self.spectral_norm}


def attention_after(resolutions, attention, spectral_norm=True):
    """Returns the layers that follow the blocks of a network: `SelfAttention` after the block at one resolution, otherwise the
    identity.

    Args:
        resolutions: The output resolution of each block.
        attention: The resolution at which to insert self-attention, or None.
        spectral_norm: Whether `SelfAttention` uses spectral normalization. Defaults to True.

    Raises:
        UserError: If no block has that resolution.
    """
    if attention is not None and attention not in resolutions:
        raise UserError(f"no block at resolution {attention} for attention: choose one of {', '.join(map(str, resolutions))}")
    return [SelfAttention(spectral_norm) if r == attention else keras.layers.Identity() for r in resolutions]
