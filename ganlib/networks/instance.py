"""Instance conditioning: Casanova et al. 2021, "Instance-conditioned GAN" (IC-GAN, arXiv:2109.05070). A generator that makes
images like a given one, told by its features, and a discriminator that is told them too and sees its neighbors as real.

Both stand on any unconditional network: features, embedded, are joined to the latents of the one and projected on the features
of the other.
"""

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.errors import UserError
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.instance")


@register
class Generator(layers.Composed, base.Generator):
    """Latents and the features of an instance -> images, by an unconditional generator.

    Args:
        network: the generator, whose latents are this one's and ``embedding_dim`` more.
        instance_dim: the number of features.
        num_instances: so many instances' features are kept, so that images can be made without a data set: see `keep`.
        embedding_dim: what the features are mapped to, linearly; the paper has 512.

    Raises:
        UserError: if the network takes labels, or has too few latents.
    """

    parts = ("network",)

    def __init__(self, network, instance_dim, num_instances=1000, embedding_dim=512, **kwargs):
        _check_unconditional(network)
        if network.latent_dim <= embedding_dim:
            raise UserError(f"latent_dim={network.latent_dim} leaves none beside embedding_dim={embedding_dim}: give it more")
        super().__init__(network.image_shape, network.latent_dim - embedding_dim, **kwargs)
        self.network, self.instance_dim, self.num_instances = network, instance_dim, num_instances
        self.embedding_dim = embedding_dim
        self.truncates_styles, self.num_scales = network.truncates_styles, network.num_scales
        self.embedding = keras.layers.Dense(embedding_dim, name="embedding")
        self.instances = self.add_weight(
            name="instances", shape=(num_instances, instance_dim), initializer="zeros", trainable=False, autocast=False
        )
        self.build()

    @property
    def condition_spec(self):
        return (self.instance_dim,), "float32"

    @property
    def num_conditions(self):
        return self.num_instances

    def set_instances(self, features):
        """Takes ``(num_instances, instance_dim)`` features, of which images are made where no others are given."""
        self.instances.assign(unit_length(features))

    def labels_for(self, count, labels=None):
        """``(count, instance_dim)`` float32 features: given ones, or those kept, each in turn or of ``(count,)`` numbers."""
        labels = np.arange(count) % self.num_instances if labels is None else np.asarray(labels)
        if labels.ndim < 2 and labels.dtype.kind in "iu":
            numbers = np.broadcast_to(labels, (count,))
            if count and not (0 <= numbers.min() and numbers.max() < self.num_instances):
                raise UserError(f"instances are from 0 to {self.num_instances - 1}, got {numbers.min()} to {numbers.max()}")
            return ops.convert_to_numpy(self.instances)[numbers]
        if labels.shape[-1] != self.instance_dim:
            raise UserError(f"features must be (n, {self.instance_dim}), got {labels.shape}")
        return np.broadcast_to(unit_length(labels), (count, self.instance_dim))

    def sample_noise(self, count, rng):
        return self.network.sample_noise(count, rng)

    def latent_maps(self):
        return [kernel[: self.latent_dim] for kernel in self.network.latent_maps()]

    def call(self, latents, labels, training=False, **draws):
        """``(n, latent_dim)`` latents and ``(n, instance_dim)`` features of length 1 -> ``(n, *image_shape)`` images."""
        embedded = ops.cast(self.embedding(labels), latents.dtype)
        return self.network(ops.concatenate([latents, embedded], axis=-1), training=training, **draws)

    def get_config(self):
        own = {"instance_dim": self.instance_dim, "num_instances": self.num_instances, "embedding_dim": self.embedding_dim}
        return {**_of_model(self), **self.config_of_parts(), **own}


@register
class Discriminator(layers.Composed, base.Discriminator):
    """Images and the features of an instance -> logits: those of an unconditional discriminator, and the inner product of its
    features with the instance's, embedded and mapped linearly.

    Without the embedding the map would be a matrix of both numbers of features: where both are flattened maps, its optimizer
    took longer than all else.

    Args:
        network: the discriminator.
        instance_dim: the number of features of an instance.
        embedding_dim: what they are first mapped to, linearly; the paper's features are so few that it needs no such step.

    Raises:
        UserError: if the network takes labels.
    """

    parts = ("network",)

    def __init__(self, network, instance_dim, embedding_dim=512, **kwargs):
        _check_unconditional(network)
        super().__init__(network.image_shape, **kwargs)
        self.network, self.instance_dim, self.embedding_dim, self.body = network, instance_dim, embedding_dim, network.body
        self.num_scales = network.num_scales
        self.build()

    @property
    def condition_spec(self):
        return (self.instance_dim,), "float32"

    def _build_heads(self, features_shape):
        self.embedding = keras.layers.Dense(self.embedding_dim, use_bias=False, name="embedding")
        self.projection = keras.layers.Dense(features_shape[-1], use_bias=False, name="projection")

    def prepare_real_images(self, images):
        return self.network.prepare_real_images(images)

    def features(self, images, training=False):
        return self.network.features(images, training=training)

    def logits(self, features, labels, training=False):
        """``(n, num_features)`` features and those of the instance, ``(n, instance_dim)`` -> ``(n,)`` float32 logits."""
        own = self.network.logits(features, training=training)
        return own + ops.cast(ops.sum(self.projection(self.embedding(labels)) * features, axis=-1), "float32")

    def get_config(self):
        own = {"instance_dim": self.instance_dim, "embedding_dim": self.embedding_dim}
        return {**_of_model(self), **self.config_of_parts(), **own}


def unit_length(features):
    """``(n, F)`` features, each vector divided by its length, as the paper has them: float32 numpy."""
    features = np.asarray(features, np.float32)
    return features / np.maximum(np.linalg.norm(features, axis=-1, keepdims=True), 1e-8)


def _of_model(network):
    """The configuration that every Keras model has."""
    return {key: value for key, value in keras.Model.get_config(network).items() if key in ("name", "trainable", "dtype")}


def _check_unconditional(network):
    if network.condition_spec is not None:
        raise UserError("instance conditioning stands on a network without labels: leave num_classes out")
