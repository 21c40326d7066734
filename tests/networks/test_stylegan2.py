import math

import numpy as np
import pytest
import scipy.signal

import ganlib
from ganlib.layers import equalized, resampling
from ganlib.layers.modulated import ModulatedConv
from ganlib.networks import stylegan2
from ganlib.training import RandomStream, averaging, precision

RNG = np.random.default_rng(0)
BLUR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def parameters(network):
    return sum(math.prod(v.shape) for v in network.trainable_variables)


def count_parameters(size, channels_base=32_768, mapping_layers=8):
    """Counts the trainable parameters of generator and discriminator from the layers of configuration F.

    The layers are those of training/networks.py of github.com/NVlabs/stylegan2-ada-pytorch.
    """
    widths = {r: min(channels_base // r, 512) for r in (2**k for k in range(2, int(math.log2(size)) + 1))}
    generator, discriminator = mapping_layers * (512 * 512 + 512) + 4 * 4 * 512, 3 * widths[size] + widths[size]
    for r, width in widths.items():
        before = widths.get(r // 2)
        for channels in [width] if before is None else [before, width]:
            generator += 512 * channels + channels + 9 * channels * width + width + 1  # style, kernel, bias, noise
        generator += 512 * width + width + 3 * width + 3  # to the image
        if before is not None:
            discriminator += 9 * width * width + width + 9 * width * before + before + width * before
    discriminator += 9 * 513 * 512 + 512 + 16 * 512 * 512 + 512 + 512 + 1
    return generator, discriminator


def test_the_count_matches_the_authors_code_for_ffhq_at_1024():
    assert count_parameters(1024) == (30_370_060, 29_012_513)
    assert count_parameters(1024, mapping_layers=2) == (28_794_124, 29_012_513)  # its configuration "auto"


@pytest.mark.parametrize(("size", "base"), [(256, 32_768), (256, 16_384), (32, 32_768)])
def test_parameters_match_the_authors_code(size, base):
    generator = stylegan2.Generator((size, size, 3), channels_base=base)
    discriminator = stylegan2.Discriminator((size, size, 3), channels_base=base)
    assert (parameters(generator), parameters(discriminator)) == count_parameters(size, base)


@pytest.mark.parametrize(("demodulate", "upsample"), [(True, False), (False, False), (True, True)])
def test_modulation_matches_a_loop_over_images(demodulate, upsample):
    """Convolves each image with its scaled and normalized weights, one after the other with scipy."""
    layer = ModulatedConv(4, 3, demodulate, upsample)
    x, w = RNG.normal(size=(3, 6, 6, 5)).astype(np.float32), RNG.normal(size=(3, 7)).astype(np.float32)
    result = np.asarray(layer(x, w))
    kernel = np.asarray(layer.kernel) / math.sqrt(45)
    affine, bias = layer.affine.get_weights()
    for image, style, output in zip(x, w @ affine / math.sqrt(7) + bias, result, strict=True):
        weights = kernel * style[:, None]
        if demodulate:
            weights = weights / np.sqrt(np.square(weights).sum(axis=(0, 1, 2)) + 1e-8)
        expected = np.zeros(output.shape)
        for c, f in np.ndindex(5, 4):
            if upsample:
                spread = np.zeros((11, 11))
                spread[::2, ::2] = image[..., c]
                transposed = scipy.signal.convolve2d(spread, weights[:, :, c, f])
                expected[..., f] += scipy.signal.convolve2d(np.pad(transposed, 1), 4 * BLUR, mode="valid")
            else:
                expected[..., f] += scipy.signal.correlate2d(image[..., c], weights[:, :, c, f], mode="same")
        np.testing.assert_allclose(output, expected, rtol=1e-3, atol=1e-4)


def small_generator(**arguments):
    generator = stylegan2.Generator((8, 8, 1), 4, width=8, mapping_layers=1, **arguments)
    for conv in generator.convs:
        conv.strength.assign(1.0)
    return generator


LATENTS = RNG.normal(size=(3, 4)).astype(np.float32)


def test_drawn_noise_differs_between_images_and_default_noise_is_fixed():
    generator = small_generator(mixing=0.0)
    np.testing.assert_array_equal(generator(LATENTS), generator(LATENTS))
    arguments = generator.sample_noise(2, RandomStream(0))
    assert [noise.shape for noise in arguments["noise"]] == [(2, 4, 4, 1), (2, 8, 8, 1), (2, 8, 8, 1)]
    assert set(arguments) == {"noise"}
    images = np.asarray(generator(np.repeat(LATENTS[:1], 2, axis=0), training=True, **arguments))
    assert np.abs(images[0] - images[1]).max() > 0.01
    styles = generator.layer_styles(LATENTS)
    np.testing.assert_allclose(generator(LATENTS), np.clip(generator.from_styles(styles), -1, 1))


def test_style_mixing_matches_numpy():
    generator = small_generator()
    other, start = RNG.normal(size=(3, 4)).astype(np.float32), np.array([1, 3, 4])
    mixed = np.asarray(generator.layer_styles(LATENTS, None, (other, start)))
    first, second = (np.asarray(generator.styles(x)) for x in (LATENTS, other))
    for image, layer in np.ndindex(3, 4):
        expected = first if layer < start[image] else second
        np.testing.assert_allclose(mixed[image, layer], expected[image], rtol=1e-5)
    starts = np.asarray(generator.sample_noise(4000, RandomStream(0))["mixing"][1])
    assert np.mean(starts < 4) == pytest.approx(0.9, abs=0.02)
    assert set(starts) == {1, 2, 3, 4}


def test_styles_are_truncated_toward_their_average():
    generator = small_generator()
    for _ in range(3):
        generator(LATENTS, training=True)
    mean = np.asarray(generator.styles(LATENTS)).mean(axis=0)
    average = generator.average_style.numpy()
    np.testing.assert_allclose(average, (1 - 0.995**3) * mean, rtol=1e-4, atol=1e-6)
    half = generator(LATENTS, truncation=np.full(3, 0.5, np.float32))
    styles = average + 0.5 * (np.asarray(generator.layer_styles(LATENTS)) - average)
    np.testing.assert_allclose(half, np.clip(generator.from_styles(styles), -1, 1), rtol=1e-4, atol=1e-5)
    gan = ganlib.GAN(generator, stylegan2.Discriminator((8, 8, 1), width=8))
    images = gan.generate(3, truncation=0.0)
    np.testing.assert_allclose(images[0], images[1], atol=1e-6)  # only the average remains
    assert np.abs(np.diff(gan.generate(3), axis=0)).max() > 1e-3


def test_average_style_moves_only_when_due_and_is_copied_by_the_ema():
    generator = small_generator()
    average = averaging.clone_network(generator)
    generator.update_average_style(generator.styles(LATENTS), is_due=False)
    np.testing.assert_array_equal(generator.average_style, 0.0)
    generator.update_average_style(generator.styles(LATENTS))
    generator.convs[0].bias.assign_add(np.ones(8))
    averaging.update(average, generator, decay=0.5, step=1000)
    assert np.abs(generator.average_style).max() > 0
    np.testing.assert_array_equal(average.average_style, generator.average_style)
    np.testing.assert_allclose(average.convs[0].bias, 0.5, rtol=1e-6)


def test_label_embedding_of_the_generator_has_gain_and_biases():
    generator = small_generator(num_classes=3)
    kernel, labels = generator.embedding.kernel.numpy(), np.array([2, 0, 2])
    bias = RNG.normal(size=4).astype(np.float32)
    generator.embedding.bias.assign(bias)
    embedded = kernel[labels] / math.sqrt(3) + bias
    z = np.concatenate([x / np.sqrt(np.mean(x**2, axis=1, keepdims=True)) for x in (LATENTS, embedded)], axis=1)
    np.testing.assert_allclose(generator.styles(LATENTS, labels), generator.mapping(z.astype(np.float32)), rtol=1e-4, atol=1e-5)


IMAGES = RNG.uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)


def test_logits_are_products_of_mapped_features_and_mapped_labels():
    discriminator = stylegan2.Discriminator((8, 8, 1), width=8, num_classes=3, label_layers=2)
    labels = np.array([2, 0, 1, 2])
    features = np.asarray(discriminator.features(IMAGES))
    kernel, bias = discriminator.head.get_weights()
    mapped = features @ kernel / math.sqrt(8) + bias
    expected = np.sum(mapped * discriminator.label_head(labels), axis=1) / math.sqrt(8)
    np.testing.assert_allclose(discriminator(IMAGES, labels), expected, rtol=1e-4, atol=1e-6)
    assert len(discriminator.label_head.mapping) == 2


def test_discriminator_without_residuals_and_with_groups():
    plain = stylegan2.Discriminator((8, 8, 1), width=8, residual=False, group_size=2)
    residual = stylegan2.Discriminator((8, 8, 1), width=8, group_size=2)
    assert len(residual.weights) == len(plain.weights) + 1  # the shortcut's kernel
    first, block, groups, *_ = plain.body.layers
    assert (groups.group_size, groups.strided) == (2, True)
    x = first(IMAGES)
    np.testing.assert_allclose(block(x), block.second(resampling.blur(block.first(x), 2, 2)), rtol=1e-5)


def test_networks_of_earlier_versions_are_restored():
    for kind, name in ((stylegan2.Generator, "latent_dim"), (stylegan2.Discriminator, "residual")):
        network = kind((8, 8, 1), width=8, num_classes=3, **kind.earlier_defaults)
        config = network.get_config()
        assert name in config
        restored = kind.from_config({key: value for key, value in config.items() if key not in kind.earlier_defaults})
        assert restored.get_config() == config
        assert [weight.shape for weight in restored.weights] == [weight.shape for weight in network.weights]
        new = kind((8, 8, 1), width=8, num_classes=3)
        assert len(new.weights) > len(network.weights)
    assert isinstance(network.label_head, equalized.Projection)
    labels = np.array([0, 1, 2, 2])
    features = network.features(IMAGES)
    logits = np.asarray(network.head(features))[:, 0]
    np.testing.assert_allclose(network(IMAGES, labels), network.label_head(logits, features, labels), rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mapping_heads_and_lowest_resolution_stay_in_float32(policy):
    arguments = {"width": 4, "num_classes": 3, "half_resolutions": 2}
    generator = stylegan2.Generator((32, 32, 1), 4, mapping_layers=1, **arguments)
    discriminator = stylegan2.Discriminator((32, 32, 1), label_layers=1, **arguments)
    with precision.policy(policy):
        half = type(generator).from_config({**generator.get_config(), "dtype": policy})
        half_discriminator = type(discriminator).from_config({**discriminator.get_config(), "dtype": policy})
    dtype = policy.removeprefix("mixed_")
    half.set_weights(generator.get_weights())
    half_discriminator.set_weights(discriminator.get_weights())
    assert [conv.compute_dtype for conv in half.convs] == ["float32"] * 3 + [dtype] * 4
    layer_dtypes = [layer.compute_dtype for layer in half_discriminator.body.layers]
    assert layer_dtypes == [dtype] * 3 + ["float32"] * 5
    labels = np.array([0, 2, 1])
    np.testing.assert_array_equal(half.styles(LATENTS, labels), generator.styles(LATENTS, labels))
    np.testing.assert_array_equal(half_discriminator.label_head(labels), discriminator.label_head(labels))
    images = generator(LATENTS, labels)
    np.testing.assert_allclose(half(LATENTS, labels), images, atol=0.05)
    np.testing.assert_allclose(half_discriminator(images, labels), discriminator(images, labels), atol=0.02)
    all_half = type(half).from_config({**half.get_config(), "half_resolutions": None})
    assert {conv.compute_dtype for conv in all_half.convs} == {dtype}
    assert np.abs(np.asarray(all_half.styles(LATENTS, labels), np.float32) - generator.styles(LATENTS, labels)).max() > 0


def test_float16_does_not_overflow():
    """The styles are so large that the scaled weights exceed the largest float16, 65,504."""
    x, w = RNG.normal(size=(2, 4, 4, 8)).astype(np.float32), 1e3 * RNG.normal(size=(2, 4)).astype(np.float32)
    layer, half = ModulatedConv(6, 3), ModulatedConv(6, 3, dtype="mixed_float16")
    layer(x, w), half(x, w)
    kernel, *affine = layer.get_weights()
    for each in (layer, half):
        each.set_weights([300.0 * kernel, *affine])
    result = np.asarray(half(x, w))
    assert result.dtype == np.float16
    np.testing.assert_allclose(result, layer(x, w), atol=0.02)


def test_activations_are_clamped():
    for clamp in (256.0, None):
        generator = small_generator(clamp=clamp, mixing=0.0)
        generator.convs[-1].bias.assign(np.full(8, 1e3))
        generator.image_biases[0].assign([1e4])
        outputs = []
        call = generator.convs[-1].call
        generator.convs[-1].call = lambda *args, call=call, outputs=outputs: outputs.append(call(*args)) or outputs[-1]
        images = np.asarray(generator(LATENTS, training=True))
        assert (np.max(outputs[0]) <= 256.0) == (clamp is not None)
        assert (np.max(images) < 1e3) == (clamp is not None)


def test_bounded_images_stay_in_range_in_training():
    latents = 100 * LATENTS
    for bounded in (True, False):
        generator = small_generator(bounded=bounded)
        generator.to_images[0].kernel.assign(100 * generator.to_images[0].kernel)
        assert (np.abs(generator(latents, training=True)).max() <= 1) == bounded


def test_unsupported_arguments_are_rejected():
    with pytest.raises(ganlib.UserError, match="regularized by R1: set spectral_norm=False"):
        stylegan2.Discriminator((8, 8, 1), width=8, spectral_norm=True)
