"""StyleGAN2-ADA's arrays, by their names and shapes in the authors' code. `tests.parity` compares the numbers."""

import numpy as np
import pytest

import ganlib
from ganlib import interop

RNG = np.random.default_rng(0)


def dense(name, inputs, outputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def generator_shapes(size, base, width, layers, classes, latent_dim=6):
    """Returns name -> shape of a generator with constants for the resampling filters."""
    shapes = dense("mapping.fc0", latent_dim * (2 if classes else 1), latent_dim) | {"mapping.w_avg": (latent_dim,)}
    for index in range(1, layers):
        shapes |= dense(f"mapping.fc{index}", latent_dim, latent_dim)
    if classes:
        shapes |= dense("mapping.embed", classes, latent_dim)
    before, side = None, 4
    while side <= size:
        channels, block = min(base // side, width), f"synthesis.b{side}"
        if before is None:
            shapes[f"{block}.const"] = (channels, 4, 4)
        shapes[f"{block}.resample_filter"] = (4, 4)
        convs = {"conv1": channels} if before is None else {"conv0": before, "conv1": channels}
        for name, inputs in convs.items():
            shapes |= dense(f"{block}.{name}.affine", latent_dim, inputs)
            shapes |= {f"{block}.{name}.weight": (channels, inputs, 3, 3), f"{block}.{name}.bias": (channels,)}
            shapes |= {f"{block}.{name}.noise_strength": (), f"{block}.{name}.noise_const": (side, side)}
        shapes |= dense(f"{block}.torgb.affine", latent_dim, channels)
        shapes |= {f"{block}.torgb.weight": (3, channels, 1, 1), f"{block}.torgb.bias": (3,)}
        before, side = channels, 2 * side
    return shapes


def discriminator_shapes(size, base, width, classes, residual):
    channels, side, shapes = min(base // size, width), size, {}
    shapes |= {f"b{size}.fromrgb.weight": (channels, 3, 1, 1), f"b{size}.fromrgb.bias": (channels,)}
    while side > 4:
        after = min(base // (side // 2), width)
        shapes |= {f"b{side}.conv0.weight": (channels, channels, 3, 3), f"b{side}.conv0.bias": (channels,)}
        shapes |= {f"b{side}.conv1.weight": (after, channels, 3, 3), f"b{side}.conv1.bias": (after,)}
        shapes |= {f"b{side}.skip.weight": (after, channels, 1, 1)} if residual else {}
        channels, side = after, side // 2
    shapes |= {"b4.conv.weight": (channels, channels + 1, 3, 3), "b4.conv.bias": (channels,)}
    shapes |= dense("b4.fc", 16 * channels, channels) | dense("b4.out", channels, channels if classes else 1)
    if classes:
        shapes |= dense("mapping.embed", classes, channels)
        for index in range(8):
            shapes |= dense(f"mapping.fc{index}", channels, channels)
    return shapes


def arrays(shapes):
    return {name: RNG.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("size", "base", "width", "layers", "classes", "residual"),
    [
        (32, 512, 16, 2, 10, False),  # CIFAR-10 with labels: the same number of channels at all resolutions
        (32, 512, 16, 2, None, False),
        (64, 256, 32, 8, None, True),  # fewer channels at high resolutions
        (1024, 4096, 8, 8, None, True),
    ],
)
def test_sizes_are_those_of_the_arrays(size, base, width, layers, classes, residual):
    generator = interop.generator("stylegan2_ada", arrays(generator_shapes(size, base, width, layers, classes)))
    assert generator.image_shape == (size, size, 3)
    assert (generator.latent_dim, generator.num_classes, generator.mapping_layers) == (6, classes, layers)
    assert [conv.filters for conv in generator.convs[::2]] == [min(base >> k, width) for k in range(2, size.bit_length())]
    state = arrays(discriminator_shapes(size, base, width, classes, residual))
    discriminator = interop.discriminator("stylegan2_ada", state)
    assert discriminator.image_shape == (size, size, 3)
    assert (discriminator.num_classes, discriminator.residual, discriminator.group_size) == (classes, residual, 4)
    dense_layer = discriminator.body.layers[-1]
    maps = state["b4.fc.weight"].reshape(-1, len(state["b4.fc.weight"]), 4, 4)  # outputs, channels, rows, columns
    np.testing.assert_array_equal(dense_layer.kernel.numpy().reshape(4, 4, len(maps), -1).transpose(3, 2, 0, 1), maps)


GENERATOR, DISCRIMINATOR = (8, 64, 8, 2, None), (8, 64, 8, None, True)


@pytest.mark.parametrize(
    ("which", "change", "message"),
    [
        ("generator", lambda s: {"l1.weight": (3, 4)}, "not a network of stylegan2_ada: it has no arrays such as 'synthesis.b"),
        (
            "discriminator",
            lambda s: {"l1.weight": (3, 4)},
            "not a network of stylegan2_ada: it has no arrays such as 'b32.conv0",
        ),
        ("generator", lambda s: {**s, "extra": (2,)}, "1 arrays of this stylegan2_ada network are left over: extra"),
        ("generator", lambda s: {**s, "mapping.w_avg": (7,)}, r"'mapping.w_avg' .* does not fit: .* \(6,\), got \(7,\)"),
        ("generator", lambda s: {**s, "mapping.fc0.weight": (6,)}, r"must have two axes or more, got the shape \(6,\)"),
        ("generator", lambda s: {**s, "synthesis.b4.const": (8,)}, "'synthesis.b4.const' .* does not fit"),
        ("generator", lambda s: {k: v for k, v in s.items() if k != "mapping.fc0.weight"}, "no array 'mapping.fc0.weight'"),
        ("discriminator", lambda s: {**s, "b4.fc.weight": (8, 100)}, "'b4.fc.weight' .* does not fit"),
        ("discriminator", lambda s: {**s, "b4.fc.weight": (100,)}, "'b4.fc.weight' .* must have 2 axes"),
        ("discriminator", lambda s: {**s, "b4.fromrgb.weight": (8, 3, 1, 1)}, "left over: b4.fromrgb.weight"),  # "skip"
    ],
)
def test_other_arrays_are_one_line(which, change, message):
    shapes = generator_shapes(*GENERATOR) if which == "generator" else discriminator_shapes(*DISCRIMINATOR)
    with pytest.raises(ganlib.UserError, match=message) as error:
        getattr(interop, which)("stylegan2_ada", arrays(change(shapes)))
    assert "\n" not in str(error.value)
