"""DCGAN: Radford et al. 2016, "Unsupervised representation learning with deep convolutional GANs" (arXiv:1511.06434).

4x4 strided convolutions, batch normalization, ReLU in the generator and leaky ReLU in the discriminator, weights initialized
from a normal distribution with standard deviation 0.02. The paper's 64x64 network has width 128; its kernels are 5x5.
"""

import math

import keras

from ganlib import layers
from ganlib.networks import base, shapes

register = keras.saving.register_keras_serializable("ganlib.dcgan")

STAGES = {8: 2, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5}
"""Image size -> the number of times the generator doubles the resolution, starting from 2x2, 4x4 or (for 28) 7x7. Other shapes
have the layers of one of these sizes: see `ganlib.networks.shapes`."""


def size_of(image_shape):
    """Returns the size in `STAGES` whose layers images of a shape have: see `ganlib.networks.shapes.size_of`."""
    return shapes.size_of(image_shape, STAGES, "dcgan")


def widths(size, width):
    """Returns the channels of each stage, from the finest resolution to the coarsest. They double up to 8 times the width."""
    return [width * min(2**stage, 8) for stage in range(STAGES[size])]


def initializer():
    """Returns the initializer of all weights except embeddings."""
    return keras.initializers.RandomNormal(stddev=0.02)


def latent_stage(image_shape, size, width, normalization):
    """Returns the layers from latents to feature maps of the lowest resolution."""
    start = (*shapes.lowest(image_shape, STAGES[size]), widths(size, width)[-1])
    return [
        keras.layers.Dense(math.prod(start), use_bias=not normalization, kernel_initializer=initializer()),
        keras.layers.Reshape(start),
        layers.normalization(normalization),
        keras.layers.ReLU(),
    ]


def upsampling_stage(filters, normalization):
    """Returns the layers of a generator stage, which doubles the resolution."""
    return [_transposed_conv(filters, not normalization), layers.normalization(normalization), keras.layers.ReLU()]


def image_layer(channels):
    """Returns the last layer of the generator, which doubles the resolution to that of the images."""
    return _transposed_conv(channels, use_bias=True, activation="tanh")


def _transposed_conv(filters, use_bias, activation=None):
    return keras.layers.Conv2DTranspose(
        filters, 4, strides=2, padding="same", use_bias=use_bias, activation=activation, kernel_initializer=initializer()
    )


def downsampling_stage(filters, normalization, spectral_norm):
    """Returns the layers of a discriminator stage, which halves the resolution."""
    return [
        layers.conv(filters, 4, spectral_norm, strides=2, use_bias=not normalization, kernel_initializer=initializer()),
        layers.normalization(normalization),
        keras.layers.LeakyReLU(0.2),
    ]


@register
class Generator(base.Generator):
    """Latents -> a dense layer -> transposed convolutions that double the resolution -> images.

    A conditional generator concatenates the latents with an embedding of the label.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        latent_dim: The dimension of the latents. Defaults to 128.
        width: The number of channels at half the image resolution. It doubles at each coarser resolution, up to 8 times.
            Defaults to 64.
        num_classes: The number of classes, or None. Defaults to None.
        normalization: ``"batch"``, ``"sync_batch"`` or None. Defaults to ``"batch"``.

    Raises:
        UserError: If the image size is not supported.

    Examples:
        >>> import numpy as np
        >>> from ganlib.networks import dcgan
        >>> generator = dcgan.Generator(image_shape=(32, 32, 3), latent_dim=128, width=64)
        >>> generator(np.zeros((2, 128), "float32")).shape
        TensorShape([2, 32, 32, 3])
    """

    def __init__(self, image_shape=(32, 32, 3), latent_dim=128, width=64, num_classes=None, normalization="batch", **kwargs):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        size = size_of(self.image_shape)
        self.width, self.normalization = width, normalization
        stack = latent_stage(self.image_shape, size, width, normalization)
        for filters in widths(size, width)[-2::-1]:
            stack += upsampling_stage(filters, normalization)
        self.body = keras.Sequential([*stack, image_layer(self.image_shape[2])], name="body")
        self.build()

    def get_config(self):
        return {**super().get_config(), "width": self.width, "normalization": self.normalization}


@register
class Discriminator(base.Discriminator):
    """Images -> strided convolutions with leaky ReLU -> features (the flattened last feature maps) -> logits.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        width: The number of channels at half the image resolution. It doubles at each coarser resolution, up to 8 times.
            Defaults to 64.
        num_classes: The number of classes, or None. Defaults to None.
        normalization: ``"batch"``, ``"sync_batch"`` or None, after every convolution except the first. The paper uses
            ``"batch"``; use None with a gradient penalty, which is defined per image. Defaults to ``"batch"``.
        spectral_norm: Whether to normalize every weight by its spectral norm. Defaults to False.
        dropout: The dropout rate of the features. Defaults to 0.0.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        width=64,
        num_classes=None,
        normalization="batch",
        spectral_norm=False,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, spectral_norm, **kwargs)
        size = size_of(self.image_shape)
        self.width, self.normalization, self.dropout = width, normalization, dropout
        stack = []
        for stage, filters in enumerate(widths(size, width)):
            stack += downsampling_stage(filters, normalization if stage > 0 else None, spectral_norm)
        stack += [keras.layers.Flatten(), keras.layers.Dropout(dropout)]
        self.body = keras.Sequential(stack, name="body")
        self.build()

    def get_config(self):
        return {**super().get_config(), "width": self.width, "normalization": self.normalization, "dropout": self.dropout}
