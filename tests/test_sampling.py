import keras
import numpy as np
import pytest
from keras import ops

import ganlib
from ganlib import sampling
from ganlib.networks import base, biggan, stylegan2
from tests.helpers import SHAPE, mlp_gan

RNG = np.random.default_rng(0)


class Identity(base.Generator):
    """A generator of one-pixel images: the latent itself."""

    def __init__(self, **kwargs):
        super().__init__((1, 1, 1), 1, **kwargs)
        self.body = keras.layers.Reshape((1, 1, 1))
        self.build()

    def get_config(self):
        return {}


class Linear(base.Discriminator):
    """A discriminator whose logit is the pixel times a slope."""

    def __init__(self, slope):
        super().__init__((1, 1, 1))
        self.body = keras.layers.Flatten()
        self.build()
        self.head.set_weights([np.full((1, 1), slope), np.zeros(1)])


def tilted_gan(slope):
    """Creates a GAN whose generator has a standard normal distribution.

    According to its discriminator, the data's density is exp(slope x) times as large: a normal distribution around ``slope``.
    """
    return ganlib.GAN(Identity(), Linear(slope))


def test_rejection_samples_have_the_density_of_the_discriminator():
    images, share = sampling.rejection_sample(tilted_gan(0.7), 3000, percentile=None, burn_in=5000, batch_size=5000)
    assert images.shape == (3000, 1, 1, 1)
    assert images.mean() == pytest.approx(0.7, abs=0.08)
    assert images.std() == pytest.approx(1.0, abs=0.08)
    assert 0.02 < share < 0.3
    _, easier = sampling.rejection_sample(tilted_gan(0.7), 100, percentile=50.0)
    assert easier == pytest.approx(0.5, abs=0.1)


def test_langevin_samples_have_the_density_of_the_discriminator():
    images, latents = sampling.langevin_sample(tilted_gan(1.5), 2000, steps=100, step_size=0.1)
    assert latents.mean() == pytest.approx(1.5, abs=0.1)
    assert latents.std() == pytest.approx(1.0, abs=0.1)
    np.testing.assert_allclose(images[:, 0, 0], latents)
    np.testing.assert_array_equal(sampling.langevin_sample(tilted_gan(1.5), 3, steps=2)[1],
                                  sampling.langevin_sample(tilted_gan(1.5), 3, steps=2)[1])  # fmt: skip


def test_slerp_interpolates_on_the_circle():
    first, second = np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])
    path = sampling.slerp(first, second, [0.0, 0.5, 1.0])
    np.testing.assert_allclose(path, [[[1, 0], [np.sqrt(0.5), 2 * np.sqrt(0.5)], [0, 2]]], atol=1e-6)
    np.testing.assert_allclose(sampling.slerp(first, first, [0.3])[0, 0], first[0], atol=1e-6)
    a, b = RNG.normal(size=(2, 5, 512))
    lengths = np.linalg.norm(sampling.slerp(a, b, [0.5]), axis=2)
    assert np.all(np.abs(lengths - np.sqrt(512)) < 3)  # linear interpolation would have length sqrt(256)


@pytest.mark.parametrize("classes", [None, 3])
def test_interpolation_starts_and_ends_at_generated_images(classes):
    gan = mlp_gan(num_classes=classes)
    images = sampling.interpolation(gan, rows=2, columns=5, seed=1)
    assert images.shape == (10, *SHAPE)
    ends = gan.generate(4, labels=[0, 0, 1, 1] if classes else None, seed=1)
    np.testing.assert_allclose(images[[0, 4, 5, 9]], ends, atol=1e-5)


