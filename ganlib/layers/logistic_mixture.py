"""The likelihood of images whose pixel values have a discretized mixture of logistic distributions.

Salimans et al. 2017, "PixelCNN++" (arXiv:1701.05517), sections 2.1 and 2.2.
"""

import math

import keras
from keras import ops

HALF_BIN = 1 / 255
"""Half the distance of two of the 256 values of a pixel, in images in ``[-1, 1]``."""

SMALLEST_LOG_SCALE = -7.0


def num_parameters(channels, mixtures):
    """Returns the number of parameters of a pixel: for each component of the mixture a logit, and for each channel a mean, a
    scale, and a coefficient for each earlier channel.

    Args:
        channels: The number of channels.
        mixtures: The number of components of the mixture.
    """
    return mixtures * (1 + 2 * channels + channels * (channels - 1) // 2)


def log_likelihood(images, parameters):
    """Computes the log-probabilities of images, given the parameters of the distribution of every pixel.

    The distribution of a channel is logistic in a component of the mixture. Its mean is linear in the earlier channels of the
    pixel. The probability of a value is that of the interval of width 2/255 around it. The intervals of -1 and 1 extend to
    infinity, so that the probabilities of the 256 values have the sum 1. The function is also defined between these values, and
    has a gradient with respect to the images. The constants are those of the authors' code.

    Args:
        images: ``(n, height, width, channels)`` float images in ``[-1, 1]``.
        parameters: ``(n, height, width, k)``, where k is `num_parameters`.

    Returns:
        ``(n,)`` float32 (float64 if the parameters are), in nats.

    Examples:
        >>> import numpy as np
        >>> from ganlib.layers import logistic_mixture
        >>> values = np.linspace(-1, 1, 256, dtype="float32").reshape(256, 1, 1, 1)
        >>> parameters = np.ones((256, 1, 1, logistic_mixture.num_parameters(channels=1, mixtures=2)), "float32")
        >>> round(float(np.exp(logistic_mixture.log_likelihood(values, parameters)).sum()), 3)
        1.0
    """
    dtype = keras.backend.result_type(parameters.dtype, "float32")
    images, parameters = ops.cast(images, dtype), ops.cast(parameters, dtype)
    _, height, width, channels = images.shape
    mixtures = parameters.shape[-1] // num_parameters(channels, 1)
    logits = parameters[..., :mixtures]
    others = ops.reshape(parameters[..., mixtures:], (-1, height, width, parameters.shape[-1] // mixtures - 1, mixtures))
    means = _conditional_means(images, others[..., :channels, :], ops.tanh(others[..., 2 * channels :, :]))
    log_scales = ops.maximum(others[..., channels : 2 * channels, :], SMALLEST_LOG_SCALE)
    log_probabilities = ops.sum(_log_probabilities(images[..., None], means, log_scales), axis=-2)
    of_pixels = ops.logsumexp(log_probabilities + ops.log_softmax(logits, axis=-1), axis=-1)
    return ops.sum(of_pixels, axis=(1, 2))


def _conditional_means(images, means, coefficients):
    """Returns the means of every channel, given the earlier channels: ``(n, height, width, channels, mixtures)``."""
    conditional, used = [], 0
    for channel in range(means.shape[-2]):
        mean = means[..., channel, :]
        for earlier in range(channel):
            mean = mean + coefficients[..., used + earlier, :] * images[..., earlier, None]
        conditional.append(mean)
        used += channel
    return ops.stack(conditional, axis=-2)


def _log_probabilities(values, means, log_scales):
    """Returns the log-probabilities of values under single components, broadcast against each other."""
    centered, inverse_scales = values - means, ops.exp(-log_scales)
    upper, lower = inverse_scales * (centered + HALF_BIN), inverse_scales * (centered - HALF_BIN)
    below_upper, above_lower = upper - ops.softplus(upper), -ops.softplus(lower)
    mass = ops.sigmoid(upper) - ops.sigmoid(lower)
    # Far from the mean, the mass is rounded to 0. There it is the density in the center times the width.
    middle = inverse_scales * centered
    tail = middle - log_scales - 2.0 * ops.softplus(middle) + math.log(2 * HALF_BIN)
    inside = ops.where(mass > 1e-5, ops.log(ops.maximum(mass, 1e-12)), tail)
    return ops.where(values < -0.999, below_upper, ops.where(values > 0.999, above_lower, inside))
