from ganlib.networks import mlp


def test_parameters_match_a_count_by_hand():
    # 4 * 16 + 16, 16 * 16 + 16, 16 * 64 + 64
    generator = mlp.Generator((8, 8, 1), latent_dim=4, width=16, normalization=None)
    assert generator.count_params() == 80 + 272 + 1088
    # 64 * 16 + 16, 16 * 16 + 16, 16 + 1
    assert mlp.Discriminator((8, 8, 1), width=16).count_params() == 1040 + 272 + 17
