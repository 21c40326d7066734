"""Convolutions modulated by styles: the layers of StyleGAN2's generator (Karras et al. 2020, arXiv:1912.04958).

Styles and weights are in float32 under any policy. Only the feature maps are in the layer's compute dtype, as in the code of
StyleGAN2-ADA.
"""

import math

import keras
from keras import ops

from ganlib.layers import equalized
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.resampling import blur

register = keras.saving.register_keras_serializable("ganlib.stylegan2")


@register
class ModulatedConv(SublayerPolicy, keras.layers.Layer):
    """A convolution whose weights are scaled by the style of each image: section 2.2.

    The input channels are multiplied by the style and the output channels divided by the norm of the scaled weights, which is
    equivalent to separate weights for each image.

    Args:
        filters: The number of output channels.
        kernel_size: 1 or 3.
        demodulate: Whether to divide by the norm. Defaults to True.
        upsample: Whether to double the resolution, by a transposed convolution followed by a blur. Defaults to False.
    """

    def __init__(self, filters, kernel_size, demodulate=True, upsample=False, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.filters, self.kernel_size, self.demodulate, self.upsample = filters, kernel_size, demodulate, upsample

    def build(self, inputs_shape, styles_shape=None):
        channels = inputs_shape[-1]
        shape = (self.kernel_size, self.kernel_size, channels, self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=equalized.normal())
        self.affine = equalized.Dense(channels, bias=1.0, dtype=equalized.full_precision(self))
        self.affine.build(styles_shape)

    def call(self, inputs, styles):
        kernel, scale = self.kernel / math.sqrt(math.prod(self.kernel.shape[:3])), self.affine(styles)
        if self.demodulate and self.compute_dtype == "float16":
            # Demodulation cancels any factor. With a largest value of 1 for each filter and each image, float16 suffices.
            kernel = kernel / ops.max(ops.abs(self.kernel), axis=(0, 1, 2))
            scale = scale / ops.max(ops.abs(scale), axis=1, keepdims=True)
        x = self._convolve(ops.cast(inputs, self.compute_dtype), kernel, scale)
        if self.demodulate:
            squares = ops.matmul(ops.square(scale), ops.sum(ops.square(kernel), axis=(0, 1)))
            x = x * ops.cast(ops.rsqrt(squares + 1e-8), x.dtype)[:, None, None, :]
        return x

    def _convolve(self, inputs, kernel, scale):
        kernel, x = ops.cast(kernel, inputs.dtype), inputs * ops.cast(scale, inputs.dtype)[:, None, None, :]
        if not self.upsample:
            return ops.conv(x, kernel, 1, "same")
        return blur(ops.conv_transpose(x, ops.transpose(kernel, (0, 1, 3, 2)), 2, "valid"), 1, 1, gain=2.0)

    def get_config(self):
        config = {"filters": self.filters, "kernel_size": self.kernel_size}
        config |= {"demodulate": self.demodulate, "upsample": self.upsample}
        return {**super().get_config(), **config}


@register
class StyledConv(SublayerPolicy, keras.layers.Layer):
    """A `ModulatedConv`, noise of a learned strength, a bias, and a leaky ReLU.

    If no noise is passed, the layer uses a fixed noise map, the same for all images.

    Args:
        filters: The number of output channels.
        upsample: Whether to double the resolution. Defaults to False.
        clamp: The largest absolute value of an output, or None. Defaults to None.
    """

    def __init__(self, filters, upsample=False, clamp=None, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.filters, self.upsample, self.clamp = filters, upsample, clamp

    def build(self, inputs_shape, styles_shape=None):
        _, height, width, _ = inputs_shape
        factor = 2 if self.upsample else 1
        self.conv = ModulatedConv(self.filters, 3, upsample=self.upsample)
        self.conv.build(inputs_shape, styles_shape)
        self.noise = self.add_weight(
            name="noise", shape=(factor * height, factor * width, 1), initializer=equalized.normal(), trainable=False
        )
        self.strength = self.add_weight(name="strength", shape=(), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs, styles, noise=None):
        x = self.conv(inputs, styles)
        noise = ops.multiply(self.noise if noise is None else ops.cast(noise, self.strength.dtype), self.strength)
        x = ops.add(x + ops.cast(noise, x.dtype), ops.cast(self.bias, x.dtype))
        return equalized.clamped(equalized.leaky_relu(x), self.clamp)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "upsample": self.upsample, "clamp": self.clamp}
