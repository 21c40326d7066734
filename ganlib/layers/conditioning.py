"""How a discriminator takes labels: layers from logits, features and labels to logits, by name."""

import keras
from keras import ops

from ganlib.errors import choose
from ganlib.layers import basic
from ganlib.layers.dtype_policy import SublayerPolicy

register = keras.saving.register_keras_serializable("ganlib.conditioning")


class _Conditioning(SublayerPolicy, keras.layers.Layer):
    """``(n,)`` logits, ``(n, num_features)`` features and ``(n,)`` labels -> ``(n,)`` logits.

    Args:
        num_classes: the number of labels.
        spectral_norm: normalize the weights by their spectral norm.
    """

    def __init__(self, num_classes, spectral_norm=False, **kwargs):
        super().__init__(**kwargs)
        self.num_classes, self.spectral_norm = num_classes, spectral_norm

    def call(self, logits, features, labels, training=False):
        return logits

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "spectral_norm": self.spectral_norm}


@register
class Projection(_Conditioning):
    """Adds the inner product of the features with an embedding of the label: Miyato & Koyama 2018 (arXiv:1802.05637)."""

    def build(self, logits_shape, features_shape=None, labels_shape=None):
        self.embedding = basic.embedding(self.num_classes, features_shape[-1], self.spectral_norm, name="embedding")
        self.embedding.build(labels_shape)

    def call(self, logits, features, labels, training=False):
        return logits + ops.sum(self.embedding(labels, training=training) * features, axis=-1)


@register
class Concatenation(_Conditioning):
    """Adds what a hidden layer makes of the features with an embedding of the label joined to them: as Mirza & Osindero 2014
    (arXiv:1411.1784) give labels to the hidden layers of a discriminator."""

    def build(self, logits_shape, features_shape=None, labels_shape=None):
        units = features_shape[-1]
        self.embedding = basic.embedding(self.num_classes, units, self.spectral_norm, name="embedding")
        self.hidden = basic.dense(units, self.spectral_norm, name="hidden")
        self.head = basic.dense(1, self.spectral_norm, name="head")
        self.embedding.build(labels_shape)
        self.hidden.build((None, 2 * units))
        self.head.build((None, units))

    def call(self, logits, features, labels, training=False):
        embedded = self.embedding(labels, training=training)
        joined = ops.concatenate([features, ops.cast(embedded, features.dtype)], axis=-1)
        hidden = ops.leaky_relu(self.hidden(joined, training=training), 0.2)
        return logits + ops.squeeze(self.head(hidden, training=training), axis=-1)


@register
class Auxiliary(_Conditioning):
    """Leaves the logits as they are and has `class_logits` beside them: Odena et al. 2017 (arXiv:1610.09585). It learns by
    `ganlib.penalties.AuxiliaryClassification`."""

    def build(self, logits_shape, features_shape=None, labels_shape=None):
        self.head = basic.dense(self.num_classes, self.spectral_norm, name="head")
        self.head.build(features_shape)

    def class_logits(self, features):
        """``(n, num_features)`` features -> ``(n, num_classes)`` class logits."""
        return self.head(features, training=True)


@register
class Contrastive(_Conditioning):
    """Leaves the logits as they are and has embeddings of images and of classes beside them: Kang et al. 2021, ReACGAN
    (arXiv:2111.01118). It learns by `ganlib.penalties.ContrastiveClassification`."""

    DIMENSIONS = 512

    def build(self, logits_shape, features_shape=None, labels_shape=None):
        self.projection = basic.dense(self.DIMENSIONS, self.spectral_norm, name="projection")
        self.embedding = basic.embedding(self.num_classes, self.DIMENSIONS, self.spectral_norm, name="embedding")
        self.projection.build(features_shape)
        self.embedding.build(labels_shape)

    def embed(self, features):
        """``(n, num_features)`` features -> ``(n, DIMENSIONS)`` embeddings of length 1."""
        return ops.normalize(self.projection(features, training=True), axis=-1)

    def proxies(self, labels):
        """``(n,)`` labels -> ``(n, DIMENSIONS)`` embeddings of their classes, of length 1."""
        return ops.normalize(self.embedding(labels, training=True), axis=-1)


CONDITIONINGS = {"projection": Projection, "concatenation": Concatenation, "auxiliary": Auxiliary, "contrastive": Contrastive}
"""Name -> layer."""


def get(name, num_classes, spectral_norm):
    """The layer of a name.

    Raises:
        UserError: for an unknown name, listing the known ones.
    """
    return choose("conditioning", name, CONDITIONINGS)(num_classes, spectral_norm, name="conditioning")
