"""DCGAN: Radford et al. 2016, "Unsupervised representation learning with deep convolutional GANs" (arXiv:1511.06434).

Strided convolutions of 4x4, batch normalization, ReLU in the generator and leaky ReLU in the discriminator, weights
from a normal distribution of deviation 0.02. The paper's 64x64 network has width 128; its kernels are 5x5.
"""

import keras

from ganlib import layers
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.dcgan")

STAGES = {8: 2, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5}
"""Image size -> how many times the generator doubles its resolution, from 2x2, 4x4 or (for 28) 7x7."""


def widths(size, width):
    """Channels of each stage, from the finest resolution to the coarsest: they double up to 8 times the width."""
    return [width * min(2**stage, 8) for stage in range(STAGES[size])]


def initializer():
    """Of all weights but embeddings."""
    return keras.initializers.RandomNormal(stddev=0.02)


def first_maps(size, width, normalization):
    """Layers from latents to maps of the lowest resolution."""
    start, coarsest = size >> STAGES[size], widths(size, width)[-1]
    return [
        keras.layers.Dense(start * start * coarsest, use_bias=not normalization, kernel_initializer=initializer()),
        keras.layers.Reshape((start, start, coarsest)),
        layers.normalization(normalization),
        keras.layers.ReLU(),
    ]


def doubled(filters, normalization):
    """Layers that double the resolution."""
    return [_transposed(filters, not normalization), layers.normalization(normalization), keras.layers.ReLU()]


def to_images(channels):
    """The layer that doubles the resolution to that of the images."""
    return _transposed(channels, use_bias=True, activation="tanh")


def _transposed(filters, use_bias, activation=None):
    return keras.layers.Conv2DTranspose(
        filters, 4, strides=2, padding="same", use_bias=use_bias, activation=activation, kernel_initializer=initializer()
    )


def halved(filters, normalization, spectral_norm):
    """Layers that halve the resolution."""
    return [
        layers.conv(filters, 4, spectral_norm, strides=2, use_bias=not normalization, kernel_initializer=initializer()),
        layers.normalization(normalization),
        keras.layers.LeakyReLU(0.2),
    ]


@register
class Generator(base.Generator):
    """Latents -> a dense layer -> transposed convolutions that double the resolution -> images.

    Labels, when there are classes, are embedded and joined to the latents.

    Args:
        image_shape: ``(size, size, channels)`` with size 8, 16, 28, 32, 64 or 128.
        latent_dim: the number of latents.
        width: channels at half the image's resolution; they double at each coarser one, up to 8 times.
        num_classes: the number of classes, or None.
        normalization: ``"batch"``, ``"sync_batch"`` or None.

    Raises:
        UserError: for an image size that it cannot make.

    Examples:
        >>> import numpy as np
        >>> from ganlib.networks import dcgan
        >>> generator = dcgan.Generator(image_shape=(32, 32, 3), latent_dim=128, width=64)
        >>> generator(np.zeros((2, 128), "float32")).shape
        TensorShape([2, 32, 32, 3])
    """

    def __init__(self, image_shape=(32, 32, 3), latent_dim=128, width=64, num_classes=None, normalization="batch",
                 **kwargs):  # fmt: skip
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "dcgan")
        self.width, self.normalization = width, normalization
        size, _, channels = self.image_shape
        stack = first_maps(size, width, normalization)
        for filters in widths(size, width)[-2::-1]:
            stack += doubled(filters, normalization)
        self.body = keras.Sequential([*stack, to_images(channels)], name="body")
        self.build()

    def get_config(self):
        return {**super().get_config(), "width": self.width, "normalization": self.normalization}


@register
class Discriminator(base.Discriminator):
    """Images -> strided convolutions with leaky ReLU -> features (the flattened last maps) -> logits.

    Args:
        image_shape: ``(size, size, channels)`` with size 8, 16, 28, 32, 64 or 128.
        width: channels at half the image's resolution; they double at each coarser one, up to 8 times.
        num_classes: the number of classes, or None.
        normalization: ``"batch"``, ``"sync_batch"`` or None, after every convolution but the first. The paper has
            ``"batch"``; with a gradient penalty take None, since the penalty is defined image by image.
        spectral_norm: normalize every weight by its spectral norm.
        dropout: the rate at which features are dropped in training.
    """

    def __init__(self, image_shape=(32, 32, 3), width=64, num_classes=None, normalization="batch", spectral_norm=False,
                 dropout=0.0, **kwargs):  # fmt: skip
        super().__init__(image_shape, num_classes, spectral_norm, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "dcgan")
        self.width, self.normalization, self.dropout = width, normalization, dropout
        stack = []
        for stage, filters in enumerate(widths(self.image_shape[0], width)):
            stack += halved(filters, normalization if stage > 0 else None, spectral_norm)
        stack += [keras.layers.Flatten(), keras.layers.Dropout(dropout)]
        self.body = keras.Sequential(stack, name="body")
        self.build()

    def get_config(self):
        return {**super().get_config(), "width": self.width, "normalization": self.normalization, "dropout": self.dropout}
