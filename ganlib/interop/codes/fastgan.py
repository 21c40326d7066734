"""FastGAN's generator in the code of Projected GAN: Liu et al. 2021 (arXiv:2101.04775), Sauer et al. 2021 (arXiv:2111.01007).

The arrays are those of ``pg_modules.networks_fastgan.Generator``, with and without labels, also in its lite form. Files of
FastGAN's own repository have other layers and are not read: blocks with one and two convolutions take turns, latents are not
normalized, and images of two sizes pass through a tanh.
"""

import re

import numpy as np

from ganlib.errors import UserError
from ganlib.interop import layers
from ganlib.networks import fastgan

SOURCE = "https://github.com/autonomousvision/projected-gan"
LICENSE = "MIT"
GENERATOR_PARTS = ("G_ema", "G")
DISCRIMINATOR_PARTS = ("D",)

SYNTHESIS = "synthesis"


def generator(arrays):
    """Builds the generator with its weights."""
    latent_dim, start, *_ = arrays.shape(f"{SYNTHESIS}.init.init.0.weight_orig", 4)
    width = start // (2 * fastgan.WIDTHS[0])
    channels, last = arrays.shape(f"{SYNTHESIS}.to_big.weight_orig", 4)[:2]
    conditional = f"{SYNTHESIS}.embed.weight" in arrays
    convs = ("conv", "conv1") if conditional else ("1",)
    size = _size(arrays, width, last, convs)
    network = fastgan.Generator(
        (size, size, channels), latent_dim, width, arrays.shape(f"{SYNTHESIS}.embed.weight", 2)[0] if conditional else None,
        light=not any(f"{SYNTHESIS}.feat_8.{name}.weight_orig" in arrays for name in ("5", "conv2")),
    )  # fmt: skip
    _assign_start(arrays, network)
    for stage, (block, excitation) in enumerate(zip(network.blocks, network.excitations, strict=True), start=1):
        side = 4 << stage
        _assign_block(arrays, block, f"{SYNTHESIS}.feat_{side}", conditional)
        if excitation:
            _assign_excitation(arrays, excitation, f"{SYNTHESIS}.se_{side}")
    layers.assign(arrays, network.conv, f"{SYNTHESIS}.to_big")
    if conditional:
        layers.assign(arrays, network.embedding, f"{SYNTHESIS}.embed")
    # The code always creates the layers up to 256x256.
    unused = "|".join(str(side) for side in (128, 256) if side > size) or "none"
    arrays.skip(rf".*num_batches_tracked|{re.escape(SYNTHESIS)}\.(feat|se)_({unused})\..*")
    return network


def _size(arrays, width, last, convs):
    """Returns the size of the images: the largest stage whose channels the last convolution takes."""
    name = rf"{re.escape(SYNTHESIS)}\.feat_(\d+)\.({'|'.join(convs)})\.weight_orig"
    sides = [int(side) for side in arrays.matching(name)]
    fitting = [s for s in sides if s in fastgan.STAGES and _width(width, s) == last and s >= 128]
    if not fitting:
        raise UserError(f"this is not a generator of FastGAN: its last convolution takes {last} channels")
    return max(fitting)


def _width(width, side):
    return int(fastgan.WIDTHS[fastgan.STAGES[side]] * width)


def _assign_start(arrays, network):
    name = f"{SYNTHESIS}.init.init.0"
    kernel = arrays.take(f"{name}.weight_orig", "first_of_a_generator")
    arrays.assign_value(network.start.layer.kernel, kernel, f"{name}.weight_orig")
    arrays.assign(network.start.singular_vector, f"{name}.weight_u")
    arrays.assign(network.start.left_singular_vector, f"{name}.weight_v")
    layers.assign_batch_norm(arrays, network.gate.norm, f"{SYNTHESIS}.init.init.1")


def _assign_block(arrays, block, name, conditional):
    convs, norms, noises = ("1", "5"), ("3", "7"), ("2.weight", "6.weight")
    if block.light:
        convs, norms = (("conv",), ("bn",)) if conditional else (("1",), ("2",))
    elif conditional:
        convs, norms, noises = ("conv1", "conv2"), ("bn1", "bn2"), ("noise.weight",)
    for conv, gate, conv_name, norm_name in zip(block.convs, block.gates, convs, norms, strict=True):
        layers.assign(arrays, conv, f"{name}.{conv_name}")
        _assign_norm(arrays, gate.norm, f"{name}.{norm_name}", conditional)
    if not block.light:
        strengths = [np.atleast_1d(arrays.take(f"{name}.{noise}")) for noise in noises]
        arrays.assign_value(block.strengths, np.concatenate(strengths), f"{name}.{noises[0]}")


def _assign_norm(arrays, norm, name, conditional):
    if not conditional:
        layers.assign_batch_norm(arrays, norm, name)
        return
    layers.assign_batch_norm(arrays, norm.normalization, name, mean="stored_mean", variance="stored_var")
    layers.assign(arrays, norm.gain, f"{name}.gain")
    layers.assign(arrays, norm.bias, f"{name}.bias")


def _assign_excitation(arrays, excitation, name):
    """Assigns a convolution of 4x4 maps to a dense layer of their numbers, whose order is (height, width, channels)."""
    gather = f"{name}.main.1"
    kernel = arrays.take(f"{gather}.weight_orig", "conv")
    arrays.assign_value(excitation.gather.layer.kernel, kernel.reshape(-1, kernel.shape[-1]), f"{gather}.weight_orig")
    arrays.assign(excitation.gather.singular_vector, f"{gather}.weight_u")
    left = layers.as_maps(arrays.take(f"{gather}.weight_v"), kernel.shape[0])
    arrays.assign_value(excitation.gather.left_singular_vector, left, f"{gather}.weight_v")
    spread = f"{name}.main.3"
    kernel = arrays.take(f"{spread}.weight_orig", "conv")
    arrays.assign_value(excitation.spread.layer.kernel, kernel.reshape(kernel.shape[2:]), f"{spread}.weight_orig")
    arrays.assign(excitation.spread.singular_vector, f"{spread}.weight_u")
    arrays.assign(excitation.spread.left_singular_vector, f"{spread}.weight_v")


def discriminator(arrays):
    """Raises an error: discriminators of that code are those of ``projected_gan``."""
    raise UserError("the code fastgan has no discriminator: use projected_gan")
