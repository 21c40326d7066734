"""One door to networks that were trained before: frozen features at several depths, through which gradients reach the image."""

import importlib

import keras
from keras import ops

from ganlib import layers
from ganlib.errors import UserError, choose
from ganlib.networks import base
from ganlib.networks.classifier import Classifier

register = keras.saving.register_keras_serializable("ganlib.pretrained")

SIGNED, PIXELS = "[-1, 1]", "[0, 255]"
"""What a network's pixel values may be, if no module of `keras.applications` prepares them."""


@register
class Backbone(layers.Composed, keras.Model):
    """A frozen convolutional network -> its maps at several depths.

    Its batch norms use their running statistics, in training too, and its weights do not move unless it is made ``trainable``;
    gradients pass through it to the images.

    Args:
        network: a Keras model from images to ``(n, height, width, channels)`` maps or a list of them, finest first.
        image_shape: ``(height, width, channels)`` of the images that it is given. Gray ones are repeated into as many channels
            as the network takes.
        pixels: `SIGNED` or `PIXELS`, what the network takes, or the module of `keras.applications` whose
            ``preprocess_input`` prepares them, such as ``"mobilenet_v2"``.
        size: side to which images are resized, bilinearly; None leaves them as they are.
        trainable: whether its weights may move.

    Raises:
        UserError: if the network does not take images of so many channels.

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
            raise UserError(f"the backbone takes images of {channels} channels, and these have {self.image_shape[-1]}")
        self.trainable = trainable
        self.build()

    def build(self, input_shape=None):
        self.compute_output_spec(keras.KerasTensor((None, *self.image_shape)))

    def call(self, images, training=False):
        """``(n, *image_shape)`` float images in ``[-1, 1]`` -> a list of maps, finest first; ``training`` changes nothing."""
        height, width, channels = self.image_shape
        wanted = self.network.inputs[0].shape[-1]
        if channels == 1 and wanted > 1:
            images = ops.repeat(images, wanted, axis=-1)
        if self.size and (height, width) != (self.size, self.size):
            images = ops.image.resize(images, (self.size, self.size), interpolation="bilinear")
        if self.pixels != SIGNED:
            images = (ops.cast(images, "float32") + 1.0) * 127.5
        if self.pixels not in (SIGNED, PIXELS):
            images = _module(self.pixels).preprocess_input(images)
        maps = self.network(images, training=False)
        return list(maps) if isinstance(maps, (list, tuple)) else [maps]

    def get_config(self):
        own = {"image_shape": self.image_shape, "pixels": self.pixels, "size": self.size}
        return {**super().get_config(), **own}


@register
class Pooled(layers.Composed, keras.layers.Layer):
    """Images -> the means over positions of a `Backbone`'s maps, joined: ``(n, *image_shape)`` -> ``(n, num_features)``."""

    parts = ("backbone",)

    def __init__(self, backbone, **kwargs):
        super().__init__(**kwargs)
        self.backbone = backbone
        self.trainable = backbone.trainable  # a Keras layer that is trainable already would not make its layers so

    def call(self, images, training=False):
        return ops.concatenate([ops.mean(maps, axis=(1, 2)) for maps in self.backbone(images, training=training)], axis=-1)


@register
class Discriminator(layers.Composed, base.Discriminator):
    """Images -> a network that was trained before -> features -> logits. A classifier learns on these features, or moves them.

    Args:
        image_shape: ``(height, width, channels)``.
        num_classes: the number of classes, or None.
        backbone: what `load` takes, such as ``"applications:MobileNetV2"`` or ``"model:PATH"``, or a `Backbone`.
        weights: of the backbone, as `load` takes them.
        backbone_size: side to which images are resized before it; None leaves them as they are.
        taps: at how many resolutions features are taken.

    Raises:
        UserError: for a backbone that is not there.
    """

    parts = ("backbone",)

    def __init__(self, image_shape=(96, 96, 3), num_classes=None, backbone="applications:MobileNetV2", weights="imagenet",
                 backbone_size=None, taps=1, **kwargs):  # fmt: skip
        super().__init__(image_shape, num_classes, **kwargs)
        if isinstance(backbone, str):
            backbone = load(backbone, self.image_shape, taps, weights, backbone_size)
        self.body = Pooled(backbone, name="body")
        self.build()

    @property
    def backbone(self):
        """The frozen `Backbone` under the pooling."""
        return self.body.backbone


