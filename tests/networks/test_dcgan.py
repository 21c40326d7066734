import numpy as np

from ganlib.networks import dcgan


def test_parameters_at_32_match_a_count_by_hand():
    # dense 128 -> 4 * 4 * 256 without bias; 4x4 kernels 256 -> 128 -> 64 without bias, 64 -> 3 with;
    # batch norm has 4 numbers a channel.
    generator = dcgan.Generator((32, 32, 3), latent_dim=128, width=64)
    expected = 128 * 4096 + 16 * (256 * 128 + 128 * 64 + 64 * 3) + 3 + 4 * (256 + 128 + 64)
    assert generator.count_params() == expected
    discriminator = dcgan.Discriminator((32, 32, 3), width=64)
    expected = 16 * (3 * 64 + 64 * 128 + 128 * 256) + 64 + 4 * (128 + 256) + 4 * 4 * 256 + 1
    assert discriminator.count_params() == expected


def test_widths_double_up_to_eight_times():
    assert dcgan.widths(128, 16) == [16, 32, 64, 128, 128]
    assert dcgan.Discriminator((64, 64, 3), width=4).features(np.zeros((1, 64, 64, 3), "float32")).shape == (1, 4 * 4 * 32)
