"""Instance conditioning: Casanova et al. 2021, "Instance-conditioned GAN" (IC-GAN, arXiv:2109.05070).

The generator is conditioned on the features of an image (the instance) and generates similar images. The discriminator is
also conditioned on them, and receives the instance's neighbors as real images. Both wrap another network. The generator passes
the embedded features to a network that takes conditioning vectors, such as BigGAN's with ``condition_dim``, as the authors do,
and concatenates them with the latents of other networks. The discriminator projects them on its features.
"""

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.errors import UserError
from ganlib.layers import initializers
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.instance")


@register
class Generator(layers.Composed, base.Generator):
    """Latents and the features of an instance -> images, using another generator.

    Args:
        network: A generator conditioned on vectors of ``embedding_dim`` numbers, or an unconditional generator, whose latents
            are this generator's and ``embedding_dim`` more.
        instance_dim: The number of features of an instance.
        num_instances: The number of instances whose features are stored, so that images can be generated without a dataset: see
            `set_instances`. Defaults to 1000.
        embedding_dim: The dimension to which features are mapped linearly; the paper uses 512. Defaults to 512.

    Raises:
        UserError: If the network is conditioned on labels or on other vectors, or has too few latents.
    """

    parts = ("network",)

    def __init__(self, network, instance_dim, num_instances=1000, embedding_dim=512, **kwargs):
        takes_vectors = bool(getattr(network, "condition_dim", None))
        if takes_vectors and network.condition_dim != embedding_dim:
            raise UserError(
                f"the generator is conditioned on vectors of condition_dim={network.condition_dim} numbers, but "
                f"embedding_dim is {embedding_dim}: make them equal"
            )
        if not takes_vectors:
            _check_unconditional(network)
            if network.latent_dim <= embedding_dim:
                raise UserError(
                    f"embedding_dim={embedding_dim} leaves no latents: set latent_dim above it, got {network.latent_dim}"
                )
        super().__init__(network.image_shape, network.latent_dim - (0 if takes_vectors else embedding_dim), **kwargs)
        self._takes_vectors = takes_vectors
        self.network, self.instance_dim, self.num_instances = network, instance_dim, num_instances
        self.embedding_dim = embedding_dim
        self.truncates_styles, self.num_scales = network.truncates_styles, network.num_scales
        # The authors normalize the embedding like all linear maps of BigGAN.
        self.embedding = layers.dense(
            embedding_dim, spectral_norm=takes_vectors, kernel_initializer=_initializer(network), name="embedding"
        )
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
        """Stores ``(num_instances, instance_dim)`` features, used when images are generated without given features."""
        self.instances.assign(unit_length(features))

    def labels_for(self, count, labels=None):
        """Returns the features that images are conditioned on: ``(count, instance_dim)`` float32.

        Args:
            count: The number of images.
            labels: Features, or ``(count,)`` indices of stored instances, or a single one of either for all images. If None,
                the stored instances are cycled through. Defaults to None.

        Raises:
            UserError: If an index or the number of features does not fit.
        """
        labels = np.arange(count) % self.num_instances if labels is None else np.asarray(labels)
        if labels.ndim < 2 and labels.dtype.kind in "iu":
            indices = np.broadcast_to(labels, (count,))
            if count and not (0 <= indices.min() and indices.max() < self.num_instances):
                raise UserError(f"instances must be from 0 to {self.num_instances - 1}, got {indices.min()} to {indices.max()}")
            return ops.convert_to_numpy(self.instances)[indices]
        if labels.shape[-1] != self.instance_dim:
            raise UserError(f"features must have the shape (n, {self.instance_dim}), got {labels.shape}")
        return np.broadcast_to(unit_length(labels), (count, self.instance_dim))

    def sample_noise(self, count, rng):
        return self.network.sample_noise(count, rng)

    def latent_maps(self):
        return [kernel[: self.latent_dim] for kernel in self.network.latent_maps()]

    def call(self, latents, labels, training=False, **noise):
        """Generates images: ``(n, latent_dim)`` latents and ``(n, instance_dim)`` features of length 1 ->
        ``(n, *image_shape)``.
        """
        embedded = ops.cast(self.embedding(labels, training=training), latents.dtype)
        if self._takes_vectors:
            return self.network(latents, embedded, training=training, **noise)
        return self.network(ops.concatenate([latents, embedded], axis=-1), training=training, **noise)

    def get_config(self):
        config = {"instance_dim": self.instance_dim, "num_instances": self.num_instances, "embedding_dim": self.embedding_dim}
        return {**_base_config(self), **self.config_of_parts(), **config}


@register
class Discriminator(layers.Composed, base.Discriminator):
    """Images and the features of an instance -> logits.

    The logit is that of an unconditional discriminator plus the inner product of its features with a linear map of the
    features of the instance. As in the authors' code, this map has biases, and spectral normalization if the network has it.

    Args:
        network: The unconditional discriminator.
        instance_dim: The number of features of an instance.
        embedding_dim: The dimension to which the features of the instance are first mapped linearly; None maps them directly.
            Use it if both sides have thousands of features, such as flattened feature maps: with a weight for each pair of
            them, the optimizer step took longer than everything else. Defaults to None, as in the authors' code.

    Raises:
        UserError: If the network is conditional.
    """

    parts = ("network",)

    def __init__(self, network, instance_dim, embedding_dim=None, **kwargs):
        _check_unconditional(network)
        super().__init__(network.image_shape, **kwargs)
        self.network, self.instance_dim, self.embedding_dim, self.body = network, instance_dim, embedding_dim, network.body
        self.num_scales = network.num_scales
        self.build()

    @property
    def condition_spec(self):
        return (self.instance_dim,), "float32"

    def _build_heads(self, features_shape):
        if self.embedding_dim:
            self.embedding = keras.layers.Dense(self.embedding_dim, use_bias=False, name="embedding")
            self.projection = keras.layers.Dense(features_shape[-1], use_bias=False, name="projection")
        else:
            self.projection = layers.dense(
                features_shape[-1],
                self.network.spectral_norm,
                kernel_initializer=_initializer(self.network),
                name="projection",
            )

    def prepare_real_images(self, images):
        return self.network.prepare_real_images(images)

    def features(self, images, training=False):
        return self.network.features(images, training=training)

    def logits(self, features, labels, training=False):
        """Computes logits: ``(n, num_features)`` features and ``(n, instance_dim)`` instance features -> ``(n,)`` float32."""
        logits = self.network.logits(features, training=training)
        mapped = self.projection(self.embedding(labels) if self.embedding_dim else labels, training=training)
        return logits + ops.cast(ops.sum(mapped * features, axis=-1), "float32")

    def get_config(self):
        config = {"instance_dim": self.instance_dim, "embedding_dim": self.embedding_dim}
        return {**_base_config(self), **self.config_of_parts(), **config}


def _initializer(network):
    """Returns the initializer of the network's kernels: the authors initialize all linear maps of BigGAN alike."""
    return initializers.get(getattr(network, "initializer", None) or "glorot_uniform")


def unit_length(features):
    """Divides each of ``(n, F)`` feature vectors by its length, as in the paper: float32 numpy."""
    features = np.asarray(features, np.float32)
    return features / np.maximum(np.linalg.norm(features, axis=-1, keepdims=True), 1e-8)


def _base_config(network):
    """Returns the part of the config that every Keras model has."""
    return {key: value for key, value in keras.Model.get_config(network).items() if key in ("name", "trainable", "dtype")}


def _check_unconditional(network):
    if network.condition_spec is not None:
        raise UserError("instance conditioning requires an unconditional network: omit num_classes")
