import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from ganlib.layers import logistic_mixture

VALUES = np.linspace(-1, 1, 256).astype(np.float32)


def parameters_of(channels, mixtures, scale=1.0, seed=0):
    count = logistic_mixture.num_parameters(channels, mixtures)
    return np.random.default_rng(seed).normal(scale=scale, size=count).astype(np.float32)


def by_hand(pixel, parameters, mixtures):
    """log p of one pixel, a list of values, with loops over components and channels."""
    channels = len(pixel)
    logits, rest = parameters[:mixtures], parameters[mixtures:].reshape(-1, mixtures)
    total = 0.0
    for k in range(mixtures):
        p, used = scipy.special.softmax(logits)[k], 2 * channels
        for c in range(channels):
            mean, log_scale = rest[c, k], max(rest[channels + c, k], -7.0)
            for earlier in range(c):
                mean += np.tanh(rest[used + earlier, k]) * pixel[earlier]
            used += c
            upper = scipy.special.expit((pixel[c] + 1 / 255 - mean) / np.exp(log_scale)) if pixel[c] < 0.999 else 1.0
            lower = scipy.special.expit((pixel[c] - 1 / 255 - mean) / np.exp(log_scale)) if pixel[c] > -0.999 else 0.0
            p *= upper - lower
        total += p
    return np.log(total)


@pytest.mark.parametrize(("channels", "count"), [(1, 3), (2, 6), (3, 10)])
def test_the_number_of_parameters_is_that_of_the_authors(channels, count):
    assert logistic_mixture.num_parameters(channels, mixtures=10) == 10 * count


@pytest.mark.parametrize("channels", [1, 3])
def test_log_likelihood_by_loops(channels):
    """Two images of 2x1 pixels, with values at both ends and in between."""
    rng = np.random.default_rng(1)
    images = rng.choice(VALUES, (2, 2, 1, channels))
    images[0, 0, 0, 0], images[1, 1, 0, -1] = -1.0, 1.0
    parameters = np.stack([parameters_of(channels, 2, seed=seed) for seed in range(4)]).reshape(2, 2, 1, -1)
    expected = [
        sum(by_hand(image[row, 0], of_image[row, 0].astype(np.float64), 2) for row in range(2))
        for image, of_image in zip(images.astype(np.float64), parameters, strict=True)
    ]
    np.testing.assert_allclose(logistic_mixture.log_likelihood(images, parameters), expected, rtol=1e-4)


@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_probabilities_of_all_values_have_the_sum_one(scale):
    for channels in (1, 2):
        grid = np.stack(np.meshgrid(*[VALUES] * channels), axis=-1).reshape(-1, 1, 1, channels)
        parameters = np.broadcast_to(
            parameters_of(channels, 3, scale), (len(grid), 1, 1, 3 * (channels + 1) * (channels + 2) // 2)
        )
        assert np.exp(logistic_mixture.log_likelihood(grid, parameters)).sum() == pytest.approx(1.0, abs=1e-3)


def test_gradient_by_finite_differences():
    """Also between the 256 values, and far from the mean, where the mass is that of the density."""
    parameters = np.array([0.2, -0.1, -0.3, 0.4, -1.5, -2.5], np.float32).reshape(1, 1, 1, 6)
    far = np.array([0.0, 0.0, -0.9, -0.9, -5.0, -5.0], np.float32).reshape(1, 1, 1, 6)
    for value, given in ((0.123, parameters), (-0.7, parameters), (0.9995, parameters), (0.6, far)):
        x = tf.constant(np.full((1, 1, 1, 1), value, np.float32))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = logistic_mixture.log_likelihood(x, given)
        high, low = (float(logistic_mixture.log_likelihood(x + step, given)[0]) for step in (2e-4, -2e-4))
        assert float(tape.gradient(y, x)[0, 0, 0, 0]) == pytest.approx((high - low) / 4e-4, rel=0.02), value
