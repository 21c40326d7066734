import itertools
import math

import keras
import numpy as np
import pytest

import ganlib
from ganlib.networks import r3gan


def parameters(network):
    return sum(math.prod(v.shape) for v in network.trainable_variables)


def count_parameters_of_stages(widths, cardinalities, blocks):
    """Counts the parameters of residual blocks and width changes in R3GAN/Networks.py of github.com/brownvc/R3GAN.

    A block has two 1x1 convolutions, a grouped 3x3 convolution and two biases; a width change is a 1x1 convolution.
    """
    total = 0
    for width, cardinality in zip(widths, cardinalities, strict=True):
        wide = 2 * width
        total += blocks * (2 * width * wide + wide * (wide // cardinality) * 9 + 2 * wide)
    return total + sum(a * b for a, b in itertools.pairwise(widths) if a != b)


@pytest.mark.parametrize(
    ("size", "classes", "arguments", "widths", "cardinalities"),
    [
        (32, 10, {}, [768] * 4, [96] * 4),  # CIFAR10 in train.py
        (64, None, {}, [768] * 4 + [384], [96] * 4 + [48]),  # FFHQ-64
        (256, None, {}, [768] * 4 + [384, 192, 96], [96] * 4 + [48, 24, 12]),  # FFHQ-256
        pytest.param(32, 1000, {"width": 1536, "group_width": 32}, [1536] * 4, [96] * 4, marks=pytest.mark.slow),  # ImageNet-32
        # ImageNet-64, at a quarter of its width
        (64, 1000, {"width": 384, "group_width": 32, "full_width": 64}, [384] * 5, [24] * 5),
    ],
)
def test_parameters_match_the_authors_presets(size, classes, arguments, widths, cardinalities):
    shape, condition = (size, size, 3), 64 if classes else 0
    stages = count_parameters_of_stages(widths, cardinalities, blocks=2)
    generator = r3gan.Generator(shape, num_classes=classes, **arguments)
    basis = 16 * widths[0] + (64 + condition) * widths[0]
    assert parameters(generator) == stages + basis + 3 * widths[-1] + (classes or 0) * condition
    discriminator = r3gan.Discriminator(shape, num_classes=classes, **arguments)
    units = widths[0] if classes else 1
    basis = 16 * widths[0] + widths[0] * units
    assert parameters(discriminator) == stages + basis + 3 * widths[-1] + (classes or 0) * (units if classes else 0)


def test_a_block_is_the_identity_at_first_and_then_matches_numpy():
    block = r3gan.ResidualBlock(4, groups=2, blocks=8)
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 4)).astype(np.float32)
    np.testing.assert_array_equal(block(x), x)
    generator = np.random.default_rng(1)
    weights = [generator.normal(size=w.shape).astype(np.float32) for w in block.get_weights()]
    block.set_weights(weights)
    widen, widen_bias, convolve, convolve_bias, narrow = weights

    def leaky(a):
        return np.where(a > 0, a, 0.2 * a)

    y = leaky(x @ widen[0, 0] + widen_bias)
    padded, z = np.pad(y, [(0, 0), (1, 1), (1, 1), (0, 0)]), np.zeros_like(y)
    for i, j, group in np.ndindex(3, 3, 2):
        channels = slice(4 * group, 4 * group + 4)
        z[..., channels] += padded[:, i : i + 5, j : j + 5, channels] @ convolve[i, j][:, channels]
    expected = x + leaky(z + convolve_bias) @ narrow[0, 0]
    np.testing.assert_allclose(block(x), expected, rtol=1e-4, atol=1e-4)


def test_variance_at_initialization():
    """For features of unit variance, the branch of the first block has the variance given by its gain."""
    keras.utils.set_random_seed(0)
    block = r3gan.ResidualBlock(64, groups=8, blocks=8)
    x = np.random.default_rng(0).normal(size=(8, 8, 8, 64)).astype(np.float32)
    branch = np.asarray(block.widen(x))
    assert np.var(branch) == pytest.approx(r3gan.GAIN**2 * 8**-0.5, rel=0.1)


def test_labels_are_projected_on_the_features():
    discriminator = r3gan.Discriminator((8, 8, 1), width=8, num_classes=3)
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype(np.float32)
    labels = np.array([0, 2, 1, 0])
    kernel, embedding = discriminator.head.get_weights()[0], discriminator.label_head.get_weights()[0]
    expected = np.sum((np.asarray(discriminator.features(images)) @ kernel) * embedding[labels], axis=1)
    np.testing.assert_allclose(discriminator(images, labels), expected, rtol=1e-5, atol=1e-6)


def test_unsupported_arguments_are_rejected():
    with pytest.raises(ganlib.UserError, match="regularized by R1 and R2: set spectral_norm=False"):
        r3gan.Discriminator((8, 8, 1), width=8, spectral_norm=True)
    with pytest.raises(ganlib.UserError, match="cannot divide 26 channels into 3 groups"):
        r3gan.Generator((8, 8, 1), width=13, group_width=8)


def test_widths_and_blocks_by_stage():
    arguments = {"width": [24, 16, 8], "blocks": [1, 2, 1], "group_width": 8, "expansion": 3, "embedding_dim": 5}
    for kind, widths in ((r3gan.Generator, [24, 16, 8]), (r3gan.Discriminator, [8, 16, 24])):
        network = kind((16, 16, 3), num_classes=4, **arguments)
        body = network.stages if kind is r3gan.Generator else network.body
        blocks = [layer for layer in body.layers if isinstance(layer, r3gan.ResidualBlock)]
        assert [(block.width, block.groups, block.blocks) for block in blocks] == [
            (width, 3 * width // 8, 4) for width, count in zip(widths, (1, 2, 1), strict=True) for _ in range(count)
        ]
        restored = kind.from_config(network.get_config())
        assert [w.shape for w in restored.weights] == [w.shape for w in network.weights]
    assert network.label_head.embeddings.shape == (4, 5)
    with pytest.raises(ganlib.UserError, match=r"r3gan has 3 stages at this size: got blocks=\[1, 2\]"):
        r3gan.Generator((16, 16, 3), width=8, blocks=[1, 2])


def test_the_label_embedding_has_the_width_of_the_lowest_resolution():
    discriminator = r3gan.Discriminator((16, 16, 3), width=[24, 16, 8], group_width=8, num_classes=4)
    assert discriminator.label_head.embeddings.shape == (4, 24)
