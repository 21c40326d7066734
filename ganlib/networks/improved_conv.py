"""The convolutional networks of "Improved techniques for training GANs" for CIFAR-10 and SVHN: Salimans et al. 2016
(arXiv:1606.03498), also used in Bad GAN (Dai et al. 2017, arXiv:1705.09783) and for manifold regularization.

The discriminator has nine weight-normalized convolutions with leaky ReLU and dropout, the generator three transposed
convolutions, as in the authors' code, and the encoder of Bad GAN three convolutions. Sizes other than 32x32 are ours.
"""

import math
import types

import keras

from ganlib import layers
from ganlib.errors import choose
from ganlib.layers.dtype_policy import policy
from ganlib.networks import base, encoder, shapes
from ganlib.networks.improved_mlp import SCALED, kernel_initializer, scaled_batch_norm, uniform

register = keras.saving.register_keras_serializable("ganlib.improved_conv")

STAGES = {16: 2, 28: 2, 32: 3}
"""Image size -> the number of times the generator doubles the resolution, starting from 4x4 or (for 28) 7x7. Other shapes have
the layers of one of these sizes: see `ganlib.networks.shapes`."""


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.05)


@register
class Generator(base.Generator):
    """Latents -> a dense layer -> transposed 5x5 convolutions with batch normalization and ReLU, the last one with weight
    normalization and tanh -> images.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        latent_dim: The dimension of the latents. Defaults to 100, as in the authors' code.
        width: The number of channels at half the image resolution. It doubles at each coarser resolution. The authors use 128.
            Defaults to 128.
        num_classes: The number of classes, or None. Defaults to None.
        uniform_latents: Whether the standard normal latents are mapped to ones that are uniform in [0, 1], as in the authors'
            code. Defaults to False.
        code: The code whose layers these are: ``"improved_gan"``, ``"bad_gan"``, in which batch normalization has scales and
            the initial weights are PyTorch's, or ``"ganlib_0.1"``, in which the dense layer has batch statistics of channels in
            place of units. The other codes have a weight-normalized last layer, with trained gains: `initialize` gives its
            outputs a standard deviation of 0.1, before the tanh. Defaults to ``"improved_gan"``.

    Raises:
        UserError: If the image size is not supported, or the code is unknown.
    """

    earlier_defaults = types.MappingProxyType({"code": "ganlib_0.1"})

    def __init__(
        self,
        image_shape=(32, 32, 3),
        latent_dim=100,
        width=128,
        num_classes=None,
        uniform_latents=False,
        code="improved_gan",
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        size = shapes.size_of(self.image_shape, STAGES, "improved_conv")
        self.width, self.uniform_latents, self.code = width, uniform_latents, code
        self._is_scaled = choose("code", code, SCALED)
        *finer, coarsest = [width * 2**stage for stage in range(STAGES[size])]
        start = (*shapes.lowest(self.image_shape, STAGES[size]), coarsest)
        initial = self._kernel_initializer(self.latent_dim * (2 if num_classes else 1))
        dense = keras.layers.Dense(math.prod(start), use_bias=False, kernel_initializer=initial)
        norm, reshape = self._norm_and_relu(), keras.layers.Reshape(start)
        stack = [dense, reshape, *norm] if code == "ganlib_0.1" else [dense, *norm, reshape]
        for filters in reversed(finer):
            initial = self._kernel_initializer(25 * 2 * filters)
            stack += [self._transposed_conv(filters, initial, use_bias=False), *self._norm_and_relu()]
        self.body = keras.Sequential([*stack, *self._last_layers()], name="body")
        self.build()

    def _last_layers(self):
        channels = self.image_shape[2]
        if self.code == "ganlib_0.1":
            return [self._transposed_conv(channels, _initializer(), activation="tanh")]
        last = layers.WeightNorm(self._transposed_conv(channels, _initializer()), trainable_gain=True, init_std=0.1)
        return [last, keras.layers.Activation("tanh")]

    def _transposed_conv(self, filters, initial, **kwargs):
        return keras.layers.Conv2DTranspose(filters, 5, strides=2, padding="same", kernel_initializer=initial, **kwargs)

    def _kernel_initializer(self, fan_in):
        return kernel_initializer(fan_in) if self._is_scaled else _initializer()

    def _norm_and_relu(self):
        epsilon = 1e-5 if self.code == "ganlib_0.1" else 1e-6
        return [
            scaled_batch_norm() if self._is_scaled else layers.batch_norm(scale=False, epsilon=epsilon),
            keras.layers.ReLU(),
        ]

    def prior(self, latents):
        return uniform(latents) if self.uniform_latents else latents

    def concat_label_embedding(self, latents, labels):
        """Concatenates latents, uniform ones with ``uniform_latents``, and label embeddings: see the base class."""
        return super().concat_label_embedding(self.prior(latents), labels)

    def get_config(self):
        names = ("width", "uniform_latents", "code")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@register
class Discriminator(base.Discriminator):
    """Images -> nine convolutions -> features (the mean or the maximum over positions) -> logits.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        width: The number of channels of the first three convolutions; the others have twice as many. The authors use 96 for
            CIFAR-10 and 64 for SVHN. Defaults to 96.
        dropout: The dropout rate after each resolution. The rate on the images is 0.4 times this. Defaults to 0.5.
        num_classes: The number of classes, or None. Defaults to None.
        pooling: ``"mean"`` or ``"max"``, the features' statistic over positions. The codes of manifold regularization
            (arXiv:1805.08957) use ``"max"``. Defaults to ``"mean"``.
        trainable_gains: Whether the gains of all convolutions are trained, as in these codes. Defaults to False.
        noise: The standard deviation of the noise on the images before dropout. Bad GAN's code uses 0.05. Defaults to 0.0.
        drops_channels: Whether dropout on the images drops whole channels, as in Bad GAN's code. Defaults to False.

    Raises:
        UserError: If the image size is not supported, or the pooling is unknown.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        width=96,
        dropout=0.5,
        num_classes=None,
        pooling="mean",
        trainable_gains=False,
        noise=0.0,
        drops_channels=False,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        shapes.size_of(self.image_shape, STAGES, "improved_conv")
        self.width, self.dropout, self.pooling, self.trainable_gains = width, dropout, pooling, trainable_gains
        self.noise, self.drops_channels = noise, drops_channels
        poolings = {"mean": keras.layers.GlobalAveragePooling2D, "max": keras.layers.GlobalMaxPooling2D}
        pool = choose("pooling", pooling, poolings)
        on_images = keras.layers.SpatialDropout2D if drops_channels else keras.layers.Dropout
        stack = [*([keras.layers.GaussianNoise(noise)] if noise else []), on_images(0.4 * dropout)]
        for filters in (width, 2 * width):
            stack += [*self._conv(filters, 3), *self._conv(filters, 3), *self._conv(filters, 3, strides=2)]
            stack.append(keras.layers.Dropout(dropout))
        stack += [*self._conv(2 * width, 3, padding="valid"), *self._conv(2 * width, 1), *self._conv(2 * width, 1)]
        self.body = keras.Sequential([*stack, pool()], name="body")
        self.build()

    def _conv(self, filters, kernel_size, strides=1, padding="same"):
        convolution = keras.layers.Conv2D(filters, kernel_size, strides, padding, kernel_initializer=_initializer())
        return [layers.WeightNorm(convolution, self.trainable_gains), keras.layers.LeakyReLU(0.2)]

    def class_head(self, num_classes):
        """Returns the last layer of a classifier: a dense layer with trainable gains."""
        with policy(self.dtype_policy):
            dense = keras.layers.Dense(num_classes, kernel_initializer=_initializer())
            return layers.WeightNorm(dense, trainable_gain=True, init_std=0.1, name="head")

    def get_config(self):
        names = ("width", "dropout", "pooling", "trainable_gains", "noise", "drops_channels")
        config = {**super().get_config(), **{name: getattr(self, name) for name in names}}
        del config["spectral_norm"]
        return config


@register
class Encoder(encoder.Encoder):
    """Images -> 5x5 convolutions that halve the resolution, with batch normalization and ReLU -> means and logarithms of
    standard deviations.

    It is the encoder of Bad GAN's code for CIFAR-10.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        latent_dim: The dimension of the latents. Defaults to 100.
        width: The number of channels at half the image resolution. It doubles at each coarser resolution. The authors use 128.
            Defaults to 128.

    Raises:
        UserError: If the image size is not supported.
    """

    def __init__(self, image_shape=(32, 32, 3), latent_dim=100, width=128, **kwargs):
        super().__init__(image_shape, latent_dim, **kwargs)
        size = shapes.size_of(self.image_shape, STAGES, "improved_conv")
        self.width, stack, fan_in = width, [], 25 * self.image_shape[2]
        for stage in range(STAGES[size]):
            filters, initial = width * 2**stage, kernel_initializer(fan_in)
            stack += [
                keras.layers.Conv2D(filters, 5, 2, "same", use_bias=False, kernel_initializer=initial),
                scaled_batch_norm(),
                keras.layers.ReLU(),
            ]
            fan_in = 25 * filters
        dense = keras.layers.Dense(2 * self.latent_dim, kernel_initializer=_initializer())
        last = layers.WeightNorm(dense, trainable_gain=True, init_std=0.1)
        self.body = keras.Sequential([*stack, keras.layers.Flatten(), last], name="body")
        self.build()

    def initialize(self, images):
        """Initializes the last layer: see `ganlib.layers.initialize_in_call`."""
        layers.initialize_in_call(self, images, training=True)

    def get_config(self):
        return {**super().get_config(), "width": self.width}
