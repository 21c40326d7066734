"""Wide residual networks: Zagoruyko & Komodakis 2016, "Wide residual networks" (arXiv:1605.07146).

The form of FixMatch's code (Sohn et al. 2020, arXiv:2001.07685, github.com/google-research/fixmatch): leaky ReLUs of slope 0.1,
batch normalization before each convolution with a momentum of 0.999, no activation after the sum of a block. With 16 channels
in the first layer, ``width=32`` and ``repeat=4``, it is WRN-28-2 with 1.5 million weights. There is no generator.
"""

import math

import keras

from ganlib.errors import choose
from ganlib.layers.batch_normalization import BatchNormalization
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.wide_resnet")

STEM = 16
"""The number of channels of the first convolution."""
SLOPE = 0.1
"""The slope of the leaky ReLUs."""
MOMENTUM, EPSILON = 0.999, 1e-3
"""The constants of the batch normalization."""


def _conv(filters, size=3, strides=1):
    """Returns a convolution whose initial weights have the variance 2 / (size * size * filters), as in the authors' code."""
    initial = keras.initializers.RandomNormal(stddev=math.sqrt(2.0 / (size * size * filters)))
    return keras.layers.Conv2D(filters, size, strides=strides, padding="same", kernel_initializer=initial)


def _normalized(synchronized):
    """Returns batch normalization followed by a leaky ReLU, as a list."""
    normalization = BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, synchronized=synchronized)
    return [normalization, keras.layers.LeakyReLU(SLOPE)]


@register
class Block(SublayerPolicy, keras.layers.Layer):
    """Two normalized 3x3 convolutions and a shortcut.

    Args:
        filters: The number of channels of the output.
        strides: The stride of the first convolution. Defaults to 1.
        activates_shortcut: Whether the shortcut starts from the normalized input, as in the first block. Defaults to False.
        synchronized: Whether the batch statistics are computed over all replicas. Defaults to False.
    """

    def __init__(self, filters, strides=1, activates_shortcut=False, synchronized=False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.strides = filters, strides
        self.activates_shortcut, self.synchronized = activates_shortcut, synchronized

    def build(self, inputs_shape):
        self.first = keras.Sequential(_normalized(self.synchronized))
        self.rest = keras.Sequential([
            _conv(self.filters, strides=self.strides), *_normalized(self.synchronized), _conv(self.filters)
        ])  # fmt: skip
        self.shortcut = _conv(self.filters, 1, self.strides) if inputs_shape[-1] != self.filters else None
        for layer in (self.first, self.rest, *([self.shortcut] if self.shortcut else [])):
            layer.build(inputs_shape)

    def call(self, inputs, training=False):
        activated = self.first(inputs, training=training)
        shortcut = activated if self.activates_shortcut else inputs
        shortcut = self.shortcut(shortcut) if self.shortcut else shortcut
        return shortcut + self.rest(activated, training=training)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "strides": self.strides,
            "activates_shortcut": self.activates_shortcut,
            "synchronized": self.synchronized,
        }


@register
class Discriminator(base.Discriminator):
    """Images -> residual blocks -> features (the means of the last feature maps) -> logits. Its body serves classifiers.

    Args:
        image_shape: ``(height, width, channels)`` of any size. Defaults to ``(32, 32, 3)``.
        width: The number of channels of the blocks at the resolution of the images. It doubles at each coarser resolution.
            Defaults to 32.
        repeat: The number of blocks of each resolution. Defaults to 4.
        scales: The number of resolutions. Defaults to 3.
        num_classes: The number of classes, or None. Defaults to None.
        normalization: ``"batch"`` or ``"sync_batch"``. Defaults to ``"batch"``.
        dropout: The dropout rate of the features. Defaults to 0.0.

    Raises:
        UserError: If the normalization is another one.

    Examples:
        >>> import numpy as np
        >>> from ganlib.networks import Classifier, wide_resnet
        >>> body = wide_resnet.Discriminator((32, 32, 3), width=4, repeat=1).body
        >>> Classifier(body, (32, 32, 3), num_classes=10)(np.zeros((2, 32, 32, 3), "uint8")).shape
        TensorShape([2, 10])
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        width=32,
        repeat=4,
        scales=3,
        num_classes=None,
        normalization="batch",
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        synchronized = choose("normalization", normalization, {"batch": False, "sync_batch": True})
        self.width, self.repeat, self.scales = width, repeat, scales
        self.normalization, self.dropout = normalization, dropout
        stack = [_conv(STEM)]
        for scale in range(scales):
            for index in range(repeat):
                strides = 2 if scale and not index else 1
                stack.append(Block(width << scale, strides, not scale and not index, synchronized))
        stack += [*_normalized(synchronized), keras.layers.GlobalAveragePooling2D(), keras.layers.Dropout(dropout)]
        self.body = keras.Sequential(stack, name="body")
        self.build()

    def class_head(self, num_classes):
        initial = keras.initializers.GlorotNormal()
        return keras.layers.Dense(num_classes, kernel_initializer=initial, name="head", dtype=self.dtype_policy)

    def get_config(self):
        names = ("width", "repeat", "scales", "normalization", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
