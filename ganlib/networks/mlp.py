"""Multilayer perceptrons, as in the first GAN: Goodfellow et al. 2014, "Generative adversarial nets" (arXiv:1406.2661).

They support images of any size and are the smallest networks here, for tests and for MNIST.
"""

import math

import keras

from ganlib import layers
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.mlp")


@register
class Generator(base.Generator):
    """Latents -> dense layers with ReLU -> images.

    A conditional generator concatenates the latents with an embedding of the label.

    Args:
        image_shape: ``(height, width, channels)`` of any size. Defaults to ``(28, 28, 1)``.
        latent_dim: The dimension of the latents. Defaults to 100.
        width: The number of units in each hidden layer. Defaults to 512.
        depth: The number of hidden layers. Defaults to 2.
        num_classes: The number of classes, or None. Defaults to None.
        normalization: ``"batch"``, ``"sync_batch"`` or None, after each hidden layer. Defaults to ``"batch"``.

    Examples:
        >>> import numpy as np
        >>> from ganlib.networks import mlp
        >>> generator = mlp.Generator(image_shape=(8, 8, 1), latent_dim=16, width=32)
        >>> generator(np.zeros((4, 16), "float32")).shape
        TensorShape([4, 8, 8, 1])
    """

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=100, width=512, depth=2, num_classes=None, normalization="batch", **kwargs
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        self.width, self.depth, self.normalization = width, depth, normalization
        hidden = []
        for _ in range(depth):
            hidden += [keras.layers.Dense(width), layers.normalization(normalization), keras.layers.ReLU()]
        output = keras.layers.Dense(math.prod(self.image_shape), activation="tanh")
        self.body = keras.Sequential([*hidden, output, keras.layers.Reshape(self.image_shape)], name="body")
        self.build()

    def get_config(self):
        config = {"width": self.width, "depth": self.depth, "normalization": self.normalization}
        return {**super().get_config(), **config}


@register
class Discriminator(base.Discriminator):
    """Images -> dense layers with leaky ReLU -> features -> logits.

    Args:
        image_shape: ``(height, width, channels)`` of any size. Defaults to ``(28, 28, 1)``.
        width: The number of units in each hidden layer, and of features. Defaults to 512.
        depth: The number of hidden layers. Defaults to 2.
        num_classes: The number of classes, or None. Defaults to None.
        spectral_norm: Whether to normalize every weight by its spectral norm. Defaults to False.
    """

    def __init__(self, image_shape=(28, 28, 1), width=512, depth=2, num_classes=None, spectral_norm=False, **kwargs):
        super().__init__(image_shape, num_classes, spectral_norm, **kwargs)
        self.width, self.depth = width, depth
        hidden = []
        for _ in range(depth):
            hidden += [layers.dense(width, spectral_norm=spectral_norm), keras.layers.LeakyReLU(0.2)]
        self.body = keras.Sequential([keras.layers.Flatten(), *hidden], name="body")
        self.build()

    def get_config(self):
        return {**super().get_config(), "width": self.width, "depth": self.depth}
