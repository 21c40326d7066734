"""The perceptrons of "Improved techniques for training GANs" for MNIST: Salimans et al. 2016 (arXiv:1606.03498).

Weight normalization, Gaussian noise before every layer of the discriminator, softplus in the generator, as in the authors'
code. As there, the layers compute with images in [0, 1]: the discriminator first maps images to this range, and the generator
maps them from it at the end.
"""

import math
import types

import keras
from keras import ops

from ganlib import layers
from ganlib.layers.dtype_policy import policy
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.improved_mlp")

WIDTHS = (1000, 500, 250, 250, 250)


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


def softplus_layers(width, epsilon=1e-5):
    """Returns the hidden layers of the generator, a list: two dense layers with batch normalization, whose ``epsilon`` is 1e-5
    by default, and softplus."""
    hidden = []
    for _ in range(2):
        hidden += [keras.layers.Dense(width, use_bias=False), layers.batch_norm(scale=False, epsilon=epsilon)]
        hidden.append(keras.layers.Activation("softplus"))
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
        faithful: Whether the layers are those of the authors' code, with a sigmoid at the end, whose values are mapped to
            [-1, 1]. False gives the network of ganlib 0.1, with a tanh, which is twice as steep. Defaults to True.
    """

    earlier_defaults = types.MappingProxyType({"faithful": False})

    def __init__(
        self,
        image_shape=(28, 28, 1),
        latent_dim=100,
        width=500,
        num_classes=None,
        uniform_latents=False,
        faithful=True,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        self.width, self.uniform_latents, self.faithful = width, uniform_latents, faithful
        pixels = layers.WeightNorm(keras.layers.Dense(math.prod(self.image_shape)), trainable_gain=True, init_std=None)
        if faithful:
            stack = [*softplus_layers(width, epsilon=1e-6), pixels]
            stack += [keras.layers.Activation("sigmoid"), keras.layers.Rescaling(2.0, -1.0)]
        else:
            stack = [*softplus_layers(width), pixels, keras.layers.Activation("tanh")]
        self.body = keras.Sequential([*stack, keras.layers.Reshape(self.image_shape)], name="body")
        self.build()

    def concat_label_embedding(self, latents, labels):
        """Concatenates latents, uniform ones with ``uniform_latents``, and label embeddings: see the base class."""
        return super().concat_label_embedding(uniform(latents) if self.uniform_latents else latents, labels)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("width", "uniform_latents", "faithful")}
        return {**super().get_config(), **own}


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
