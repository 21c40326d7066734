import itertools
import math

import keras
import numpy as np
import pytest

import ganlib
from ganlib.networks import biggan

RNG = np.random.default_rng(0)


def parameters(network):
    return sum(math.prod(v.shape) for v in network.trainable_variables)


def count_parameters_at_128(ch=96, classes=1000, embedding=128, chunk=20):
    """Counts the parameters of generator and discriminator from the layers in BigGAN.py of github.com/ajbrock/BigGAN-PyTorch.

    The settings are those of its scripts/launch_BigGAN_bs256x8.sh: hierarchical latents of 120, shared embedding of 128,
    attention at 64.
    """

    def conv(before, after, size=3):
        return size * size * before * after + after

    def attention(c):
        return c * (c // 8) * 2 + c * (c // 2) * 2 + 1

    widths = [16 * ch, 16 * ch, 8 * ch, 4 * ch, 2 * ch, ch]
    condition = embedding + chunk
    generator = classes * embedding + chunk * 16 * widths[0] + 16 * widths[0]
    for before, after in itertools.pairwise(widths):
        generator += conv(before, after) + conv(after, after) + conv(before, after, 1)
        generator += 2 * condition * before + 2 * condition * after
    generator += attention(2 * ch) + 2 * ch + conv(ch, 3)
    discriminator, before = 0, 3
    for after, halve in zip([ch, 2 * ch, 4 * ch, 8 * ch, 16 * ch, 16 * ch], [True] * 5 + [False], strict=True):
        discriminator += conv(before, after) + conv(after, after)
        discriminator += conv(before, after, 1) if halve or before != after else 0
        before = after
    discriminator += attention(ch) + before + 1 + classes * before
    return generator, discriminator


def test_the_count_matches_the_paper():
    """Table 1 of the paper lists 158.3 million for both networks, with shared embeddings and hierarchical latents."""
    assert sum(count_parameters_at_128()) / 1e6 == pytest.approx(158.3, abs=0.2)


def test_parameters_match_the_authors_code():
    """Uses a quarter of the width, since orthogonal initialization is slow."""
    generator = biggan.Generator((128, 128, 3), width=24, num_classes=1000, attention=64)
    discriminator = biggan.Discriminator((128, 128, 3), width=24, num_classes=1000, attention=64)
    assert (parameters(generator), parameters(discriminator)) == count_parameters_at_128(ch=24)


def test_initial_weights_are_orthogonal():
    keras.utils.set_random_seed(0)
    discriminator = biggan.Discriminator((16, 16, 1), width=4)
    kernel = discriminator.body.layers[2].second_conv.layer.kernel.numpy().reshape(-1, 16)
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(16), atol=1e-5)


def test_each_block_is_conditioned_on_a_chunk_and_the_embedding():
    """The gain of a block is computed by hand, and each chunk of the latents affects the image."""
    generator = biggan.Generator((16, 16, 1), 6, width=4, num_classes=3, embedding_dim=5)
    norm = generator.blocks[0].first_norm
    inputs, condition = RNG.normal(size=(2, 4, 4, 16)).astype("f"), RNG.normal(size=(2, 7)).astype("f")
    gain, bias = (layer(condition).numpy() for layer in (norm.gain, norm.bias))
    expected = inputs / np.sqrt(1 + 1e-5) * (1 + gain[:, None, None]) + bias[:, None, None]
    np.testing.assert_allclose(norm(inputs, condition), expected, rtol=1e-4, atol=1e-5)
    latents, labels = RNG.normal(size=(1, 6)).astype("f"), np.array([1])
    first = generator(latents, labels).numpy()
    for chunk in range(3):
        moved = latents.copy()
        moved[0, 2 * chunk] += 1
        assert np.abs(generator(moved, labels).numpy() - first).max() > 1e-5


def test_unsupported_arguments_are_rejected():
    with pytest.raises(ganlib.UserError, match="splits latents into 4 equal chunks: set latent_dim to a multiple, got 10"):
        biggan.Generator((32, 32, 3), latent_dim=10, width=4)
    with pytest.raises(ganlib.UserError, match="'batch' or 'sync_batch', got None"):
        biggan.Generator((32, 32, 3), latent_dim=8, width=4, normalization=None)


def test_the_author_s_network_for_cifar10_has_a_gain_and_a_bias_for_each_class():
    """All latents go to the dense layer, and the initial weights are from N(0, 0.02)."""
    normal = {"class_name": "RandomNormal", "config": {"stddev": 0.02}}
    arguments = {"hierarchical": False, "shared_embedding": False, "initializer": normal}
    generator = biggan.Generator((32, 32, 3), 24, width=4, num_classes=10, **arguments)
    assert generator.dense.layer.kernel.shape == (24, 256)
    assert not hasattr(generator, "embedding")
    norm = generator.blocks[1].second_norm
    assert norm.gain.embeddings.shape == (10, 16)
    for kernel in (generator.dense.layer.kernel, generator.blocks[0].first_conv.layer.kernel, norm.gain.embeddings):
        assert kernel.numpy().std() == pytest.approx(0.02, rel=0.2)
    inputs, labels = RNG.normal(size=(2, 8, 8, 16)).astype("f"), np.array([3, 7])
    gain, bias = norm.gain.embeddings.numpy()[labels], norm.bias.embeddings.numpy()[labels]
    expected = inputs / np.sqrt(1 + 1e-5) * (1 + gain[:, None, None]) + bias[:, None, None]
    np.testing.assert_allclose(norm(inputs, labels), expected, rtol=1e-4, atol=1e-5)
    copy = biggan.Generator.from_config(generator.get_config())
    copy.set_weights(generator.get_weights())
    latents = RNG.normal(size=(2, 24)).astype("f")
    np.testing.assert_array_equal(copy(latents, labels), generator(latents, labels))


def test_conditioning_vectors_take_the_place_of_the_label_embedding():
    generator = biggan.Generator((16, 16, 1), 6, width=4, condition_dim=5)
    assert generator.condition_spec == ((5,), "float32")
    norm, inputs = generator.blocks[0].first_norm, RNG.normal(size=(2, 4, 4, 16)).astype("f")
    vectors, latents = RNG.normal(size=(2, 5)).astype("f"), RNG.normal(size=(2, 6)).astype("f")
    assert norm.gain.layer.kernel.shape == (7, 16)
    (condition, _) = generator._conditions(latents, vectors)
    np.testing.assert_allclose(condition, np.concatenate([vectors, latents[:, 2:4]], axis=1), rtol=1e-6)
    assert norm(inputs, condition).shape == inputs.shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 3, "condition_dim": 4}, "omit num_classes or condition_dim"),
        ({"num_classes": 3, "shared_embedding": False}, "hierarchical latents need a shared embedding"),
        ({"hierarchical": False}, "biggan without labels is conditioned on its latents"),
    ],
)
def test_kinds_of_conditioning_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ganlib.UserError, match=message):
        biggan.Generator((16, 16, 1), 6, width=4, **arguments)
