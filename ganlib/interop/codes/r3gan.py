"""R3GAN: Huang et al. 2024 (arXiv:2501.05441). Files of its training hold ``G``, ``G_ema`` and ``D``."""

import keras

from ganlib.errors import UserError
from ganlib.interop import layers
from ganlib.layers.resampling import FILTER
from ganlib.networks import r3gan

SOURCE = "https://github.com/brownvc/R3GAN"
LICENSE = "The code has no license file; most files of its training carry NVIDIA's license for noncommercial use."
GENERATOR_PARTS = ("G_ema", "G")
DISCRIMINATOR_PARTS = ("D",)


def generator(arrays):
    """Builds the generator with its weights."""
    stages = _stages(arrays)
    channels = arrays.shape("AggregationLayer.Layer.weight", 4)[0]
    start, side = "MainLayers.0.Layers.0", arrays.shape("MainLayers.0.Layers.0.Basis", 3)[1]
    inputs, condition = arrays.shape(f"{start}.LinearLayer.weight", 2)[1], _condition(arrays)
    size = side << (len(stages) - 1)
    network = r3gan.Generator(
        (size, size, channels), inputs - (condition[0] if condition else 0), **_sizes(arrays, stages),
        num_classes=condition and condition[1], embedding_dim=condition and condition[0],
    )  # fmt: skip
    arrays.assign_value(network.basis, arrays.take(f"{start}.Basis", "maps"), f"{start}.Basis")
    layers.assign(arrays, network.scale, f"{start}.LinearLayer")
    _assign_stages(arrays, network.stages, stages)
    layers.assign(arrays, network.image, "AggregationLayer.Layer")
    _assign_embedding(arrays, network, "embedding")
    _check_filters(arrays)
    return network


def discriminator(arrays):
    """Builds the discriminator with its weights."""
    stages = _stages(arrays)
    channels = arrays.shape("ExtractionLayer.Layer.weight", 4)[1]
    last = f"MainLayers.{len(stages) - 1}.Layers.{stages[-1][-1] + 1}"
    condition, side = _condition(arrays), arrays.shape(f"{last}.Basis.weight", 4)[2]
    size = side << (len(stages) - 1)
    network = r3gan.Discriminator(
        (size, size, channels), **_sizes(arrays, stages, is_reversed=True),
        num_classes=condition and condition[1], embedding_dim=condition and condition[0],
    )  # fmt: skip
    layers.assign(arrays, network.body.layers[0], "ExtractionLayer.Layer")
    _assign_stages(arrays, network.body, stages)
    basis = f"{last}.Basis.weight"
    arrays.assign_value(network.body.layers[-2].kernel, arrays.take(basis, "depthwise"), basis)
    layers.assign(arrays, network.head, f"{last}.LinearLayer")
    _assign_embedding(arrays, network, "label_head")
    _check_filters(arrays)
    return network


def _stages(arrays):
    """Returns the numbers of the layers of each stage that are residual blocks.

    Raises:
        UserError: If there are no stages.
    """
    numbers = arrays.matching(r"MainLayers\.(\d+)\.Layers\.\d+\.LinearLayer1\.Layer\.weight")
    pattern = r"MainLayers\.{}\.Layers\.(\d+)\.LinearLayer1\.Layer\.weight"
    stages = [[int(index) for index in arrays.matching(pattern.format(number))] for number in numbers]
    if not stages:
        raise UserError("this is not a network of r3gan: it has no residual blocks")
    return stages


def _sizes(arrays, stages, is_reversed=False):
    """Returns the arguments of the network that give its sizes."""
    firsts = [f"MainLayers.{number}.Layers.{blocks[0]}" for number, blocks in enumerate(stages)]
    wide = [arrays.shape(f"{first}.LinearLayer1.Layer.weight", 4)[:2] for first in firsts]
    group_widths = {arrays.shape(f"{first}.LinearLayer2.Layer.weight", 4)[1] for first in firsts}
    expansions = {expanded // width for expanded, width in wide}
    if len(group_widths) != 1 or len(expansions) != 1:
        raise UserError(f"r3gan networks have groups of one width, this one has {sorted(group_widths)}")
    order = slice(None, None, -1 if is_reversed else 1)
    return {
        "width": [width for _, width in wide][order],
        "blocks": [len(blocks) for blocks in stages][order],
        "group_width": group_widths.pop(),
        "expansion": expansions.pop(),
    }


def _condition(arrays):
    """Returns the dimension of the label embedding and the number of classes, or None."""
    return arrays.shape("EmbeddingLayer.weight", 2) if "EmbeddingLayer.weight" in arrays else None


def _assign_stages(arrays, body, stages):
    """Assigns the residual blocks, and the convolutions that change the width, in the order of computation."""
    blocks = [layer for layer in body.layers if isinstance(layer, r3gan.ResidualBlock)]
    names = [f"MainLayers.{stage}.Layers.{index}" for stage, indices in enumerate(stages) for index in indices]
    for block, name in zip(blocks, names, strict=True):
        arrays.assign(block.widen.kernel, f"{name}.LinearLayer1.Layer.weight", "conv")
        arrays.assign(block.widen.bias, f"{name}.NonLinearity1.Bias")
        arrays.assign(block.convolve.kernel, f"{name}.LinearLayer2.Layer.weight", "conv")
        arrays.assign(block.convolve.bias, f"{name}.NonLinearity2.Bias")
        arrays.assign(block.narrow.kernel, f"{name}.LinearLayer3.Layer.weight", "conv")
    is_first = "ExtractionLayer.Layer.weight" in arrays  # in the discriminator's body
    changes = [layer for layer in body.layers if isinstance(layer, keras.layers.Conv2D)][1 if is_first else 0 :]
    kept = arrays.matching(r"(MainLayers\.\d+\.Layers\.\d+\.LinearLayer\.Layer)\.weight")
    if len(kept) != len(changes):
        raise UserError(f"this is not a network of r3gan: {len(kept)} layers change the width, expected {len(changes)}")
    for layer, name in zip(changes, kept, strict=True):
        layers.assign(arrays, layer, name)


def _assign_embedding(arrays, network, layer):
    if network.num_classes:
        arrays.assign(getattr(network, layer).embeddings, "EmbeddingLayer.weight", "dense")


def _check_filters(arrays):
    """Counts the filters as used. They are constants."""
    for name in arrays.matching(r"(MainLayers\..*\.Resampler\.Kernel)"):
        if arrays.take(name).shape != (len(FILTER), len(FILTER)):
            raise UserError(f"array {name!r} of this r3gan network is not the filter that ganlib's r3gan has")
