import math

import numpy as np
import pytest
import scipy.signal

import ganlib
from ganlib.networks import stylegan2
from ganlib.training import RandomStream

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
    layer = stylegan2.ModulatedConv(4, 3, demodulate, upsample)
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


def test_bounded_images_stay_in_range_in_training():
    latents = 100 * LATENTS
    for bounded in (True, False):
        generator = small_generator(bounded=bounded)
        generator.to_images[0].kernel.assign(100 * generator.to_images[0].kernel)
        assert (np.abs(generator(latents, training=True)).max() <= 1) == bounded


def test_unsupported_arguments_are_rejected():
    with pytest.raises(ganlib.UserError, match="regularized by R1: set spectral_norm=False"):
        stylegan2.Discriminator((8, 8, 1), width=8, spectral_norm=True)
