"""StyleGAN2-ADA's arrays, by their names and shapes in the authors' code. `tests.parity` compares the numbers."""

import numpy as np
import pytest

import ganlib
from ganlib import interop
from tests.interop import torch_files
from tests.interop.states import from_shapes, stylegan2_discriminator_shapes, stylegan2_generator_shapes


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
    generator = interop.generator("stylegan2_ada", from_shapes(stylegan2_generator_shapes(size, base, width, layers, classes)))
    assert generator.image_shape == (size, size, 3)
    assert (generator.latent_dim, generator.num_classes, generator.mapping_layers) == (6, classes, layers)
    assert [conv.filters for conv in generator.convs[::2]] == [min(base >> k, width) for k in range(2, size.bit_length())]
    state = from_shapes(stylegan2_discriminator_shapes(size, base, width, classes, residual))
    discriminator = interop.discriminator("stylegan2_ada", state)
    assert discriminator.image_shape == (size, size, 3)
    assert (discriminator.num_classes, discriminator.residual) == (classes, residual)
    dense_layer = discriminator.body.layers[-1]
    maps = state["b4.fc.weight"].reshape(-1, len(state["b4.fc.weight"]), 4, 4)  # outputs, channels, rows, columns
    np.testing.assert_array_equal(dense_layer.kernel.numpy().reshape(4, 4, len(maps), -1).transpose(3, 2, 0, 1), maps)


@pytest.mark.parametrize(("size", "expected"), [(8, 4), (32, 32), (64, 4), (256, 8), (512, 8), (1024, 4)])
def test_groups_are_those_of_the_file_or_of_the_authors_settings(tmp_path, size, expected):
    state = from_shapes(stylegan2_discriminator_shapes(size, 8 * size, 8, None, True))
    assert interop.discriminator("stylegan2_ada", state).group_size == expected
    attributes = {"b4": {"mbstd": {"group_size": 2}}}
    with_module = state | {"b4.mbstd.unused": np.zeros(1, np.float32)}
    torch_files.write_nvidia(tmp_path / "network.pkl", {"D": with_module}, attributes=attributes)
    read = interop.read(tmp_path / "network.pkl")["D"]
    del read["b4.mbstd.unused"]
    assert interop.discriminator("stylegan2_ada", read).group_size == 2


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
        ("generator", lambda s: {**s, "mapping.fc0.weight": (6,)}, r"must have 2 axes, got the shape \(6,\)"),
        ("generator", lambda s: {**s, "synthesis.b4.const": (8,)}, "'synthesis.b4.const' .* does not fit"),
        ("generator", lambda s: {k: v for k, v in s.items() if k != "mapping.fc0.weight"}, "no array 'mapping.fc0.weight'"),
        ("discriminator", lambda s: {**s, "b4.fc.weight": (8, 100)}, "'b4.fc.weight' .* does not fit"),
        ("discriminator", lambda s: {**s, "b4.fc.weight": (100,)}, "'b4.fc.weight' .* must have 2 axes"),
        ("discriminator", lambda s: {**s, "b4.fromrgb.weight": (8, 3, 1, 1)}, "left over: b4.fromrgb.weight"),  # "skip"
    ],
)
def test_other_arrays_are_one_line(which, change, message):
    shapes = stylegan2_generator_shapes(*GENERATOR) if which == "generator" else stylegan2_discriminator_shapes(*DISCRIMINATOR)
    with pytest.raises(ganlib.UserError, match=message) as error:
        getattr(interop, which)("stylegan2_ada", from_shapes(change(shapes)))
    assert "\n" not in str(error.value)
