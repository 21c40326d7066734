import itertools

import pytest

import ganlib
from ganlib.networks import biggan, dcgan, fastgan, improved_conv, r3gan, resnet, shapes, stylegan2

DOUBLINGS = {8: 1, 28: 2, 32: 3, 64: 4}


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((8, 8), 8), ((64, 96), 64), ((96, 64), 64), ((48, 64), 32), ((96, 128), 64), ((28, 84), 28), ((26, 30), 8),
        ((64, 6400), 64),
    ],
)  # fmt: skip
def test_a_shape_has_the_layers_of_a_listed_size(shape, size):
    assert shapes.size_of((*shape, 3), DOUBLINGS, "mine") == size


@pytest.mark.parametrize(
    ("shape", "advice"),
    [
        ((6, 64), "choose a shorter side from 8 to 127"),
        ((128, 192), "choose a shorter side from 8 to 127"),
        ((9, 64), "both sides must be multiples of 2, such as 8x64"),
        ((64, 100), "both sides must be multiples of 16, such as 64x96"),
        ((127, 63), "both sides must be multiples of 8, such as 120x56"),
    ],
)
def test_other_shapes_are_rejected_with_advice(shape, advice):
    with pytest.raises(ganlib.UserError, match=f"^mine cannot generate images of {shape[0]}x{shape[1]}: {advice}$"):
        shapes.size_of((*shape, 3), DOUBLINGS, "mine")


@pytest.mark.parametrize("network", [biggan, dcgan, fastgan, improved_conv, r3gan, resnet, stylegan2])
def test_the_advice_is_a_supported_shape(network):
    for shape in itertools.product((29, 35, 50, 61), (31, 63, 97)):
        with pytest.raises(ganlib.UserError, match="such as") as error:
            shapes.size_of((*shape, 3), network.STAGES, "mine")
        height, width = map(int, str(error.value).rpartition(" ")[2].split("x"))
        size = shapes.size_of((height, width, 3), network.STAGES, "mine")
        assert min(shapes.lowest((height, width, 3), network.STAGES[size])) >= 2
        assert size == max(s for s in network.STAGES if s <= min(shape))


def test_every_listed_square_is_supported():
    for network in (biggan, dcgan, fastgan, improved_conv, r3gan, resnet, stylegan2):
        assert [shapes.size_of((size, size, 1), network.STAGES, "mine") for size in network.STAGES] == list(network.STAGES)