def load(source, image_shape, taps=4, weights="imagenet", size=None):
    """The frozen `Backbone` of a name.

    Args:
        source: ``"applications:NAME"``, a network of `keras.applications`, such as ``"applications:EfficientNetB0"``; or
            ``"model:PATH"``, a ``.keras`` file: a classifier or discriminator of ganlib, or any Keras model of
            convolutions that takes pixel values in ``[0, 255]``.
        image_shape: ``(height, width, channels)`` of the images.
        taps: at how many resolutions features are taken, the coarsest ones, finest first: each time the last sum or
            concatenation at that resolution, or, where there is none, the last layer. Or the names of layers.
        weights: of a network of `keras.applications`: ``"imagenet"``, the path of a weights file, or None for random ones.
        size: side to which images are resized before a network of `keras.applications`; None leaves them as they are. For a
            file they are resized to what its network was made for.

    Raises:
        UserError: for an unknown name, weights that are neither there nor to be downloaded, a file that holds no such model,
            more taps than there are resolutions, or color images for a network that takes gray ones.
    """
    kind, _, argument = source.partition(":")
    if kind == "applications":
        side = size or image_shape[0]
        network, module = make(argument, include_top=False, weights=weights, input_shape=(side, side, 3))
        pixels = module.__name__.rpartition(".")[2]
    elif kind == "model":
        network, pixels = _convolutions(from_file(argument))
        size = network.inputs[0].shape[1]  # None where it takes any
    else:
        raise UserError(f"no backbone {source!r}: give applications:NAME or model:PATH")
    outputs = _tapped(network, taps)
    return Backbone(keras.Model(network.inputs[0], outputs), image_shape, pixels, size, name="backbone")


def application(name):
    """What makes a network of `keras.applications`, and the module there that it is in, by the name of the function.

    Raises:
        UserError: for an unknown name.
    """
    known = {key: value for key, value in vars(keras.applications).items() if key[:1].isupper() and callable(value)}
    function = choose("network of keras.applications", name, known)
    return function, _module(function.__module__.rpartition(".")[2])


def make(name, **arguments):
    """A network of `keras.applications`, and the module there that it is in, by the name of the function.

    Raises:
        UserError: for an unknown name, a size that it does not take, or weights that are neither there nor to be downloaded.
    """
    function, module = application(name)
    try:
        return function(**arguments), module
    except Exception as error:  # the download fails in many ways
        if "Input size must be" in str(error):
            side = arguments["input_shape"][0]
            raise UserError(f"{name} takes no images of {side}x{side}: give a larger size, to which they are resized") from None
        raise UserError(
            f"no weights for {name} ({' '.join(str(error).split())[:200]}): put the file that Keras names there into "
            "~/.keras/models, or pass weights='FILE.weights.h5'"
        ) from None


def _module(name):
    return importlib.import_module(f"keras.applications.{name}")


def from_file(path):
    """The model in a ``.keras`` file.

    Raises:
        UserError: if there is no such file, or it holds no model.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # anything can be in a file
        raise UserError(f"{path!r} is not a Keras model ({' '.join(str(error).split())[:200]}): give a .keras file") from None


def _convolutions(model):
    """The network of a model that has maps, and what pixel values it takes."""
    return (model.body, SIGNED) if isinstance(model, (Classifier, base.Discriminator)) else (model, PIXELS)


def _tapped(network, taps):
    """The outputs of layers: see ``taps`` of `load`."""
    layers = [layer for layer in getattr(network, "operations", network.layers) if _is_map(layer)]
    if not isinstance(taps, int):
        by_name = {layer.name: layer.output for layer in layers}
        return [choose("layer of the backbone", name, by_name) for name in taps]
    by_side = {}
    for layer in layers:
        by_side.setdefault(layer.output.shape[1], []).append(layer)
    coarsest = (
        network.outputs[0].shape[1] if len(network.outputs[0].shape) == 4 else 0
    )  # what is coarser leads to no output: excitation
    last = []
    for side in sorted((side for side in by_side if side >= coarsest), reverse=True):
        merging = [layer for layer in by_side[side] if type(layer).__name__ in ("Add", "Concatenate")]
        last.append((merging or by_side[side])[-1].output)
    if not 1 <= taps <= len(last):
        raise UserError(f"the backbone has maps at {len(last)} resolutions: taps={taps} cannot be taken")
    return last[-taps:]


def _is_map(layer):
    """Whether a layer puts out maps that are worth a tap: those that only pad are not."""
    if type(layer).__name__ in ("InputLayer", "ZeroPadding2D"):
        return False
    output = layer.output
    return isinstance(output, keras.KerasTensor) and len(output.shape) == 4
