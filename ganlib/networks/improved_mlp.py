"""The perceptrons of "Improved techniques for training GANs" for MNIST: Salimans et al. 2016 (arXiv:1606.03498), and those of
Bad GAN (Dai et al. 2017, arXiv:1705.09783), which has the same layers.

Weight normalization, Gaussian noise before every layer of the discriminator, softplus in the generator, as in the authors'
code. Their images are in [0, 1] and ours in [-1, 1], so the noise on the images is twice as large here.
"""

import math

import keras
from keras import ops

from ganlib import layers
from ganlib.errors import choose
from ganlib.layers import initializers
from ganlib.layers.dtype_policy import policy
from ganlib.networks import base, encoder

register = keras.saving.register_keras_serializable("ganlib.improved_mlp")

WIDTHS = (1000, 500, 250, 250, 250)

SCALED = {"improved_gan": False, "bad_gan": True}
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


def softplus_layers(width):
    """Returns the hidden layers of the generator, a list: two dense layers with batch normalization and softplus."""
    hidden = []
    for _ in range(2):
        hidden += [keras.layers.Dense(width, use_bias=False), layers.batch_norm(scale=False)]
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
        code: ``"improved_gan"``, or ``"bad_gan"`` for the form of Bad GAN's code: batch normalization has scales, the pixels
            are a sigmoid of the last layer instead of a tanh, and the initial weights are PyTorch's. Defaults to
            ``"improved_gan"``.

    Raises:
        UserError: If the code is unknown.
    """

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
        if choose("code", code, SCALED):
            hidden = scaled_softplus_layers(latent_dim * (2 if num_classes else 1), width)
            dense = keras.layers.Dense(math.prod(self.image_shape), kernel_initializer=_initializer())
            activation = [keras.layers.Rescaling(0.5), keras.layers.Activation("tanh")]  # a sigmoid, from [0, 1] to [-1, 1]
        else:
            hidden, dense = softplus_layers(width), keras.layers.Dense(math.prod(self.image_shape))
            activation = [keras.layers.Activation("tanh")]
        pixels = layers.WeightNorm(dense, trainable_gain=True)
        self.body = keras.Sequential([*hidden, pixels, *activation, keras.layers.Reshape(self.image_shape)], name="body")
        self.build()

    def prior(self, latents):
        return uniform(latents) if self.uniform_latents else latents

    def call(self, latents, labels=None, training=False):
        """Generates images: ``(n, latent_dim)`` latents and ``(n,)`` labels -> ``(n, *image_shape)`` float32 in ``[-1, 1]``."""
        return super().call(self.prior(latents), labels, training)

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
        noise: The standard deviation of the noise before every layer except the first, where it is 1.2 times as large. Defaults
            to 0.5.
        num_classes: The number of classes, or None. Defaults to None.
    """

    def __init__(self, image_shape=(28, 28, 1), width=1000, noise=0.5, num_classes=None, **kwargs):
        super().__init__(image_shape, num_classes, **kwargs)
        self.width, self.noise = width, noise
        stack = [keras.layers.Flatten()]
        for index, units in enumerate(WIDTHS):
            stack += [
                keras.layers.GaussianNoise(noise if index else 1.2 * noise),
                layers.WeightNorm(keras.layers.Dense(max(1, units * width // WIDTHS[0]), kernel_initializer=_initializer())),
                keras.layers.ReLU(),
            ]
        self.body = keras.Sequential(stack, name="body")
        self.build()

    def class_head(self, num_classes):
        """Returns the last layers of a classifier: noise, then a dense layer with trainable gains."""
        return noisy_head(num_classes, self.noise, self.dtype_policy, _initializer())

    def get_config(self):
        config = {**super().get_config(), "width": self.width, "noise": self.noise}
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
