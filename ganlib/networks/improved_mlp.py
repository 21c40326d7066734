"""The perceptrons of "Improved techniques for training GANs" for MNIST: Salimans et al. 2016 (arXiv:1606.03498), and those of
Bad GAN (Dai et al. 2017, arXiv:1705.09783), which has the same layers.

Weight normalization, Gaussian noise before every layer of the discriminator, softplus in the generator, as in the authors'
code. As there, the layers compute with images in [0, 1]: the discriminator first maps images to this range, and the generator
maps them from it at the end.
"""

import math
import types

import keras
from keras import ops

from ganlib import layers
from ganlib.errors import choose
from ganlib.layers import initializers
from ganlib.layers.dtype_policy import policy
from ganlib.networks import base, encoder

register = keras.saving.register_keras_serializable("ganlib.improved_mlp")

WIDTHS = (1000, 500, 250, 250, 250)

SCALED = {"improved_gan": False, "bad_gan": True, "ganlib_0.1": False}
"""Code of the authors -> whether its batch normalization has trainable scales."""


def uniform(latents):
    """Maps standard normal latents to latents that are uniform in [0, 1]: ``(n, latent_dim)`` -> ``(n, latent_dim)`` float32.

    This is their cumulative distribution, computed by a function that every export format has, with an error of at most 2e-4:
    Bowling et al. 2009, "A logistic approximation to the cumulative normal distribution".
    """
    x = ops.cast(latents, "float32")
    return ops.sigmoid(1.5976 * x + 0.07056 * x**3)


def _initializer():
    """N(0, 0.1) as in the authors' code: weight normalization ignores the length, but the angle of a step depends on it."""
    return keras.initializers.RandomNormal(stddev=0.1)


def kernel_initializer(fan_in):
    """Returns the initializer of PyTorch, in which Bad GAN's code is written, for kernels of a number of inputs."""
    return initializers.uniform(fan_in)["kernel_initializer"]


def scaled_batch_norm():
    """Returns the batch normalization of Bad GAN's code: its scales are uniform in [0, 1] at first, as in PyTorch then."""
    return layers.batch_norm(gamma_initializer=keras.initializers.RandomUniform(0.0, 1.0))


def softplus_layers(width, epsilon=1e-5):
    """Returns the hidden layers of the generator, a list: two dense layers with batch normalization, whose ``epsilon`` is 1e-5
    by default, and softplus."""
    hidden = []
    for _ in range(2):
        hidden += [keras.layers.Dense(width, use_bias=False), layers.batch_norm(scale=False, epsilon=epsilon)]
        hidden.append(keras.layers.Activation("softplus"))
    return hidden


def scaled_softplus_layers(num_inputs, width):
    """Returns the hidden layers of Bad GAN's code: those of `softplus_layers` with other initial weights, and scales."""
    hidden = []
    for fan_in in (num_inputs, width):
        dense = keras.layers.Dense(width, use_bias=False, kernel_initializer=kernel_initializer(fan_in))
        hidden += [dense, scaled_batch_norm(), keras.layers.Activation("softplus")]
    return hidden


def noisy_head(num_classes, noise, dtype_policy, initializer="glorot_uniform"):
    """Returns the last layers of a classifier: noise, then a dense layer with trainable gains."""
    with policy(dtype_policy):
        dense = layers.WeightNorm(keras.layers.Dense(num_classes, kernel_initializer=initializer), trainable_gain=True)
        return keras.Sequential([keras.layers.GaussianNoise(noise), dense], name="head")


