"""BigGAN-PyTorch, the author's code of BigGAN (Brock et al. 2019, arXiv:1809.11096), at 32x32 to 256x256.

A run of that code has a file of PyTorch for each network, such as ``G_ema.pth`` and ``D.pth``.
"""

from ganlib.errors import UserError
from ganlib.interop import layers
from ganlib.layers import SelfAttention
from ganlib.networks import biggan, resnet

SOURCE = "https://github.com/ajbrock/BigGAN-PyTorch"
LICENSE = "MIT"
GENERATOR_PARTS = ("G_ema", "G")
DISCRIMINATOR_PARTS = ("D",)

_STATISTICS = {"mean": "stored_mean", "variance": "stored_var"}


def generator(arrays):
    """Builds the generator with its weights.

    Raises:
        UserError: If the arrays are not those of such a network.
    """
    blocks = arrays.matching(r"blocks\.(\d+)\.0\.conv1\.weight")
    if not blocks:
        raise UserError("this is not a generator of biggan: it has no blocks")
    size, side = 4 << len(blocks), 4
    first = arrays.shape("linear.weight", 2)[0] // side**2
    widths = biggan.GENERATOR_WIDTHS.get(size, (1,))
    hierarchical, shared = _kinds(arrays)
    chunk, channels = arrays.shape("linear.weight", 2)[1], arrays.shape("output_layer.2.weight", 4)[0]
    num_classes, embedding_dim = arrays.shape("shared.weight" if shared else "blocks.0.0.bn1.gain.weight", 2)
    network = biggan.Generator(
        (size, size, channels), chunk * (len(blocks) + 1) if hierarchical else chunk, first // widths[0], num_classes,
        embedding_dim if shared else 128, _attention(arrays, [8 << index for index in range(len(blocks))]),
        hierarchical=hierarchical, shared_embedding=shared,
    )  # fmt: skip
    if shared:
        layers.assign(arrays, network.embedding, "shared")
    layers.assign(arrays, network.dense, "linear", side)
    for index, (block, after) in enumerate(zip(network.blocks, network.after, strict=True)):
        _assign_block(arrays, block, f"blocks.{index}.0")
        for norm, name in ((block.first_norm, "bn1"), (block.second_norm, "bn2")):
            layers.assign_batch_norm(arrays, norm.normalization, f"blocks.{index}.0.{name}", **_STATISTICS)
            layers.assign(arrays, norm.gain, f"blocks.{index}.0.{name}.gain")
            layers.assign(arrays, norm.bias, f"blocks.{index}.0.{name}.bias")
        _assign_attention(arrays, after, f"blocks.{index}.1")
    layers.assign_batch_norm(arrays, network.norm, "output_layer.0", gain="gain", **_STATISTICS)
    layers.assign(arrays, network.conv, "output_layer.2")
    return network


def discriminator(arrays):
    """Builds the discriminator with its weights.

    Raises:
        UserError: If the arrays are not those of such a network.
    """
    blocks = arrays.matching(r"blocks\.(\d+)\.0\.conv1\.weight")
    outputs = tuple(arrays.shape(f"blocks.{index}.0.conv1.weight", 4)[0] for index in blocks)
    sizes = [size for size, (halving, plain) in biggan.DISCRIMINATOR_WIDTHS.items() if size >= 32
             and len(outputs) == len(halving) + len(plain)
             and all(a * halving[0] == b * outputs[0] for a, b in zip(outputs, (*halving, *plain), strict=True))]  # fmt: skip
    if not sizes:
        raise UserError(f"this is not a discriminator of biggan: its blocks have {outputs} channels")
    size = sizes[0]
    channels, halving = arrays.shape("blocks.0.0.conv1.weight", 4)[1], biggan.DISCRIMINATOR_WIDTHS[size][0]
    network = biggan.Discriminator(
        (size, size, channels), outputs[0] // halving[0], arrays.shape("embed.weight", 2)[0],
        attention=_attention(arrays, [size >> stage for stage in range(1, len(halving) + 1)]),
    )  # fmt: skip
    index = -1
    for layer in network.body.layers:
        if isinstance(layer, resnet.DiscriminatorBlock):
            index += 1
            _assign_block(arrays, layer, f"blocks.{index}.0")
        else:
            _assign_attention(arrays, layer, f"blocks.{index}.1")
    layers.assign(arrays, network.head, "linear")
    layers.assign(arrays, network.label_head.embedding, "embed")
    return network


def _kinds(arrays):
    """Returns whether the latents are hierarchical, and whether the label embedding is shared."""
    shared = "shared.weight" in arrays
    gain = arrays.shape("blocks.0.0.bn1.gain.weight", 2)
    return shared and gain[1] > arrays.shape("shared.weight", 2)[1], shared


def _attention(arrays, resolutions):
    """Returns the resolution whose block is followed by self-attention, or None."""
    found = [resolution for index, resolution in enumerate(resolutions) if f"blocks.{index}.1.gamma" in arrays]
    if len(found) > 1:
        raise UserError(f"ganlib's biggan has self-attention at one resolution, and this network at {found}")
    return found[0] if found else None


def _assign_block(arrays, block, prefix):
    for layer, name in ((block.first_conv, "conv1"), (block.second_conv, "conv2"), (block.skip_conv, "conv_sc")):
        if layer.weights:
            layers.assign(arrays, layer, f"{prefix}.{name}")


def _assign_attention(arrays, layer, prefix):
    if isinstance(layer, SelfAttention):
        arrays.assign(layer.scale, f"{prefix}.gamma")
        for part, name in ((layer.queries, "theta"), (layer.keys, "phi"), (layer.values, "g"), (layer.outputs, "o")):
            layers.assign(arrays, part, f"{prefix}.{name}")
