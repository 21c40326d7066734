import keras
import numpy as np
import pytest

import ganlib
from ganlib.networks import resnet


def test_parameters_of_the_cifar10_networks_match_a_count_by_hand():
    # dense 128 -> 4 * 4 * 256; three blocks of two 3x3 convolutions, a 1x1 one and two batch norms; batch norm; 3x3 to RGB
    block = 2 * (9 * 256 * 256 + 256) + (256 * 256 + 256) + 2 * 4 * 256
    assert resnet.Generator().count_params() == 129 * 4096 + 3 * block + 4 * 256 + 9 * 256 * 3 + 3
    # Four blocks of width 128; the first two halve and have a 1x1 convolution; each kernel has a singular vector.
    kernels = 9 * 3 * 128 + 7 * 9 * 128 * 128 + 3 * 128 + 128 * 128 + 128
    biases, vectors = 10 * 128 + 1, 10 * 128 + 1
    assert resnet.Discriminator().count_params() == kernels + biases + vectors


def test_features_are_summed_over_positions():
    assert resnet.Discriminator((32, 32, 3), width=8).features(np.zeros((1, 32, 32, 3), "float32")).shape == (1, 8)


def test_labels_without_batch_norm_are_rejected():
    with pytest.raises(ganlib.UserError, match="conditioned on labels by batch normalization"):
        resnet.Generator((8, 8, 1), num_classes=3, normalization=None)


def test_widths_of_the_larger_sizes():
    """Channels of Miyato et al. 2018, tables 5 and 6 (48x48), and of the authors' code for ImageNet (128x128)."""
    papers = {48: [(512, 256, 128, 64), (64, 128, 256, 512, 1024)], 128: [(1024, 1024, 512, 256, 128, 64),
              (64, 128, 256, 512, 1024, 1024)]}  # fmt: skip
    for size, (generator, discriminator) in papers.items():
        assert tuple(64 * multiple for multiple in resnet.GENERATOR_WIDTHS[size]) == generator
        halving, plain = resnet.DISCRIMINATOR_WIDTHS[size]
        assert tuple(64 * multiple for multiple in halving + plain) == discriminator
        assert size >> len(generator) - 1 == {48: 6, 128: 4}[size]


def test_every_weight_of_the_generator_can_be_spectrally_normalized():
    """As in SAGAN: a dense layer, three convolutions in each of two blocks, four in self-attention, the last convolution."""
    generator = resnet.Generator((16, 16, 3), 4, width=8, spectral_norm=True, attention=8)
    wrapped = [v.path for v in generator.non_trainable_variables if v.name == "singular_vector"]
    kernels = [v.path for v in generator.trainable_variables if v.name == "kernel"]
    assert len(wrapped) == len(kernels) == 1 + 3 * 2 + 4 + 1


def test_a_block_of_sngan_is_as_narrow_as_its_input_and_one_of_sagan_as_wide_as_its_output():
    for wide, hidden in ((False, [4, 4, 8, 16, 32]), (True, [4, 8, 16, 32, 64])):
        discriminator = resnet.Discriminator((64, 64, 3), width=4, wide=wide)
        blocks = [layer for layer in discriminator.body.layers if isinstance(layer, resnet.DiscriminatorBlock)]
        assert [block.first_conv.layer.kernel.shape[-1] for block in blocks] == hidden
        assert [block.second_conv.layer.kernel.shape[-1] for block in blocks] == [4, 8, 16, 32, 64]
    assert resnet.Discriminator.from_config({"image_shape": (64, 64, 3), "width": 4}).wide  # saved by ganlib 0.1


def test_the_shortcut_of_mimicry_begins_after_the_relu():
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype(np.float32)
    plain, activated = (resnet.DiscriminatorBlock(4, True, spectral_norm=False, activated_shortcut=a) for a in (False, True))
    plain(images), activated(images)
    activated.set_weights(plain.get_weights())
    halve = keras.layers.AveragePooling2D(2)
    shortcuts = [plain.skip_conv(halve(x)) for x in (images, np.maximum(images, 0))]
    np.testing.assert_allclose(activated(images) - plain(images), shortcuts[1] - shortcuts[0], atol=1e-5)


def test_heads_may_have_another_spectral_norm():
    discriminator = resnet.Discriminator((32, 32, 3), 4, 3, spectral_norm={"form": "stored"}, head_spectral_norm=True)
    assert (discriminator.head.form, discriminator.label_head.embedding.form) == ("fresh", "fresh")
    assert discriminator.body.layers[0].first_conv.form == "stored"
    assert resnet.Discriminator((32, 32, 3), 4, spectral_norm={"form": "stored"}).head.form == "stored"


def test_initial_weights_have_the_variance_of_the_authors_initializer():
    """Glorot's uniform initializer, with a gain of sqrt(2) for 3x3 convolutions: the variance is gain^2 * 2 / (in + out)."""
    block = resnet.GeneratorBlock(32)
    block(np.zeros((1, 8, 8, 64), np.float32))
    head = resnet.Discriminator((32, 32, 3), 256).head
    for kernel, expected in (
        (block.first_conv.kernel, 2 * 2 / (9 * (64 + 32))),
        (block.skip_conv.kernel, 2 / (64 + 32)),
        (head.layer.kernel, 2 / (256 + 1)),
    ):
        values = kernel.numpy()
        assert values.var() == pytest.approx(expected, rel=0.2)
        assert np.abs(values).max() <= np.sqrt(3 * expected) * 1.001