@register
class Generator(base.Generator):
    """Latents -> two dense layers with batch normalization and softplus -> images.

    Args:
        image_shape: ``(height, width, channels)`` of any size. Defaults to ``(28, 28, 1)``.
        latent_dim: The dimension of the latents. Defaults to 100, as in the authors' code.
        width: The number of units in each hidden layer; the authors use 500. Defaults to 500.
        num_classes: The number of classes, or None. Defaults to None.
        uniform_latents: Whether the standard normal latents are mapped to ones that are uniform in [0, 1], as in the authors'
            code. Defaults to False.
        code: The code whose layers these are: ``"improved_gan"``, ``"bad_gan"``, in which batch normalization has scales and
            the initial weights are PyTorch's, or ``"ganlib_0.1"``, with a tanh in place of the sigmoid, which is twice as
            steep. Defaults to ``"improved_gan"``.

    Raises:
        UserError: If the code is unknown.
    """

    earlier_defaults = types.MappingProxyType({"code": "ganlib_0.1"})

    def __init__(
        self,
        image_shape=(28, 28, 1),
        latent_dim=100,
        width=500,
        num_classes=None,
        uniform_latents=False,
        code="improved_gan",
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        self.width, self.uniform_latents, self.code = width, uniform_latents, code
        units = math.prod(self.image_shape)
        if choose("code", code, SCALED):
            hidden = scaled_softplus_layers(latent_dim * (2 if num_classes else 1), width)
            dense = keras.layers.Dense(units, kernel_initializer=_initializer())
        else:
            hidden = softplus_layers(width, epsilon=1e-5 if code == "ganlib_0.1" else 1e-6)
            dense = keras.layers.Dense(units)
        pixels = layers.WeightNorm(dense, trainable_gain=True, init_std=None)
        sigmoid = [keras.layers.Activation("sigmoid"), keras.layers.Rescaling(2.0, -1.0)]
        activation = [keras.layers.Activation("tanh")] if code == "ganlib_0.1" else sigmoid
        self.body = keras.Sequential([*hidden, pixels, *activation, keras.layers.Reshape(self.image_shape)], name="body")
        self.build()

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
    """Images -> five dense layers with ReLU, each preceded by noise -> features -> logits.

    Args:
        image_shape: ``(height, width, channels)`` of any size. Defaults to ``(28, 28, 1)``.
        width: The number of units in the first layer; the others have a half and a quarter of it. The authors use 1,000.
            Defaults to 1000.
        noise: The standard deviation of the noise before every layer except the first, where it is 0.6 times as large, on
            images in [0, 1]. Defaults to 0.5.
        num_classes: The number of classes, or None. Defaults to None.
        faithful: Whether images are mapped to [0, 1] before the first layer, as in the authors' code, so that black pixels are
            0. False gives the network of ganlib 0.1, with images in [-1, 1] and the same noise. Defaults to True.
    """

    earlier_defaults = types.MappingProxyType({"faithful": False})

    def __init__(self, image_shape=(28, 28, 1), width=1000, noise=0.5, num_classes=None, faithful=True, **kwargs):
        super().__init__(image_shape, num_classes, **kwargs)
        self.width, self.noise, self.faithful = width, noise, faithful
        stack = [keras.layers.Flatten(), *([keras.layers.Rescaling(0.5, 0.5)] if faithful else [])]
        for index, units in enumerate(WIDTHS):
            stack += [
                keras.layers.GaussianNoise(noise if index else (0.6 if faithful else 1.2) * noise),
                layers.WeightNorm(keras.layers.Dense(max(1, units * width // WIDTHS[0]), kernel_initializer=_initializer())),
                keras.layers.ReLU(),
            ]
        self.body = keras.Sequential(stack, name="body")
        self.build()

    def class_head(self, num_classes):
        """Returns the last layers of a classifier: noise, then a dense layer with trainable gains."""
        return noisy_head(num_classes, self.noise, self.dtype_policy, _initializer())

    def get_config(self):
        config = {**super().get_config(), "width": self.width, "noise": self.noise, "faithful": self.faithful}
        del config["spectral_norm"]
        return config


@register
class Encoder(encoder.Encoder):
    """Images -> two dense layers with batch normalization and softplus -> means and logarithms of standard deviations.

    It is the encoder of Bad GAN's code for MNIST, which its experiments do not use.

    Args:
        image_shape: ``(height, width, channels)`` of any size. Defaults to ``(28, 28, 1)``.
        latent_dim: The dimension of the latents. Defaults to 100.
        width: The number of units in each hidden layer; the authors use 500. Defaults to 500.
    """

    def __init__(self, image_shape=(28, 28, 1), latent_dim=100, width=500, **kwargs):
        super().__init__(image_shape, latent_dim, **kwargs)
        self.width = width
        hidden = scaled_softplus_layers(math.prod(self.image_shape), width)
        dense = layers.WeightNorm(keras.layers.Dense(2 * latent_dim, kernel_initializer=_initializer()), trainable_gain=True)
        self.body = keras.Sequential([keras.layers.Flatten(), *hidden, dense], name="body")
        self.build()

    def get_config(self):
        return {**super().get_config(), "width": self.width}
