import math

import numpy as np
import pytest
import scipy.signal

import ganlib
from ganlib.networks import stylegan2
from ganlib.training import RandomStream

RANDOM = np.random.default_rng(0)
BLUR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def parameters(network):
    return sum(math.prod(v.shape) for v in network.trainable_variables)


def of_the_authors(size, channels_base=32_768, mapping_layers=8):
    """Trainable parameters of generator and discriminator, by the layers of configuration F in the authors' code
    (github.com/NVlabs/stylegan2-ada-pytorch, training/networks.py)."""
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


def test_the_count_by_layers_is_what_the_authors_code_prints_for_ffhq_at_1024():
    assert of_the_authors(1024) == (30_370_060, 29_012_513)
    assert of_the_authors(1024, mapping_layers=2) == (28_794_124, 29_012_513)  # its configuration "auto"


@pytest.mark.parametrize(("size", "base"), [(256, 32_768), (256, 16_384), (32, 32_768)])
def test_parameters_are_those_of_the_authors_code(size, base):
    generator = stylegan2.Generator((size, size, 3), channels_base=base)
    discriminator = stylegan2.Discriminator((size, size, 3), channels_base=base)
    assert (parameters(generator), parameters(discriminator)) == of_the_authors(size, base)


@pytest.mark.parametrize(("demodulate", "upsample"), [(True, False), (False, False), (True, True)])
def test_modulation_against_a_loop_over_images(demodulate, upsample):
    """Each image convolved by its own weights, scaled by its style and normalized, one after the other by scipy."""
    layer = stylegan2.ModulatedConv(4, 3, demodulate, upsample)
    x, w = RANDOM.normal(size=(3, 6, 6, 5)).astype(np.float32), RANDOM.normal(size=(3, 7)).astype(np.float32)
    result = np.asarray(layer(x, w))
    kernel = np.asarray(layer.kernel) / math.sqrt(45)
    affine, bias = layer.affine.get_weights()
    for image, style, own in zip(x, w @ affine / math.sqrt(7) + bias, result, strict=True):
        weights = kernel * style[:, None]
        if demodulate:
            weights = weights / np.sqrt(np.square(weights).sum(axis=(0, 1, 2)) + 1e-8)
        expected = np.zeros(own.shape)
        for c, f in np.ndindex(5, 4):
            if upsample:
                spread = np.zeros((11, 11))
                spread[::2, ::2] = image[..., c]
                transposed = scipy.signal.convolve2d(spread, weights[:, :, c, f])
                expected[..., f] += scipy.signal.convolve2d(np.pad(transposed, 1), 4 * BLUR, mode="valid")
            else:
                expected[..., f] += scipy.signal.correlate2d(image[..., c], weights[:, :, c, f], mode="same")
        np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-4)


def small(**arguments):
    generator = stylegan2.Generator((8, 8, 1), 4, width=8, mapping_layers=1, **arguments)
    for conv in generator.convs:
        conv.strength.assign(1.0)
    return generator


LATENTS = RANDOM.normal(size=(3, 4)).astype(np.float32)


def test_noise_is_new_for_every_image_where_it_is_drawn_and_still_otherwise():
    generator = small(mixing=0.0)
    np.testing.assert_array_equal(generator(LATENTS), generator(LATENTS))
    draws = generator.sample_noise(2, RandomStream(0))
    assert [noise.shape for noise in draws["noise"]] == [(2, 4, 4, 1), (2, 8, 8, 1), (2, 8, 8, 1)]
    assert set(draws) == {"noise"}
    same = np.asarray(generator(np.repeat(LATENTS[:1], 2, axis=0), training=True, **draws))
    assert np.abs(same[0] - same[1]).max() > 0.01
    styles = generator.layer_styles(LATENTS)
    np.testing.assert_allclose(generator(LATENTS), np.clip(generator.from_styles(styles), -1, 1))


def test_mixed_styles_by_hand():
    generator = small()
    other, start = RANDOM.normal(size=(3, 4)).astype(np.float32), np.array([1, 3, 4])
    mixed = np.asarray(generator.layer_styles(LATENTS, None, (other, start)))
    first, second = (np.asarray(generator.styles(x)) for x in (LATENTS, other))
    for image, layer in np.ndindex(3, 4):
        expected = first if layer < start[image] else second
        np.testing.assert_allclose(mixed[image, layer], expected[image], rtol=1e-5)
    starts = np.asarray(generator.sample_noise(4000, RandomStream(0))["mixing"][1])
    assert np.mean(starts < 4) == pytest.approx(0.9, abs=0.02)
    assert set(starts) == {1, 2, 3, 4}


def test_styles_are_truncated_towards_their_average():
    generator = small()
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
    np.testing.assert_allclose(images[0], images[1], atol=1e-6)  # nothing but the average is left
    assert np.abs(np.diff(gan.generate(3), axis=0)).max() > 1e-3


def test_bounded_images_stay_in_range_in_training():
    latents = 100 * LATENTS
    for bounded in (True, False):
        generator = small(bounded=bounded)
        generator.to_images[0].kernel.assign(100 * generator.to_images[0].kernel)
        assert (np.abs(generator(latents, training=True)).max() <= 1) == bounded


def test_what_it_cannot_make_is_refused():
    with pytest.raises(ganlib.UserError, match="held by R1: leave spectral_norm=False"):
        stylegan2.Discriminator((8, 8, 1), width=8, spectral_norm=True)
