"""The base classes of all generators and discriminators: the contract that `ganlib.GAN` relies on."""

import types

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.errors import UserError, integer
from ganlib.layers import conditioning
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.networks.earlier_names import WithEarlierNames


class Network(WithEarlierNames, SublayerPolicy, keras.Model):
    """A model that creates its weights in its constructor, so that they depend only on the global seed.

    Args:
        image_shape: ``(height, width, channels)``.
        num_classes: The number of classes of a conditional network; None for an unconditional one.
    """

    frozen = ()
    """Layers whose weights are never trained."""

    earlier_defaults = types.MappingProxyType({})
    """Argument -> its value in networks that ganlib 0.1 saved without it. New arguments that change a network are listed."""

    def __init__(self, image_shape, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.image_shape = _validated_shape(image_shape)
        self.num_classes = None if num_classes is None else integer("num_classes", num_classes, 1)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Creates the network from a config returned by `get_config`, also one of an earlier version."""
        return super().from_config({**cls.earlier_defaults, **config})

    @property
    def weights_without_average(self):
        """Non-trainable weights that the EMA network copies instead of averaging, such as statistics in the authors' code."""
        return []

    @property
    def condition_spec(self):
        """The shape and dtype of the conditioning of one image in ``call``, or None for an unconditional network."""
        return ((), "int64") if self.num_classes else None

    def build(self, input_shape=None):
        inputs = [keras.KerasTensor((None, *self._example_shape()))]
        if self.condition_spec:
            shape, dtype = self.condition_spec
            inputs.append(keras.KerasTensor((None, *shape), dtype=dtype))
        self.compute_output_spec(*inputs)

    def get_config(self):
        return {**super().get_config(), "image_shape": self.image_shape, "num_classes": self.num_classes}


class Generator(Network):
    """A network from latents, and labels if it is conditional, to images.

    A subclass creates its layers in ``__init__`` and calls ``self.build()`` at the end. It either sets ``self.body``, a layer
    from latents to images, whose input is extended by the embedded labels (Mirza & Osindero 2014, arXiv:1411.1784), or defines
    ``call(latents, labels=None, training=False)``:

    - ``latents``: ``(n, latent_dim)`` float32, standard normal;
    - ``labels``: ``(n,)`` integers in ``[0, num_classes)``, passed if and only if ``num_classes`` is set;
    - returns ``(n, *image_shape)`` float32 in ``[-1, 1]``; during training, a network without tanh may exceed this range.

    Other random inputs of a training step, such as noise, are drawn by `sample_noise` and passed to ``call`` by name.

    Args:
        image_shape: ``(height, width, channels)``.
        latent_dim: The dimension of the latents.
        num_classes: The number of classes of a conditional generator; None for an unconditional one. Defaults to None.

    Attributes:
        truncates_styles: Whether ``call`` takes a ``truncation`` argument, so that latents need not be truncated.
        num_scales: The number of resolutions of its images during training: see `ganlib.networks.multiscale`.
        makes_images: Whether it outputs images. False for `ganlib.networks.feature_space`.
    """

    truncates_styles = False
    num_scales = 1
    makes_images = True

    def __init__(self, image_shape, latent_dim, num_classes=None, **kwargs):
        super().__init__(image_shape, num_classes, **kwargs)
        self.latent_dim = integer("latent_dim", latent_dim, 1)
        self.body = None

    def build(self, input_shape=None):
        if self.num_classes and self.body is not None:
            self.embedding = keras.layers.Embedding(self.num_classes, self.latent_dim, name="embedding")
        super().build()

    def call(self, latents, labels=None, training=False):
        """Generates images: ``(n, latent_dim)`` latents and ``(n,)`` labels -> ``(n, *image_shape)`` float32 in ``[-1, 1]``."""
        return ops.cast(self.body(self.concat_label_embedding(latents, labels), training=training), "float32")

    def prior(self, latents):
        """Maps standard normal latents to those of the authors' code: ``(n, latent_dim)`` -> ``(n, latent_dim)`` float32.

        They are the same, except in networks with ``uniform_latents``.
        """
        return latents

    def initialize(self, latents, labels=None):
        """Initializes the weight-normalized layers of ``body``, if there are any, on data: see
        `ganlib.layers.initialize_weight_norm`. The other layers run in training mode.

        Args:
            latents: ``(n, latent_dim)`` float32, as many as in a batch.
            labels: ``(n,)`` integers of a conditional generator. Defaults to None.
        """
        if self.body is not None and layers.has_weight_norm(self.body):
            layers.initialize_weight_norm(self.body, self.concat_label_embedding(latents, labels), training=True)

    def sample_noise(self, count, rng):
        """Draws the random arguments that a training step passes to ``call`` besides latents and labels.

        Args:
            count: The number of images.
            rng: A `ganlib.training.RandomStream`, or an object with its methods ``normal``, ``uniform`` and ``integers``.

        Returns:
            A dict of keyword arguments, empty for most networks.
        """
        return {}

    def latent_maps(self):
        """Returns the kernels of the linear maps applied to latents or styles, for `ganlib.sampling.directions`.

        Each is ``(latent_dim, units)``. The list is empty if the generator has none.
        """
        return []

    @property
    def num_conditions(self):
        """The number of distinct labels, or None for an unconditional generator."""
        return self.num_classes

    def labels_for(self, count, labels=None):
        """Returns labels for a number of images: ``(count,)`` int64, or None for an unconditional generator.

        Args:
            count: The number of images.
            labels: ``(count,)`` integers, or one integer for all images. If None, the classes are cycled through. Defaults to
                None.

        Raises:
            UserError: If the labels do not fit the generator.
        """
        if not self.num_classes:
            if labels is not None:
                raise UserError("this GAN is unconditional: omit labels")
            return None
        labels = np.arange(count) % self.num_classes if labels is None else np.asarray(labels)
        if labels.dtype.kind not in "biuf" or not np.array_equal(labels, np.round(labels)):
            raise UserError(f"labels must be class indices from 0 to {self.num_classes - 1}, got {labels.tolist()!r:.60}")
        if labels.shape not in ((), (count,)):
            raise UserError(f"labels must be one integer or {count}, one per image, got an array of shape {labels.shape}")
        labels = np.broadcast_to(labels, (count,))
        if count and not (0 <= labels.min() and labels.max() < self.num_classes):
            raise UserError(f"labels must be from 0 to {self.num_classes - 1}, got {labels.min()} to {labels.max()}")
        return labels.astype(np.int64)

    def concat_label_embedding(self, latents, labels):
        """Concatenates latents and, for a conditional generator, the label embeddings.

        Args:
            latents: ``(n, latent_dim)``.
            labels: ``(n,)`` integers, or None.

        Returns:
            ``(n, latent_dim)`` or ``(n, 2 * latent_dim)``.
        """
        if not self.num_classes:
            return latents
        return ops.concatenate([latents, ops.cast(self.embedding(labels), latents.dtype)], axis=-1)

    def _example_shape(self):
        return (self.latent_dim,)

    def get_config(self):
        return {**super().get_config(), "latent_dim": self.latent_dim}


class Discriminator(Network):
    """A network from images, and labels if it is conditional, to logits, which are high for images that look real.

    A subclass sets ``self.body``, a layer from images to features, in ``__init__`` and calls ``self.build()`` at the end. The
    heads are defined here: a dense layer and, for a conditional discriminator, a layer that takes the labels. A classifier uses
    ``body`` without the heads. Alternatively, a subclass without a body defines `features`, `logits` and ``call``.

    Args:
        image_shape: ``(height, width, channels)``.
        num_classes: The number of classes of a conditional discriminator; None for an unconditional one. Defaults to None.
        spectral_norm: Whether to normalize the heads' weights by their spectral norm. Defaults to False.
        conditioning: How the discriminator is conditioned on labels, a key of `ganlib.layers.conditioning.CONDITIONINGS`.
            Defaults to ``"projection"``.
        rotations: Whether to add a second head, for `ganlib.penalties.RotationPrediction`. Defaults to False.

    Attributes:
        num_scales: The number of resolutions of the images during training, as in `Generator`.
        patchwise: Whether `logits` are per patch, ``(n, patches)``; losses then average over patches.

    Raises:
        UserError: If ``conditioning`` is unknown.
    """

    num_scales = 1
    patchwise = False

    def __init__(
        self, image_shape, num_classes=None, spectral_norm=False, conditioning="projection", rotations=False, **kwargs
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        self.spectral_norm, self.conditioning, self.rotations = spectral_norm, conditioning, rotations
        self.body = None

    def features(self, images, training=False):
        """Computes features: ``(n, *image_shape)`` float images in ``[-1, 1]`` -> ``(n, num_features)``."""
        return self.body(images, training=training)

    def prepare_real_images(self, images):
        """Converts real images to the form in which the generator outputs images during training.

        They are unchanged, except in `ganlib.networks.multiscale`.

        Args:
            images: ``(n, *image_shape)`` float in ``[-1, 1]``.
        """
        return images

    def class_head(self, num_classes):
        """Returns a layer from features to class logits, for a classifier on this discriminator's body."""
        return keras.layers.Dense(num_classes, name="head", dtype=self.dtype_policy)

    def build(self, input_shape=None):
        if self.body is not None:
            self._build_heads(self.body(keras.KerasTensor((None, *self.image_shape))).shape)
        super().build()

    def _build_heads(self, features_shape):
        self.head = self.make_head()
        if self.num_classes:
            self.label_head = self.make_label_head(features_shape[-1])
        if self.rotations:
            self.rotation_head = layers.dense(4, self.spectral_norm, name="rotation_head")
            self.rotation_head.build(features_shape)

    def make_head(self):
        """Returns a layer from features to logits."""
        return layers.dense(1, self.spectral_norm, name="head")

    def make_label_head(self, num_features):
        """Returns a layer from logits, features and labels to logits."""
        return conditioning.get(self.conditioning, self.num_classes, self.spectral_norm)

    def call(self, images, labels=None, training=False):
        """Computes logits: ``(n, *image_shape)`` images in ``[-1, 1]`` and ``(n,)`` labels -> ``(n,)`` float32."""
        return self.logits(self.features(images, training=training), labels, training=training)

    def logits(self, features, labels=None, training=False):
        """Computes logits: ``(n, num_features)`` features and ``(n,)`` labels -> ``(n,)`` float32."""
        logits = ops.squeeze(self.head(features, training=training), axis=-1)
        if self.num_classes:
            logits = self.label_head(logits, features, labels, training=training)
        return ops.cast(logits, "float32")

    def rotation_logits(self, features):
        """Classifies rotations by quarter turns: ``(n, num_features)`` features -> ``(n, 4)`` logits."""
        return self.rotation_head(features, training=True)

    def _example_shape(self):
        return self.image_shape

    def get_config(self):
        config = {"spectral_norm": self.spectral_norm, "conditioning": self.conditioning, "rotations": self.rotations}
        return {**super().get_config(), **config}


def rescale(images):
    """Converts images to float32: uint8 images, ``(..., channels)`` in ``[0, 255]``, to ``[-1, 1]``, and float images with the
    same values.
    """
    images = ops.convert_to_tensor(images)
    values = ops.cast(images, "float32")
    return values if keras.backend.is_float_dtype(images.dtype) else values / 127.5 - 1.0


def _validated_shape(image_shape):
    try:
        height, width, channels = (integer("a side of image_shape", side, 1) for side in image_shape)
    except (TypeError, ValueError):  # a UserError is a ValueError
        raise UserError(f"image_shape must be (height, width, channels), got {image_shape!r:.60}") from None
    return height, width, channels
