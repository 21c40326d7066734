"""Layers that condition a discriminator on labels, by name. Each maps logits, features and labels to logits."""

import keras
from keras import ops

from ganlib.errors import choose
from ganlib.layers import builders, initializers
from ganlib.layers.dtype_policy import SublayerPolicy

register = keras.saving.register_keras_serializable("ganlib.conditioning")


class _Conditioning(SublayerPolicy, keras.layers.Layer):
    """The base class: ``(n,)`` logits, ``(n, num_features)`` features and ``(n,)`` labels -> ``(n,)`` logits.

    Args:
        num_classes: The number of classes.
        spectral_norm: Whether to normalize the weights by their spectral norm. Defaults to False.
        initializer: The Keras initializer of the label embedding. Defaults to ``"uniform"``.
    """

    def __init__(self, num_classes, spectral_norm=False, initializer="uniform", **kwargs):
        super().__init__(**kwargs)
        self.num_classes, self.spectral_norm, self.initializer = num_classes, spectral_norm, initializer

    def _embedding(self, units):
        initializer = initializers.get(self.initializer)
        arguments = {"embeddings_initializer": initializer, "name": "embedding"}
        return builders.embedding(self.num_classes, units, self.spectral_norm, **arguments)

    def call(self, logits, features, labels, training=False):
        return logits

    def get_config(self):
        config = {"num_classes": self.num_classes, "spectral_norm": self.spectral_norm, "initializer": self.initializer}
        return {**super().get_config(), **config}


@register
class Projection(_Conditioning):
    """Adds the inner product of the features and an embedding of the label: Miyato & Koyama 2018 (arXiv:1802.05637)."""

    def build(self, logits_shape, features_shape=None, labels_shape=None):
        self.embedding = self._embedding(features_shape[-1])
        self.embedding.build(labels_shape)

    def call(self, logits, features, labels, training=False):
        return logits + ops.sum(self.embedding(labels, training=training) * features, axis=-1)


@register
class Concatenation(_Conditioning):
    """Adds the output of a hidden layer on the concatenated features and label embedding.

    Mirza & Osindero 2014 (arXiv:1411.1784) pass labels to the hidden layers of a discriminator in this way.
    """

    def build(self, logits_shape, features_shape=None, labels_shape=None):
        units = features_shape[-1]
        self.embedding = self._embedding(units)
        self.hidden = builders.dense(units, self.spectral_norm, name="hidden")
        self.head = builders.dense(1, self.spectral_norm, name="head")
        self.embedding.build(labels_shape)
        self.hidden.build((None, 2 * units))
        self.head.build((None, units))

    def call(self, logits, features, labels, training=False):
        embedded = self.embedding(labels, training=training)
        concatenated = ops.concatenate([features, ops.cast(embedded, features.dtype)], axis=-1)
        hidden = ops.leaky_relu(self.hidden(concatenated, training=training), 0.2)
        return logits + ops.squeeze(self.head(hidden, training=training), axis=-1)


@register
class Auxiliary(_Conditioning):
    """Leaves the logits unchanged and provides `class_logits` of an auxiliary classifier: Odena et al. 2017 (arXiv:1610.09585).

    It is trained by `ganlib.penalties.AuxiliaryClassification`.
    """

    def build(self, logits_shape, features_shape=None, labels_shape=None):
        self.head = builders.dense(self.num_classes, self.spectral_norm, name="head")
        self.head.build(features_shape)

    def class_logits(self, features):
        """Computes the class logits: ``(n, num_features)`` features -> ``(n, num_classes)``."""
        return self.head(features, training=True)


@register
class Contrastive(_Conditioning):
    """Leaves the logits unchanged and provides embeddings of images and classes: ReACGAN, Kang et al. 2021 (arXiv:2111.01118).

    It is trained by `ganlib.penalties.ContrastiveClassification`.
    """

    DIMENSIONS = 512

    def build(self, logits_shape, features_shape=None, labels_shape=None):
        self.projection = builders.dense(self.DIMENSIONS, self.spectral_norm, name="projection")
        self.embedding = self._embedding(self.DIMENSIONS)
        self.projection.build(features_shape)
        self.embedding.build(labels_shape)

    def embed(self, features):
        """Computes image embeddings: ``(n, num_features)`` features -> ``(n, DIMENSIONS)`` vectors of length 1."""
        return ops.normalize(self.projection(features, training=True), axis=-1)

    def proxies(self, labels):
        """Computes class embeddings: ``(n,)`` labels -> ``(n, DIMENSIONS)`` vectors of length 1."""
        return ops.normalize(self.embedding(labels, training=True), axis=-1)


CONDITIONINGS = {"projection": Projection, "concatenation": Concatenation, "auxiliary": Auxiliary, "contrastive": Contrastive}
"""The conditioning layers by name."""


def get(name, num_classes, spectral_norm, initializer="uniform"):
    """Creates a conditioning layer by name.

    Args:
        name: A key of `CONDITIONINGS`.
        num_classes: The number of classes.
        spectral_norm: Whether to normalize the weights by their spectral norm.
        initializer: The Keras initializer of the label embedding. Defaults to ``"uniform"``.

    Raises:
        UserError: If the name is unknown; the message lists the known ones.
    """
    return choose("conditioning", name, CONDITIONINGS)(num_classes, spectral_norm, initializer, name="conditioning")