def test_directions_change_the_layers_the_most():
    generator = stylegan2.Generator((8, 8, 1), 6, width=8, mapping_layers=1)
    directions = sampling.directions(generator, 6)
    np.testing.assert_allclose(directions @ directions.T, np.eye(6), atol=1e-5)
    maps = [kernel / np.linalg.norm(kernel, axis=0) for kernel in generator.latent_maps()]
    change = [sum(np.sum((d @ kernel) ** 2) for kernel in maps) for d in directions]
    assert change == sorted(change, reverse=True)
    assert change[0] > max(sum(np.sum((d @ k) ** 2) for k in maps) for d in np.eye(6))
    gan = ganlib.GAN(generator, stylegan2.Discriminator((8, 8, 1), width=8))
    latents = RNG.normal(size=(2, 6)).astype(np.float32)
    images = sampling.moved(gan, latents, directions[0], [0.0, 2.0])
    np.testing.assert_allclose(images[[0, 2]], gan.generate_from(latents), atol=1e-5)
    assert np.abs(images[1] - images[0]).max() > 1e-3


def test_directions_of_biggan_use_its_chunks():
    generator = biggan.Generator((8, 8, 1), 6, width=2, num_classes=3)
    first, block = generator.latent_maps()[0], generator.latent_maps()[1]
    assert first.shape == (6, 4 * 4 * 8)
    assert np.abs(first[:3]).min() > 0
    assert not first[3:].any()
    assert not block[:3].any()
    np.testing.assert_allclose(block[3:], ops.convert_to_numpy(generator.blocks[0].first_norm.gain.layer.kernel)[-3:])
    gan = ganlib.GAN(generator, biggan.Discriminator((8, 8, 1), width=2, num_classes=3))
    assert sampling.moved(gan, np.zeros((2, 6)), sampling.directions(generator, 1)[0], [-1, 1], [0, 1]).shape == (4, 8, 8, 1)
    with pytest.raises(ganlib.UserError, match="mlp has no latent_maps"):
        sampling.directions(mlp_gan().generator, 1)


def test_standing_statistics_are_means_over_batches():
    gan = mlp_gan(normalization="batch")
    norm = next(x for x in gan.ema_generator._flatten_layers() if isinstance(x, keras.layers.BatchNormalization))
    momentum, inputs_of_batches = norm.momentum, []
    original = norm.call
    norm.call = lambda inputs, **kwargs: inputs_of_batches.append(np.asarray(inputs)) or original(inputs, **kwargs)
    sampling.standing_statistics(gan, batches=3, batch_size=8)
    np.testing.assert_allclose(
        norm.moving_mean, np.mean([x.mean(axis=0) for x in inputs_of_batches], axis=0), rtol=1e-3, atol=1e-5
    )
    np.testing.assert_allclose(
        norm.moving_variance, np.mean([x.var(axis=0, ddof=1) for x in inputs_of_batches], axis=0), rtol=1e-3, atol=1e-5
    )
    assert norm.momentum == momentum
    assert not gan.ema_generator.trainable_variables
    with pytest.raises(ganlib.UserError, match="has no batch normalization"):
        sampling.standing_statistics(mlp_gan())


def test_loop_visits_all_stops_and_returns():
    """The images are the latents themselves."""
    gan = tilted_gan(1.0)
    stops = np.array([[[1.0], [2.0], [4.0]], [[-1.0], [-3.0], [-2.0]]], np.float32)
    frames = sampling.loop(gan, stops, 14)
    assert frames.shape == (12, 2, 1, 1, 1), "a multiple of the stops"
    np.testing.assert_allclose(frames[::4, 0, 0, 0, 0], [1, 2, 4], atol=1e-5)
    np.testing.assert_allclose(frames[::4, 1, 0, 0, 0], [-1, -3, -2], atol=1e-5)
    steps = np.diff(np.concatenate([frames, frames[:1]])[:, 0, 0, 0, 0])
    assert (steps[:8] > 0).all()
    assert (steps[8:] < 0).all(), "back to the first"
    assert steps[0] < steps[1], "slower at a stop"
    assert sampling.loop(gan, stops, 1).shape[0] == 3
