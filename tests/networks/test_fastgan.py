import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.layers import gated
from ganlib.networks import fastgan
from ganlib.training import RandomStream

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", sorted(set(fastgan.STAGES) - {512, 1024}))
def test_every_supported_size(size):
    generator = fastgan.Generator((size, size, 3), latent_dim=4, width=4)
    assert generator(np.zeros((1, 4), np.float32)).shape == (1, size, size, 3)


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("defaults", [{}, fastgan.Generator.earlier_defaults])
def test_gradients_reach_every_weight(light, classes, defaults):
    generator = fastgan.Generator((64, 64, 1), latent_dim=6, width=4, num_classes=classes, light=light, **defaults)
    for variable in generator.trainable_variables:
        variable.assign_add(0.1 * RNG.normal(size=variable.shape))  # strengths and biases are initialized with zeros
    inputs = [RNG.normal(size=(4, 6)).astype(np.float32)] + ([np.arange(4) % 3] if classes else [])
    with tf.GradientTape() as tape:
        images = generator(*inputs, training=True, **generator.sample_noise(4, RandomStream(0)))
        loss = tf.reduce_sum(images * RNG.normal(size=images.shape).astype(np.float32))
    for variable, gradient in zip(
        generator.trainable_variables, tape.gradient(loss, generator.trainable_variables), strict=True
    ):
        assert gradient is not None, variable.path
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.path


def test_noise_changes_images():
    generator = fastgan.Generator((16, 16, 1), latent_dim=6, width=4)
    latents = RNG.normal(size=(2, 6)).astype(np.float32)
    for block in generator.blocks:
        block.strengths.assign([0.2, 0.2])
    images = [generator(latents, **generator.sample_noise(2, RandomStream(seed))) for seed in (0, 1)]
    assert np.abs(images[0] - images[1]).max() > 1e-3
    np.testing.assert_array_equal(generator(latents), generator(latents))
    assert fastgan.Generator((16, 16, 1), latent_dim=6, width=4, light=True).sample_noise(2, RandomStream(0)) == {}


def test_excitation_matches_numpy():
    layer = fastgan.Excitation()
    fine, coarse = (RNG.normal(size=shape).astype(np.float32) for shape in ((2, 8, 8, 3), (2, 8, 8, 5)))
    outputs = layer(fine, coarse)
    pooled = coarse.reshape(2, 4, 2, 4, 2, 5).mean(axis=(2, 4)).reshape(2, -1)

    def normalized(wrapper):
        kernel, vector = np.array(wrapper.layer.kernel, np.float64), np.array(wrapper.singular_vector, np.float64)
        left = kernel @ vector
        return kernel / np.linalg.norm(left / np.linalg.norm(left) @ kernel)  # a step of power iteration

    hidden = pooled @ normalized(layer.gather)
    gains = 1 / (1 + np.exp(-(hidden / (1 + np.exp(-hidden))) @ normalized(layer.spread)))
    np.testing.assert_allclose(outputs, fine * gains[:, None, None], rtol=1e-4, atol=1e-5)


def test_normalization_is_required():
    with pytest.raises(ganlib.UserError, match="fastgan requires normalization='batch' or 'sync_batch', got None"):
        fastgan.Generator((16, 16, 1), normalization=None)


def test_parameters_match_projected_gans_code():
    """Compares with pg_modules/networks_fastgan.py of github.com/autonomousvision/projected-gan at 256x256, with ngf=8."""
    width, latent_dim, count = 8, 12, lambda filters, channels, size: filters * channels * size**2
    channels = {side: int(part * width) for side, part in {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5}.items()}
    expected = count(2 * channels[4], latent_dim, 4) + 2 * 2 * channels[4]  # a transposed convolution and its batch norm
    for before, after in ((4, 8), (8, 16), (16, 32), (32, 64), (64, 128), (128, 256)):
        for inputs in (channels[before], channels[after]):  # two convolutions, each with noise's strength and batch norm
            expected += count(2 * channels[after], inputs, 3) + 1 + 2 * 2 * channels[after]
    for coarse, fine in ((4, 64), (8, 128), (16, 256)):
        expected += count(channels[fine], channels[coarse], 4) + channels[fine] ** 2
    expected += count(3, channels[256], 3) + 3
    generator = fastgan.Generator((256, 256, 3), latent_dim=latent_dim, width=width)
    assert sum(int(np.prod(variable.shape)) for variable in generator.trainable_variables) == expected


