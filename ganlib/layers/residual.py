"""The residual blocks of SNGAN's networks: Miyato et al. 2018 (arXiv:1802.05957)."""

import keras
from keras import ops

from ganlib import layers
from ganlib.errors import choose
from ganlib.layers import initializers
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.initializers import glorot
from ganlib.layers.resampling import upsample_bilinear

register = keras.saving.register_keras_serializable("ganlib.resnet")

UPSAMPLINGS = {"nearest": layers.upsample, "bilinear": upsample_bilinear}
"""Name -> function that doubles the resolution of feature maps."""


@register
class GeneratorBlock(SublayerPolicy, keras.layers.Layer):
    """A residual block: normalize, ReLU, double the resolution, convolve, normalize, ReLU, convolve; a 1x1 convolution as the
    shortcut.
    """

    def __init__(self, width, num_classes=None, normalization="batch", spectral_norm=False, upsampling="nearest", **kwargs):
        super().__init__(**kwargs)
        self.width, self.num_classes, self.normalization = width, num_classes, normalization
        self.spectral_norm, self.upsampling = spectral_norm, upsampling
        self._upsample = choose("upsampling", upsampling, UPSAMPLINGS)
        self.first_norm, self.second_norm = self._norm(), self._norm()
        self.first_conv, self.second_conv, self.skip_conv = self._conv(3, 2**0.5), self._conv(3, 2**0.5), self._conv(1)

    def _conv(self, kernel_size, gain=1.0):
        return layers.conv(self.width, kernel_size, self.spectral_norm, kernel_initializer=glorot(gain))

    def _norm(self):
        if self.num_classes and self.normalization:
            return layers.ConditionalBatchNorm(self.num_classes, synchronized=self.normalization == "sync_batch")
        return layers.normalization(self.normalization)

    def _normalize(self, norm, inputs, labels, training):
        if isinstance(norm, layers.ConditionalBatchNorm):
            return norm(inputs, labels, training=training)
        return norm(inputs, training=training)

    def call(self, inputs, labels=None, training=False):
        x = ops.relu(self._normalize(self.first_norm, inputs, labels, training))
        x = self.first_conv(self._upsample(x), training=training)
        x = ops.relu(self._normalize(self.second_norm, x, labels, training))
        # A 1x1 convolution commutes with upsampling; before it, the convolution costs a quarter.
        return self.second_conv(x, training=training) + self._upsample(self.skip_conv(inputs, training=training))

    def get_config(self):
        config = {
            "width": self.width,
            "num_classes": self.num_classes,
            "normalization": self.normalization,
            "spectral_norm": self.spectral_norm,
            "upsampling": self.upsampling,
        }
        return {**super().get_config(), **config}


@register
class DiscriminatorBlock(SublayerPolicy, keras.layers.Layer):
    """A residual block: ReLU, convolve, ReLU, convolve, and optionally halve the resolution; a 1x1 convolution as the shortcut
    if needed.

    Args:
        width: The number of output channels.
        downsample: Whether to halve the resolution.
        first: Whether the block is the first, whose input is the image. Defaults to False.
        spectral_norm: As for `ganlib.layers.conv`. Defaults to True.
        initializer: The name of the Keras initializer of the kernels, or None for Glorot's. Defaults to None.
        hidden: The number of channels between the convolutions; None for ``width``. Defaults to None.
        activated_shortcut: Whether the shortcut begins after the first ReLU. Defaults to False.
    """

    def __init__(
        self,
        width,
        downsample,
        first=False,
        spectral_norm=True,
        initializer=None,
        hidden=None,
        activated_shortcut=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.width, self.downsample, self.first, self.spectral_norm = width, downsample, first, spectral_norm
        self.initializer, self.hidden, self.activated_shortcut = initializer, hidden, activated_shortcut
        self.first_conv, self.second_conv, self.skip_conv = (
            layers.conv(filters, size, spectral_norm, kernel_initializer=initializers.get(initializer) or glorot(gain))
            for filters, size, gain in ((hidden or width, 3, 2**0.5), (width, 3, 2**0.5), (width, 1, 1.0))
        )
        self.halve = keras.layers.AveragePooling2D(2) if downsample else keras.layers.Identity()

    def build(self, input_shape):
        # A block that changes neither width nor resolution uses the identity as its shortcut.
        if not self.downsample and input_shape[-1] == self.width:
            self.skip_conv = keras.layers.Identity()

    def call(self, inputs, training=False):
        x = inputs if self.first else ops.relu(inputs)  # no activation on the image
        x = ops.relu(self.first_conv(x, training=training))
        x = self.halve(self.second_conv(x, training=training))
        # Average pooling and a 1x1 convolution commute; after pooling, the convolution costs a quarter.
        shortcut = ops.relu(inputs) if self.activated_shortcut and not self.first else inputs
        return x + self.skip_conv(self.halve(shortcut), training=training)

    def get_config(self):
        config = {
            "width": self.width,
            "downsample": self.downsample,
            "first": self.first,
            "spectral_norm": self.spectral_norm,
            "initializer": self.initializer,
            "hidden": self.hidden,
            "activated_shortcut": self.activated_shortcut,
        }
        return {**super().get_config(), **config}
