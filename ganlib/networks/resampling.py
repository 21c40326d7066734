"""Doubling and halving of the resolution with a low-pass filter, so that nothing is aliased: Zhang 2019 (arXiv:1904.11486)."""

import keras
from keras import ops

register = keras.saving.register_keras_serializable("ganlib.resampling")


@register
class Upsample(keras.layers.Layer):
    """``(n, h, w, c)`` -> ``(n, 2h, 2w, c)`` with the filter [1, 3, 3, 1] along each axis, and zeros beyond the border.

    That is linear interpolation, as in StyleGAN2 (Karras et al. 2020, arXiv:1912.04958) and R3GAN (Huang et al. 2024,
    arXiv:2501.05441).
    """

    def call(self, inputs):
        return _doubled(_doubled(inputs, 1), 2)

    def compute_output_shape(self, input_shape):
        count, height, width, channels = input_shape
        return (count, 2 * height, 2 * width, channels)


@register
class Downsample(keras.layers.Layer):
    """``(n, 2h, 2w, c)`` -> ``(n, h, w, c)`` with the same filter."""

    def call(self, inputs):
        return _halved(_halved(inputs, 1), 2)

    def compute_output_shape(self, input_shape):
        count, height, width, channels = input_shape
        return (count, height // 2, width // 2, channels)


def _doubled(x, axis):
    # The four taps fall on zeros and values in turn, so each new value is a sum of two old ones.
    padded, size = _padded(x, axis), x.shape[axis]
    even = 0.25 * _part(padded, axis, 0, size) + 0.75 * x
    odd = 0.75 * x + 0.25 * _part(padded, axis, 2, size)
    shape = [-1, *x.shape[1:]]
    shape[axis] *= 2
    return ops.reshape(ops.stack([even, odd], axis=axis + 1), shape)


def _halved(x, axis):
    padded, size = _padded(x, axis), x.shape[axis] // 2
    taps = [_part(padded, axis, first, size, step=2) for first in range(4)]
    return 0.125 * (taps[0] + taps[3]) + 0.375 * (taps[1] + taps[2])


def _padded(x, axis):
    width = [(0, 0)] * 4
    width[axis] = (1, 1)
    return ops.pad(x, width)


def _part(x, axis, first, size, step=1):
    index = [slice(None)] * 4
    index[axis] = slice(first, first + step * (size - 1) + 1, step)
    return x[tuple(index)]
