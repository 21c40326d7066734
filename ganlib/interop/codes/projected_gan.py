"""Projected GAN: Sauer et al. 2021, "Projected GANs converge faster" (arXiv:2111.01007).

Files of its training hold ``G``, ``G_ema`` and ``D``. The generator is FastGAN's, or StyleGAN2's (read as the code
``stylegan2_ada``). The discriminator holds its EfficientNet-Lite0, as the library timm names its arrays, the random mixing and
the small discriminators, with and without labels. The separable ones, which the code combines with StyleGAN2, are not read.
"""

import re

from ganlib.errors import UserError
from ganlib.interop import layers
from ganlib.interop.codes import fastgan
from ganlib.networks import projected

SOURCE = "https://github.com/autonomousvision/projected-gan"
LICENSE = "MIT; its generator of StyleGAN2 has NVIDIA's license"
GENERATOR_PARTS = ("G_ema", "G")
DISCRIMINATOR_PARTS = ("D",)
DISCRIMINATOR_TELLS_SIZE = False

PRETRAINED, SCRATCH, DISCS = "feature_network.pretrained", "feature_network.scratch", "discriminator.mini_discs"
PLACES = {1: "layer0.3", 2: "layer0.4", 3: "layer1.0", 4: "layer2.0", 5: "layer2.1", 6: "layer3.0", 7: "layer3.1"}
"""Stage of EfficientNet-Lite -> where the code keeps its blocks."""
SIDE = 256
"""The size of the images; the arrays do not tell it, and the network takes images of this size and larger ones."""


def generator(arrays):
    """Builds the generator with its weights."""
    if "mapping.fc0.weight" in arrays:
        from ganlib.interop.codes import stylegan2_ada

        return stylegan2_ada.generator(arrays)
    return fastgan.generator(arrays)


def discriminator(arrays):
    """Builds the discriminator with its weights, for images of 256x256.

    Raises:
        UserError: If it has separable convolutions, or another backbone.
    """
    if f"{DISCS}.0.main.0.main.0.depthwise.weight_orig" in arrays:
        raise UserError("this is a discriminator of projected_gan with separable convolutions, which ganlib does not have")
    width = arrays.shape(f"{SCRATCH}.layer0_ccm.weight", 4)[0]
    embedding = f"{DISCS}.0.embed.weight"
    network = projected.Discriminator(
        (SIDE, SIDE, 3), arrays.shape(embedding, 2)[0] if embedding in arrays else None, weights=None, width=width,
        backbone=f"efficientnet_lite:{_variant(arrays)}", constant_width=constant_width(arrays, DISCS),
    )  # fmt: skip
    assign_backbone(arrays, network.backbone)
    assign_mixing(arrays, network.mixing, SCRATCH)
    assign_scales(arrays, network.scales, DISCS)
    arrays.skip(r".*num_batches_tracked")
    return network


def constant_width(arrays, prefix):
    """Returns the channels of the small discriminators if all of their layers have the same number, and otherwise None."""
    indices = arrays.matching(rf"{re.escape(prefix)}\.0\.main\.(\d+)\.main\.0\.weight_orig")
    widths = {arrays.shape(f"{prefix}.0.main.{index}.main.0.weight_orig", 4)[0] for index in indices}
    return widths.pop() if len(widths) == 1 else None


def _variant(arrays):
    """Returns the number of the EfficientNet-Lite with as many blocks in its third stage, of those with Lite0's widths."""
    blocks = len(arrays.matching(rf"{re.escape(PRETRAINED)}\.layer1\.0\.(\d+)\.conv_dw\.weight"))
    variants = {2: 0, 3: 1}
    if blocks not in variants:
        raise UserError(f"this is not a discriminator of projected_gan: its EfficientNet-Lite has {blocks} blocks in stage 3")
    return variants[blocks]


def assign_backbone(arrays, backbone):
    """Assigns the EfficientNet-Lite by timm's names of its arrays."""
    network = backbone.network
    _assign_conv(arrays, network, "stem", f"{PRETRAINED}.layer0.0", f"{PRETRAINED}.layer0.1")
    blocks = [layer.name.removesuffix("_narrow") for layer in network.layers if layer.name.endswith("_narrow")]
    for block in blocks:
        stage, number = re.fullmatch(r"stage(\d+)_block(\d+)", block).groups()
        name = f"{PRETRAINED}.{PLACES[int(stage)]}.{int(number) - 1}"
        widens = f"{name}.conv_pwl.weight" in arrays  # blocks that do not widen have other names
        parts = (
            {"widen": "conv_pw", "depthwise": "conv_dw", "narrow": "conv_pwl"}
            if widens
            else {"depthwise": "conv_dw", "narrow": "conv_pw"}
        )
        for index, (ours, theirs) in enumerate(parts.items(), start=1):
            _assign_conv(arrays, network, f"{block}_{ours}", f"{name}.{theirs}", f"{name}.bn{index}")


def _assign_conv(arrays, network, layer, conv_name, norm_name):
    kernel = network.get_layer(layer).weights[0]
    arrays.assign(kernel, f"{conv_name}.weight", "depthwise" if layer.endswith("depthwise") else "conv")
    layers.assign_batch_norm(arrays, network.get_layer(f"{layer}_norm"), norm_name)


def assign_mixing(arrays, mixing, prefix):
    """Assigns the random convolutions across channels and across scales."""
    for scale, (across_channels, across_scales) in enumerate(zip(mixing.across_channels, mixing.across_scales, strict=True)):
        layers.assign(arrays, across_channels, f"{prefix}.layer{scale}_ccm")
        layers.assign(arrays, across_scales, f"{prefix}.layer{scale}_csm.out_conv")


def assign_scales(arrays, scales, prefix):
    """Assigns the small discriminators."""
    for number, scale in enumerate(scales):
        name = f"{prefix}.{number}"
        for index, (conv, norm) in enumerate(zip(scale.convs, scale.norms, strict=True)):
            layers.assign(arrays, conv, f"{name}.main.{index}.main.0")
            layers.assign_batch_norm(arrays, norm, f"{name}.main.{index}.main.1")
        if scale.num_classes:
            layers.assign(arrays, scale.judge, f"{name}.cls")
            layers.assign(arrays, scale.embedding, f"{name}.embed")
            layers.assign(arrays, scale.projection, f"{name}.embed_proj.0")
        else:
            layers.assign(arrays, scale.judge, f"{name}.main.{len(scale.convs)}")
