"""StyleGAN2-ADA: NVIDIA's PyTorch code, also its files of networks for FFHQ, MetFaces, AFHQ, BreCaHAD and CIFAR-10.

The size of the groups of `ganlib.layers.MinibatchDeviation` is read from NVIDIA's pickles. Other files do not have it, and the
discriminator gets that of the authors' settings for its image size: 32 at 32x32, 8 at 256x256 and 512x512, and otherwise 4.
"""

from ganlib.errors import UserError
from ganlib.interop.layers import as_maps
from ganlib.networks import stylegan2

SOURCE = "https://github.com/NVlabs/stylegan2-ada-pytorch"
LICENSE = "Nvidia Source Code License: for research and evaluation only, not for commercial use."
GENERATOR_PARTS = ("G_ema", "G")
DISCRIMINATOR_PARTS = ("D",)

GROUP_SIZE = "b4.mbstd.group_size"
GROUP_SIZES = {32: 32, 256: 8, 512: 8}
"""Image size -> the size of groups in the authors' settings cifar, paper256 and paper512."""

FILTERS = r"(.*\.)?resample_filter"


def generator(arrays):
    """Builds `ganlib.networks.stylegan2.Generator`."""
    size, widths = _sizes(arrays, r"synthesis\.b(\d+)\.torgb\.weight", "synthesis.b{}.torgb.weight")
    num_layers = len(arrays.matching(r"mapping\.fc(\d+)\.weight"))
    channels = arrays.shape(f"synthesis.b{size}.torgb.weight", 4)[0]
    num_classes = arrays.shape("mapping.embed.weight", 2)[1] if "mapping.embed.weight" in arrays else None
    latent_dim = arrays.shape("mapping.fc0.weight", 2)[1] // (2 if num_classes else 1)
    network = stylegan2.Generator(
        (size, size, channels), latent_dim, num_classes=num_classes, mapping_layers=num_layers, **widths
    )
    if num_classes:
        _assign_dense(arrays, network.embedding, "mapping.embed")
    for index, layer in enumerate(network.mapping.layers):
        _assign_dense(arrays, layer, f"mapping.fc{index}")
    arrays.assign(network.average_style, "mapping.w_avg")
    convs = iter(network.convs)
    for index, (to_image, bias) in enumerate(zip(network.to_images, network.image_biases, strict=True)):
        block = f"synthesis.b{4 << index}"
        if index == 0:
            constant = arrays.take(f"{block}.const")
            arrays.assign_value(
                network.constant, constant.transpose(1, 2, 0) if constant.ndim == 3 else constant, f"{block}.const"
            )
        for name in ("conv1",) if index == 0 else ("conv0", "conv1"):
            _assign_styled(arrays, next(convs), f"{block}.{name}")
        _assign_modulated(arrays, to_image, f"{block}.torgb")
        arrays.assign(bias, f"{block}.torgb.bias")
    arrays.skip(FILTERS)
    return network


def discriminator(arrays):
    """Builds `ganlib.networks.stylegan2.Discriminator`: residual, or without shortcuts."""
    size, widths = _sizes(arrays, r"b(\d+)\.conv0\.weight", "b{}.conv0.weight")
    channels = arrays.shape(f"b{size}.fromrgb.weight", 4)[1]
    num_classes = arrays.shape("mapping.embed.weight", 2)[1] if "mapping.embed.weight" in arrays else None
    arguments = {"residual": f"b{size}.skip.weight" in arrays, "num_classes": num_classes, **widths}
    if num_classes:
        arguments["label_layers"] = len(arrays.matching(r"mapping\.fc(\d+)\.weight"))
    groups = GROUP_SIZES.get(size, 4) if GROUP_SIZE not in arrays else int(arrays.take(GROUP_SIZE))
    network = stylegan2.Discriminator((size, size, channels), group_size=groups, **arguments)
    first, *blocks, _, conv, _, dense = network.body.layers
    _assign_conv(arrays, first, f"b{size}.fromrgb")
    for index, block in enumerate(blocks):
        name = f"b{size >> index}"
        _assign_conv(arrays, block.first, f"{name}.conv0")
        _assign_conv(arrays, block.second, f"{name}.conv1")
        if block.residual:
            _assign_conv(arrays, block.skip, f"{name}.skip")
    _assign_conv(arrays, conv, "b4.conv")
    kernel = arrays.take("b4.fc.weight", "dense")
    if kernel.shape == tuple(dense.kernel.shape):
        kernel = as_maps(kernel.T, 4).T
    arrays.assign_value(dense.kernel, kernel, "b4.fc.weight")
    arrays.assign(dense.bias, "b4.fc.bias")
    _assign_dense(arrays, network.head, "b4.out")
    if num_classes:
        _assign_dense(arrays, network.label_head.embedding, "mapping.embed")
        for index, layer in enumerate(network.label_head.mapping):
            _assign_dense(arrays, layer, f"mapping.fc{index}")
    arrays.skip(FILTERS)
    return network


def _sizes(arrays, pattern, name):
    """Returns the size of the images, and the arguments of both networks for the number of channels.

    Args:
        arrays: The arrays.
        pattern: A regular expression of the names of one convolution for each resolution, which its group matches.
        name: The name of this convolution's weight, with ``{}`` for the resolution. Its second axis has the channels.

    Raises:
        UserError: If no name matches, or the largest resolution is not one of the network.
    """
    resolutions = sorted(map(int, arrays.matching(pattern)))
    if not resolutions or resolutions[-1] not in stylegan2.STAGES:
        raise UserError(f"this is not a network of {arrays.code}: it has no arrays such as {name.format(32)!r}")
    channels = [arrays.shape(name.format(resolution), 4)[1] for resolution in resolutions]
    size = resolutions[-1]
    return size, {"width": max(channels), "channels_base": channels[-1] * size}


def _assign_dense(arrays, layer, name):
    arrays.assign(layer.kernel, f"{name}.weight", "dense")
    arrays.assign(layer.bias, f"{name}.bias")


def _assign_conv(arrays, layer, name):
    arrays.assign(layer.kernel, f"{name}.weight", "conv")
    if layer.activate:
        arrays.assign(layer.bias, f"{name}.bias")


def _assign_modulated(arrays, layer, name):
    arrays.assign(layer.kernel, f"{name}.weight", "conv")
    _assign_dense(arrays, layer.affine, f"{name}.affine")


def _assign_styled(arrays, layer, name):
    _assign_modulated(arrays, layer.conv, name)
    arrays.assign_value(layer.noise, arrays.take(f"{name}.noise_const")[..., None], f"{name}.noise_const")
    arrays.assign(layer.strength, f"{name}.noise_strength")
    arrays.assign(layer.bias, f"{name}.bias")
