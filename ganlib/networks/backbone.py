"""The part of a pretrained network below a discriminator or a classifier: feature maps, and their pooling to features."""

import importlib

import keras
from keras import ops

from ganlib import layers
from ganlib.errors import UserError, choose, did_you_mean

register = keras.saving.register_keras_serializable("ganlib.pretrained")

SIGNED, PIXELS = "[-1, 1]", "[0, 255]"
"""The ranges of pixel values that a network may expect, unless a module of `keras.applications` preprocesses them."""

POOLINGS = {"average": (ops.mean,), "average_and_maximum": (ops.mean, ops.max)}
"""Name -> the functions that reduce each channel of a feature map to a number."""


@register
class Backbone(layers.Composed, keras.Model):
    """A convolutional network from images to feature maps at several depths, frozen unless it is made trainable.

    Its batch normalization uses the moving statistics, also during training, and keeps them. Gradients pass through it to the
    images.

    Args:
        network: A Keras model from images to ``(n, height, width, channels)`` feature maps or a list of them, finest first.
        image_shape: ``(height, width, channels)`` of the input images. Gray images are repeated to the number of channels that
            the network expects.
        pixels: `SIGNED` or `PIXELS`, the range that the network expects, or the name of the module of `keras.applications`
            whose ``preprocess_input`` is applied, such as ``"mobilenet_v2"``. Defaults to ``SIGNED``.
        size: The size to which images are resized bilinearly, an integer for a square or ``(height, width)``; None does not
            resize them. Defaults to None.
        trainable: Whether its weights may be trained. Defaults to None: only if ``trainable_from`` is set.
        trainable_from: The name of a layer or of a stage. This layer and the later ones are trained while it is trainable, and
            the earlier ones remain frozen. A stage has the layers whose names begin with its name and an underscore, such as
            ``"stage6"`` of EfficientNet-Lite, ``"block_13"`` of MobileNetV2 or ``"conv5"`` of ResNet50. If None, all layers are
            trained. Defaults to None.

    Raises:
        UserError: If the network expects another number of channels, or has no such layer.

    Examples:
        >>> import numpy as np
        >>> from ganlib.networks import pretrained
        >>> backbone = pretrained.load("applications:MobileNetV2", (32, 32, 3), taps=3, weights=None)
        >>> [maps.shape[1:] for maps in backbone(np.zeros((2, 32, 32, 3), "float32"))]
        [TensorShape([4, 4, 32]), TensorShape([2, 2, 96]), TensorShape([1, 1, 160])]
    """

    parts = ("network",)

    def __init__(self, network, image_shape, pixels=SIGNED, size=None, trainable=None, trainable_from=None, **kwargs):
        super().__init__(**kwargs)
        self.trainable_from = trainable_from
        self.network, self.image_shape, self.pixels, self.size = network, tuple(image_shape), pixels, size
        channels = network.inputs[0].shape[-1]
        if self.image_shape[-1] not in (1, channels):
            raise UserError(f"the backbone takes images of {channels} channels, got images of {self.image_shape[-1]}")
        self.trainable = trainable_from is not None if trainable is None else trainable
        self._freeze_early_layers()  # Keras calls the setter only if the value changes
        self.build()

    @property
    def trainable(self):
        """Whether its weights are trained, from ``trainable_from`` on."""
        return keras.Model.trainable.fget(self)

    @trainable.setter
    def trainable(self, value):
        keras.Model.trainable.fset(self, value)
        self._freeze_early_layers()

    def _freeze_early_layers(self):
        if self.trainable_from is not None:
            for layer in layers_before(self.network, self.trainable_from):
                layer.trainable = False

    def build(self, input_shape=None):
        self.compute_output_spec(keras.KerasTensor((None, *self.image_shape)))

    def call(self, images, training=False):
        """Computes feature maps: ``(n, *image_shape)`` float images in ``[-1, 1]`` -> a list of maps, finest first.

        ``training`` has no effect.
        """
        height, width, channels = self.image_shape
        network_channels = self.network.inputs[0].shape[-1]
        if channels == 1 and network_channels > 1:
            images = ops.repeat(images, network_channels, axis=-1)
        size = (self.size, self.size) if isinstance(self.size, int) else self.size
        if size and (height, width) != tuple(size):
            images = ops.image.resize(images, size, interpolation="bilinear")
        if self.pixels != SIGNED:
            images = (ops.cast(images, "float32") + 1.0) * 127.5
        if self.pixels not in (SIGNED, PIXELS):
            images = application_module(self.pixels).preprocess_input(images)
        maps = self.network(images, training=False)
        return list(maps) if isinstance(maps, (list, tuple)) else [maps]

    def get_config(self):
        config = {"image_shape": self.image_shape, "pixels": self.pixels, "size": self.size}
        return {**super().get_config(), **config, "trainable_from": self.trainable_from}


@register
class Pooled(layers.Composed, keras.layers.Layer):
    """Images -> the pooled and concatenated feature maps of a `Backbone`: ``(n, *image_shape)`` -> ``(n, num_features)``.

    Args:
        backbone: The `Backbone`.
        pooling: ``"average"`` for the spatial mean of each channel, or ``"average_and_maximum"`` for the means of a map,
            followed by its maxima. Defaults to ``"average"``.

    Raises:
        UserError: If ``pooling`` is unknown.
    """

    parts = ("backbone",)

    def __init__(self, backbone, pooling="average", **kwargs):
        super().__init__(**kwargs)
        self.backbone, self.pooling = backbone, pooling
        self._reductions = choose("pooling", pooling, POOLINGS)
        self.trainable = backbone.trainable  # Keras updates sublayers only if the value changes

    def call(self, images, training=False):
        all_maps = self.backbone(images, training=training)
        pooled = [reduce(maps, axis=(1, 2)) for maps in all_maps for reduce in self._reductions]
        return ops.concatenate(pooled, axis=-1)

    def get_config(self):
        return {**super().get_config(), "pooling": self.pooling}


def layers_before(network, name):
    """Returns the layers of a network before a layer, or before the first layer of a stage: see `Backbone`.

    Raises:
        UserError: If there is no such layer or stage.
    """
    ordered = operations(network)
    matching = [index for index, layer in enumerate(ordered) if layer.name == name or in_stage(layer, name)]
    if not matching:
        raise unknown_layer(name, ordered)
    return ordered[: matching[0]]


def operations(network):
    """Returns the layers and operations of a network in the order in which they are computed."""
    return list(getattr(network, "operations", network.layers))


def in_stage(layer, name):
    """Returns whether a layer belongs to the stage of this name: see `Backbone`."""
    return layer.name.startswith(f"{name}_")


def unknown_layer(name, ordered):
    """Returns the error for a name that no layer or stage has."""
    names = [layer.name for layer in ordered]
    return UserError(
        f"unknown layer of the backbone {name!r}: pass the name of one of its {len(names)} layers, from {names[0]!r} to "
        f"{names[-1]!r}.{did_you_mean(name, names)}"
    )


def application_module(name):
    """Returns a module of `keras.applications` by its name, such as ``"mobilenet_v2"``."""
    return importlib.import_module(f"keras.applications.{name}")
