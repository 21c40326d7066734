"""The convolutional pair of "Improved techniques for training GANs" for CIFAR-10 and SVHN: Salimans et al. 2016
(arXiv:1606.03498), also that of Bad GAN (Dai et al. 2017, arXiv:1705.09783) and of manifold regularization.

Nine weight-normalized convolutions with leaky ReLU and dropout against three transposed convolutions. After the
authors' code; other sizes than 32x32 are ours.
"""

import keras

from ganlib import layers
from ganlib.layers.dtype_policy import policy
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.improved_conv")

STAGES = {16: 2, 28: 2, 32: 3}
"""Image size -> how many times the generator doubles its resolution, from 4x4 or (for 28) 7x7."""


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.05)


@register
class Generator(base.Generator):
    """Latents -> a dense layer -> transposed 5x5 convolutions with batch norm and ReLU -> images.

    Args:
        image_shape: ``(size, size, channels)`` with size 16, 28 or 32.
        latent_dim: the number of latents; the authors have 100, uniform in [0, 1].
        width: channels at half the image's resolution; they double at each coarser one. The authors have 128.
        num_classes: the number of classes, or None.

    Raises:
        UserError: for an image size that it cannot make.
    """

    def __init__(self, image_shape=(32, 32, 3), latent_dim=100, width=128, num_classes=None, **kwargs):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "improved_conv")
        self.width = width
        size, _, channels = self.image_shape
        *finer, coarsest = [width * 2**stage for stage in range(STAGES[size])]
        start = size >> STAGES[size]
        stack = [
            keras.layers.Dense(start * start * coarsest, use_bias=False, kernel_initializer=_initializer()),
            keras.layers.Reshape((start, start, coarsest)),
            *self._activated(),
        ]
        for filters in reversed(finer):
            stack += [self._double(filters, use_bias=False), *self._activated()]
        self.body = keras.Sequential([*stack, self._double(channels, activation="tanh")], name="body")
        self.build()

    def _double(self, filters, **kwargs):
        return keras.layers.Conv2DTranspose(filters, 5, strides=2, padding="same", kernel_initializer=_initializer(), **kwargs)

    def _activated(self):
        return [layers.batch_norm(scale=False), keras.layers.ReLU()]

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@register
class Discriminator(base.Discriminator):
    """Images -> nine convolutions -> features (the mean over positions) -> logits.

    Args:
        image_shape: ``(size, size, channels)`` with size 16, 28 or 32.
        width: channels of the first three convolutions; the others have twice as many. The authors have 96.
        dropout: the rate after each resolution; on the images it is 0.4 times it.
        num_classes: the number of classes, or None.
    """

    def __init__(self, image_shape=(32, 32, 3), width=96, dropout=0.5, num_classes=None, **kwargs):
        super().__init__(image_shape, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "improved_conv")
        self.width, self.dropout = width, dropout
        stack = [keras.layers.Dropout(0.4 * dropout)]
        for filters in (width, 2 * width):
            stack += [*self._conv(filters, 3), *self._conv(filters, 3), *self._conv(filters, 3, strides=2)]
            stack.append(keras.layers.Dropout(dropout))
        stack += [*self._conv(2 * width, 3, padding="valid"), *self._conv(2 * width, 1), *self._conv(2 * width, 1)]
        self.body = keras.Sequential([*stack, keras.layers.GlobalAveragePooling2D()], name="body")
        self.build()

    def _conv(self, filters, kernel_size, strides=1, padding="same"):
        convolution = keras.layers.Conv2D(filters, kernel_size, strides, padding, kernel_initializer=_initializer())
        return [layers.WeightNorm(convolution), keras.layers.LeakyReLU(0.2)]

    def class_head(self, num_classes):
        """The last layer of a classifier: a dense layer whose gains are learned."""
        with policy(self.dtype_policy):
            return layers.WeightNorm(keras.layers.Dense(num_classes), trainable_gain=True, name="head")

    def get_config(self):
        config = {**super().get_config(), "width": self.width, "dropout": self.dropout}
        del config["spectral_norm"]
        return config
