"""The block of StyleGAN2's discriminator: Karras et al. 2020 (arXiv:1912.04958)."""

import math

import keras

from ganlib.layers import equalized
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.resampling import Downsample, blur

register = keras.saving.register_keras_serializable("ganlib.stylegan2")


@register
class DiscriminatorBlock(SublayerPolicy, keras.layers.Layer):
    """Two convolutions, the second of which halves the resolution after a blur, and if it is residual a 1x1 convolution as the
    shortcut.

    Args:
        before: The number of input channels.
        after: The number of output channels.
        residual: Whether the block has a shortcut. Defaults to True.
        clamp: The largest absolute value of activations, or None. Defaults to None.
    """

    def __init__(self, before, after, residual=True, clamp=None, **kwargs):
        super().__init__(**kwargs)
        self.before, self.after, self.residual, self.clamp = before, after, residual, clamp
        self.first = equalized.Conv(before, 3, clamp=clamp)
        self.second = equalized.Conv(after, 3, strides=2, clamp=clamp)
        if residual:
            self.skip = equalized.Conv(after, 1, activate=False, clamp=clamp)
            self.halve = Downsample()

    def call(self, inputs):
        x = self.second(blur(self.first(inputs), 2, 2))
        return (x + self.skip(self.halve(inputs))) / math.sqrt(2.0) if self.residual else x

    def get_config(self):
        config = {"before": self.before, "after": self.after, "residual": self.residual, "clamp": self.clamp}
        return {**super().get_config(), **config}