def test_parameters_of_conditional_networks_match_projected_gans_code():
    """Each conditional block has one strength of the noise and, per convolution, two linear maps with biases."""
    width, latent_dim = 4, 5
    generator = fastgan.Generator((16, 16, 3), latent_dim=latent_dim, width=width, num_classes=3)
    plain = fastgan.Generator((16, 16, 3), latent_dim=latent_dim, width=width)
    filters = [2 * 8 * width, 2 * 4 * width]  # of the two blocks' convolutions

    def parameters(network):
        return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)

    added = 3 * latent_dim + sum(2 * (2 * (latent_dim + 1) * count - 2 * count) - 1 for count in filters)
    assert parameters(generator) == parameters(plain) + added


def test_gains_are_one_plus_a_normalized_map_of_the_embedding():
    layer = gated.EmbeddingNorm()
    inputs = RNG.normal(size=(3, 4, 4, 2)).astype(np.float32)
    embedding = RNG.normal(size=(3, 5)).astype(np.float32)
    layer(inputs, embedding)
    gain, bias = (
        embedding @ (kernel / (left @ kernel @ right)) + offset
        for kernel, offset, left, right in (
            (
                *(np.asarray(w).astype(np.float64) for w in wrapper.layer.weights),
                _unit(wrapper.left_singular_vector),
                _unit(wrapper.singular_vector),
            )
            for wrapper in (layer.gain, layer.bias)
        )
    )
    expected = inputs / np.sqrt(1 + 1e-5) * (1 + gain[:, None, None]) + bias[:, None, None]
    np.testing.assert_allclose(layer(inputs, embedding), expected, rtol=1e-4, atol=1e-4)


def _unit(vector):
    vector = np.asarray(vector, np.float64)
    return vector / np.linalg.norm(vector)


def test_initial_weights_have_pytorchs_range():
    generator = fastgan.Generator((16, 16, 3), latent_dim=64, width=16, num_classes=200)
    conv = np.asarray(generator.blocks[0].convs[0].layer.kernel)  # 3x3 with 256 inputs
    assert 0.99 < np.abs(conv).max() * (9 * 256) ** 0.5 <= 1
    assert np.std(conv) == pytest.approx((9 * 256) ** -0.5 / 3**0.5, rel=0.02)
    start = np.asarray(generator.start.layer.kernel)
    assert np.std(start) == pytest.approx((16 * 2 * 256) ** -0.5 / 3**0.5, rel=0.02)
    assert np.std(np.asarray(generator.embedding.embeddings)) == pytest.approx(1.0, abs=0.03)
    assert 0 < np.abs(np.asarray(generator.conv.layer.bias)).max() <= (9 * 64) ** -0.5


def test_images_are_clipped_except_during_training():
    generator = fastgan.Generator((16, 16, 1), latent_dim=4, width=4)
    generator.conv.layer.bias.assign([3.0])
    latents = np.ones((2, 4), np.float32)
    assert np.max(generator(latents, training=True)) > 1.5
    assert np.max(generator(latents)) == 1.0
    with_tanh = fastgan.Generator((16, 16, 1), latent_dim=4, width=4, tanh=True)
    with_tanh.conv.layer.bias.assign([3.0])
    assert 0.9 < np.max(with_tanh(latents, training=True)) <= 1.0


def test_a_generator_of_the_first_version_is_restored():
    earlier = fastgan.Generator((16, 16, 1), latent_dim=4, width=4, num_classes=3, **fastgan.Generator.earlier_defaults)
    config = {key: value for key, value in earlier.get_config().items() if key not in fastgan.Generator.earlier_defaults}
    restored = fastgan.Generator.from_config(config)
    restored.set_weights(earlier.get_weights())
    latents, labels = RNG.normal(size=(3, 4)).astype(np.float32), np.arange(3)
    np.testing.assert_array_equal(restored(latents, labels), earlier(latents, labels))
    assert restored.weights_without_average == []


def test_the_ema_copies_statistics_and_singular_vectors():
    generator = fastgan.Generator((16, 16, 1), latent_dim=4, width=4, num_classes=3)
    names = {weight.path.rsplit("/", 1)[-1] for weight in generator.weights_without_average}
    assert names == {"moving_mean", "moving_variance", "singular_vector", "left_singular_vector", "noise"}
