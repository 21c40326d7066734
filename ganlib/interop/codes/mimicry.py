"""mimicry: Lee & Town 2020, "Mimicry: towards the reproducibility of GAN research" (arXiv:2005.02494).

SNGAN at 32x32, 48x48, 64x64 and 128x128, and the projection cGAN at 32x32 and 128x128. Checkpoints are files of PyTorch, one
for each network, with the part ``model_state_dict``.
"""

from ganlib.errors import UserError
from ganlib.interop import layers
from ganlib.networks import resnet

SOURCE = "https://github.com/kwotsin/mimicry"
LICENSE = "MIT"
GENERATOR_PARTS = ("model_state_dict", "G_ema", "G")
DISCRIMINATOR_PARTS = ("D",)  # in the authors' files it is a model_state_dict too, in another file

SIZES_BY_BLOCKS = {3: (32, 48), 4: (64,), 5: (128,)}
"""The generator's number of blocks -> the sizes of its images."""

SIZES_BY_HEAD = {(4, "5"): 32, (5, "5"): 48, (5, "6"): 64, (6, "7"): 128}
"""The discriminator's number of blocks and the number in the name of its head -> the size of its images."""


def generator(arrays):
    """Builds the generator with its weights.

    Raises:
        UserError: If the arrays are not those of such a network.
    """
    blocks = arrays.matching(r"block(\d+)\.c1\.weight")
    last = f"{len(blocks) + 2}"
    channels = arrays.shape(f"c{last}.weight", 4)[0]
    units, latent_dim = arrays.shape("l1.weight", 2)
    first = arrays.shape(f"block{blocks[0]}.c1.weight", 4)[1] if blocks else 0
    if len(blocks) not in SIZES_BY_BLOCKS or not first:
        raise UserError(f"this is not a generator of mimicry: it has {len(blocks)} blocks")
    side = round((units / first) ** 0.5)
    size = side << len(blocks)
    if size not in SIZES_BY_BLOCKS[len(blocks)]:
        raise UserError(f"this is not a generator of mimicry: its images would be {size}x{size}")
    width = first // resnet.GENERATOR_WIDTHS[size][0]
    conditional = f"block{blocks[0]}.b1.embed.weight" in arrays
    num_classes = arrays.shape(f"block{blocks[0]}.b1.embed.weight", 2)[0] if conditional else None
    network = resnet.Generator((size, size, channels), latent_dim, width, num_classes, upsampling="bilinear")
    layers.assign(arrays, network.dense, "l1", side)
    for block, number in zip(network.blocks, blocks, strict=True):
        for layer, name in ((block.first_conv, "c1"), (block.second_conv, "c2"), (block.skip_conv, "c_sc")):
            layers.assign(arrays, layer, f"block{number}.{name}")
        for layer, name in ((block.first_norm, "b1"), (block.second_norm, "b2")):
            _assign_norm(arrays, layer, f"block{number}.{name}", conditional)
    layers.assign_batch_norm(arrays, network.norm, f"b{last}")
    layers.assign(arrays, network.conv, f"c{last}")
    arrays.skip(r".*num_batches_tracked")
    return network


def _assign_norm(arrays, layer, name, conditional):
    if not conditional:
        layers.assign_batch_norm(arrays, layer, name)
        return
    layers.assign_batch_norm(arrays, layer.normalization, f"{name}.bn")
    table = arrays.take(f"{name}.embed.weight", "rows")
    half = table.shape[1] // 2
    arrays.assign_value(layer.gain.embeddings, table[:, :half], f"{name}.embed.weight")
    arrays.assign_value(layer.bias.embeddings, table[:, half:], f"{name}.embed.weight")


def discriminator(arrays):
    """Builds the discriminator with its weights.

    Raises:
        UserError: If the arrays are not those of such a network.
    """
    blocks = arrays.matching(r"block(\d+)\.c1\.weight(?:_orig)?")
    heads = arrays.matching(r"l(\d+)\.weight(?:_orig)?")
    size = SIZES_BY_HEAD.get((len(blocks), *heads))
    if size is None:
        raise UserError(f"this is not a discriminator of mimicry: it has {len(blocks)} blocks")
    head, is_conditional = f"l{heads[0]}", "l_y.weight" in arrays or "l_y.weight_orig" in arrays
    width, channels = _kernel_shape(arrays, f"block{blocks[0]}.c1", 4)[:2]
    network = resnet.Discriminator(
        (size, size, channels), width, _kernel_shape(arrays, "l_y", 2)[0] if is_conditional else None,
        spectral_norm=layers.spectral_norm_of(arrays, f"block{blocks[0]}.c1"),
        head_spectral_norm=layers.spectral_norm_of(arrays, head), activated_shortcut=True,
    )  # fmt: skip
    body = [layer for layer in network.body.layers if isinstance(layer, resnet.DiscriminatorBlock)]
    for block, number in zip(body, blocks, strict=True):
        for layer, name in ((block.first_conv, "c1"), (block.second_conv, "c2"), (block.skip_conv, "c_sc")):
            if layer.weights:
                layers.assign(arrays, layer, f"block{number}.{name}")
    layers.assign(arrays, network.head, head)
    if is_conditional:
        layers.assign(arrays, network.label_head.embedding, "l_y")
    return network


def _kernel_shape(arrays, name, axes):
    return arrays.shape(f"{name}.weight_orig" if f"{name}.weight_orig" in arrays else f"{name}.weight", axes)
