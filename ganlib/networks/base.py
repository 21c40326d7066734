"""What every generator and discriminator has in common: the contract that `ganlib.GAN` relies on."""

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.errors import UserError, integer
from ganlib.layers import conditioning
from ganlib.layers.dtype_policy import SublayerPolicy


class _Network(SublayerPolicy, keras.Model):
    """A model that builds its weights in its constructor, so that they are a function of the global seed."""

    frozen = ()
    """Layers whose weights nothing ever moves."""

    def __init__(self, image_shape, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.image_shape = _checked_shape(image_shape)
        self.num_classes = None if num_classes is None else integer("num_classes", num_classes, 1)

    @property
    def condition_spec(self):
        """Shape and dtype of what stands for an image's label in ``call``; None for an unconditional network."""
        return ((), "int64") if self.num_classes else None

    def build(self, input_shape=None):
        inputs = [keras.KerasTensor((None, *self._example_shape()))]
        if self.condition_spec:
            shape, dtype = self.condition_spec
            inputs.append(keras.KerasTensor((None, *shape), dtype=dtype))
        self.compute_output_spec(*inputs)

    def get_config(self):
        return {**super().get_config(), "image_shape": self.image_shape, "num_classes": self.num_classes}


class Generator(_Network):
    """A network from latents, and labels if it is conditional, to images.

    A subclass makes its layers in ``__init__`` and ends it with ``self.build()``. Either it sets ``self.body``, a layer
    from latents to images, to which labels, embedded, are joined as further latents (Mirza & Osindero 2014,
    arXiv:1411.1784); or it defines ``call(latents, labels=None, training=False)`` itself:

    - ``latents``: ``(n, latent_dim)`` float32, standard normal;
    - ``labels``: ``(n,)`` integers in ``[0, num_classes)``, given if and only if ``num_classes`` is;
    - returns ``(n, *image_shape)`` float32 in ``[-1, 1]``; in training a network without tanh may go beyond.

    What else is random in a training step, such as noise, is drawn by `draws` and given to ``call`` by name.

    Args:
        image_shape: ``(height, width, channels)``.
        latent_dim: the number of latents of an image.
        num_classes: the number of classes of a conditional generator; None for an unconditional one.

    Attributes:
        truncates_styles: whether ``call`` takes a ``truncation`` of its own, so that latents need not be truncated.
        num_scales: how many resolutions its images have in training: see `ganlib.networks.multiscale`.
    """

    truncates_styles = False
    num_scales = 1

    def __init__(self, image_shape, latent_dim, num_classes=None, **kwargs):
        super().__init__(image_shape, num_classes, **kwargs)
        self.latent_dim = integer("latent_dim", latent_dim, 1)
        self.body = None

    def build(self, input_shape=None):
        if self.num_classes and self.body is not None:
            self.embedding = keras.layers.Embedding(self.num_classes, self.latent_dim, name="embedding")
        super().build()

    def call(self, latents, labels=None, training=False):
        """``(n, latent_dim)`` latents and ``(n,)`` labels -> ``(n, *image_shape)`` float32 images in ``[-1, 1]``."""
        return ops.cast(self.body(self.concat_label_embedding(latents, labels), training=training), "float32")

    def sample_noise(self, count, rng):
        """What a training step gives to ``call`` besides latents and labels.

        Args:
            count: how many images are to be made.
            rng: a `ganlib.training.RandomStream`, or what has its ``normal``, ``uniform`` and ``integers``.

        Returns:
            A dict of arguments, empty for most networks.
        """
        return {}

    def latent_maps(self):
        """Kernels of the linear maps that take latents, or styles, in: ``(latent_dim, units)`` each, for
        `ganlib.sampling.directions`; empty where there is none."""
        return []

    @property
    def num_conditions(self):
        """How many different labels there are; None for an unconditional generator."""
        return self.num_classes

    def labels_for(self, count, labels=None):
        """Labels for as many images: ``(count,)`` int64; None for an unconditional generator.

        Args:
            count: how many.
            labels: integers, as many, or one for all; None takes each class in turn.

        Raises:
            UserError: for labels that do not fit.
        """
        if not self.num_classes:
            if labels is not None:
                raise UserError("this GAN is not conditional: leave out the labels")
            return None
        labels = np.arange(count) % self.num_classes if labels is None else np.asarray(labels)
        if labels.dtype.kind not in "biuf" or not np.array_equal(labels, np.round(labels)):
            raise UserError(f"labels are the classes' numbers, from 0 to {self.num_classes - 1}, got {labels.tolist()!r:.60}")
        if labels.shape not in ((), (count,)):
            raise UserError(f"{count} images need one label, or as many as images, got an array of shape {labels.shape}")
        labels = np.broadcast_to(labels, (count,))
        if count and not (0 <= labels.min() and labels.max() < self.num_classes):
            raise UserError(f"labels must be from 0 to {self.num_classes - 1}, got {labels.min()} to {labels.max()}")
        return labels.astype(np.int64)

    def concat_label_embedding(self, latents, labels):
        """Latents and, of a conditional generator, the embedded labels: ``(n, latent_dim)`` or ``(n, 2 * latent_dim)``."""
        if not self.num_classes:
            return latents
        return ops.concatenate([latents, ops.cast(self.embedding(labels), latents.dtype)], axis=-1)

    def _example_shape(self):
        return (self.latent_dim,)

    def get_config(self):
        return {**super().get_config(), "latent_dim": self.latent_dim}


class Discriminator(_Network):
    """A network from images, and labels if it is conditional, to logits: high where the image seems real.

    A subclass sets ``self.body``, a layer from images to features, in ``__init__`` and ends it with
    ``self.build()``. The head is here: a dense layer, and, of a conditional discriminator, what takes the labels. A classifier
    takes ``body`` and leaves the head. Or a subclass defines `features`, `logits` and ``call`` itself, without a body.

    Args:
        image_shape: ``(height, width, channels)``.
        num_classes: the number of classes of a conditional discriminator; None for an unconditional one.
        spectral_norm: normalize the head's weights by their spectral norm.
        conditioning: how labels are taken, a name out of `ganlib.layers.conditioning.CONDITIONINGS`.
        rotations: have a second head, for `ganlib.penalties.RotationPrediction`.

    Attributes:
        num_scales: as of the generator.
        patchwise: whether `logits` are of patches, ``(n, patches)``, over which losses are means.

    Raises:
        UserError: for an unknown ``conditioning``.
    """

    num_scales = 1
    patchwise = False

    def __init__(self, image_shape, num_classes=None, spectral_norm=False, conditioning="projection", rotations=False,
                 **kwargs):  # fmt: skip
        super().__init__(image_shape, num_classes, **kwargs)
        self.spectral_norm, self.conditioning, self.rotations = spectral_norm, conditioning, rotations
        self.body = None

    def features(self, images, training=False):
        """``(n, *image_shape)`` float images in ``[-1, 1]`` -> ``(n, num_features)`` features."""
        return self.body(images, training=training)

    def prepare_real_images(self, images):
        """Real images in the form in which the generator makes its own in training: as they are, but for
        `ganlib.networks.multiscale`."""
        return images

    def class_head(self, num_classes):
        """A layer from features to class logits, for a classifier on this discriminator's body."""
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
        """A layer from features to logits."""
        return layers.dense(1, self.spectral_norm, name="head")

    def make_label_head(self, num_features):
        """A layer from logits, features and labels to logits."""
        return conditioning.get(self.conditioning, self.num_classes, self.spectral_norm)

    def call(self, images, labels=None, training=False):
        """``(n, *image_shape)`` images in ``[-1, 1]`` and ``(n,)`` labels -> ``(n,)`` float32 logits."""
        return self.logits(self.features(images, training=training), labels, training=training)

    def logits(self, features, labels=None, training=False):
        """``(n, num_features)`` features and ``(n,)`` labels -> ``(n,)`` float32 logits."""
        logits = ops.squeeze(self.head(features, training=training), axis=-1)
        if self.num_classes:
            logits = self.label_head(logits, features, labels, training=training)
        return ops.cast(logits, "float32")

    def rotation_logits(self, features):
        """``(n, num_features)`` features -> ``(n, 4)`` logits of a turn by so many quarters."""
        return self.rotation_head(features, training=True)

    def _example_shape(self):
        return self.image_shape

    def get_config(self):
        own = {"spectral_norm": self.spectral_norm, "conditioning": self.conditioning, "rotations": self.rotations}
        return {**super().get_config(), **own}


def rescale(images):
    """``(..., channels)`` images, uint8 in ``[0, 255]``, -> float32 in ``[-1, 1]``; float images pass unchanged."""
    images = ops.convert_to_tensor(images)
    return images if "float" in keras.backend.standardize_dtype(images.dtype) else ops.cast(images, "float32") / 127.5 - 1.0


def _checked_shape(image_shape):
    try:
        height, width, channels = (integer("a side of image_shape", side, 1) for side in image_shape)
    except (TypeError, ValueError):  # the latter is a UserError, too
        raise UserError(f"image_shape must be (height, width, channels), got {image_shape!r:.60}") from None
    return height, width, channels


def resolutions(size, doublings):
    """From the lowest to ``size``."""
    return [size >> left for left in range(doublings, -1, -1)]


def tapered(resolutions, width, channels_base):
    """The channels of each resolution: ``width``, or ``channels_base`` over the resolution where that is less."""
    return [min(channels_base // side, width) for side in resolutions]


def check_image_shape(image_shape, sizes, network):
    """Raises `UserError` unless ``image_shape`` is a square of one of ``sizes``."""
    height, width, _ = image_shape
    if height != width or height not in sizes:
        raise UserError(f"{network} cannot make images of {height}x{width}: its sizes are {', '.join(map(str, sizes))}")
