"""Upsampling and downsampling: by repetition, or with a low-pass filter that prevents aliasing (Zhang 2019, arXiv:1904.11486).

The filter is applied as a product with a small matrix along each axis. On CPU this is forty times as fast as sums of strided
slices, including first- and second-order gradients.
"""

import keras
import numpy as np
from keras import ops

register = keras.saving.register_keras_serializable("ganlib.resampling")

FILTER = (1, 3, 3, 1)
"""The weights of linear interpolation, as in StyleGAN2 (Karras et al. 2020, arXiv:1912.04958) and R3GAN (Huang et al. 2024,
arXiv:2501.05441).
"""


@register
class Upsample(keras.layers.Layer):
    """Doubles the resolution, filtering with `FILTER` along each axis with zero padding: ``(n, h, w, c)`` ->
    ``(n, 2h, 2w, c)``.
    """

    def call(self, inputs):
        _, height, width, _ = inputs.shape
        return product(2.0 * _downsampling_matrix(2 * height).T, inputs, 2.0 * _downsampling_matrix(2 * width).T)

    def compute_output_shape(self, input_shape):
        count, height, width, channels = input_shape
        return (count, 2 * height, 2 * width, channels)


@register
class Downsample(keras.layers.Layer):
    """Halves the resolution, filtering with `FILTER` along each axis with zero padding: ``(n, 2h, 2w, c)`` ->
    ``(n, h, w, c)``.
    """

    def call(self, inputs):
        _, height, width, _ = inputs.shape
        return product(_downsampling_matrix(height), inputs, _downsampling_matrix(width))

    def compute_output_shape(self, input_shape):
        count, height, width, channels = input_shape
        return (count, height // 2, width // 2, channels)


def upsample(maps):
    """Repeats each position twice in both directions: ``(n, height, width, c)`` -> ``(n, 2 * height, 2 * width, c)``.

    Equivalent to `keras.layers.UpSampling2D`, but faster, and all shapes stay static, as LiteRT requires.
    """
    _, height, width, channels = maps.shape
    rows = ops.reshape(ops.concatenate([maps, maps], axis=-1), (-1, height, 2 * width * channels))
    return ops.reshape(ops.concatenate([rows, rows], axis=-1), (-1, 2 * height, 2 * width, channels))


def upsample_bilinear(maps):
    """Doubles the resolution by bilinear interpolation between the centers of pixels: ``(n, h, w, c)`` -> ``(n, 2h, 2w, c)``.

    The border is repeated, as in PyTorch's ``interpolate`` with ``align_corners=False``.
    """
    _, height, width, _ = maps.shape
    return product(_bilinear_matrix(height), maps, _bilinear_matrix(width))


def _bilinear_matrix(size):
    """Returns the ``(2 * size, size)`` matrix of bilinear interpolation, in which each row has the weights 3/4 and 1/4."""
    matrix = np.zeros((2 * size, size), np.float32)
    for row in range(2 * size):
        nearest = row // 2
        matrix[row, nearest] += 0.75
        matrix[row, min(max(nearest + (1 if row % 2 else -1), 0), size - 1)] += 0.25
    return matrix


def blur(images, before, after, gain=1.0):
    """Filters with `FILTER` along each axis, without resampling: ``(n, h, w, c)`` -> ``(n, h + before + after - 3, ...)``.

    Args:
        images: ``(n, h, w, c)`` images or feature maps.
        before: The number of zeros added at the top and the left.
        after: The number of zeros added at the bottom and the right.
        gain: A factor applied along each axis. Defaults to 1.0.
    """
    _, height, width, _ = images.shape
    return product(gain * _blur_matrix(height, before, after), images, gain * _blur_matrix(width, before, after))


def _blur_matrix(size, before, after):
    rows = size + before + after - len(FILTER) + 1
    matrix = np.zeros((rows, size + before + after), np.float32)
    for row in range(rows):
        matrix[row, row : row + len(FILTER)] = np.divide(FILTER, sum(FILTER))
    return matrix[:, before : before + size]


def _downsampling_matrix(size):
    """Returns the ``(size / 2, size)`` matrix whose row i holds the filter around columns 2i and 2i + 1."""
    matrix = np.zeros((size // 2, size + 2), np.float32)
    for row in range(size // 2):
        matrix[row, 2 * row : 2 * row + 4] = np.divide(FILTER, sum(FILTER))
    return matrix[:, 1:-1]


def product(rows, images, columns):
    """Mixes the rows and columns of images by two matrices: ``(a, h), (n, h, w, c), (b, w)`` -> ``(n, a, b, c)``.

    The gradient is defined here, as the product with the transposed matrices. TensorFlow's gradient of a product of one matrix
    with many computes at run time which axes to sum over. Inside a condition, which lazy R1 uses, XLA would then recompile at
    every step.

    Args:
        rows: ``(a, h)`` numpy array.
        images: ``(n, h, w, c)`` images or feature maps.
        columns: ``(b, w)`` numpy array.
    """

    @ops.custom_gradient
    def multiply(images):
        def gradient(*arguments, upstream=None):
            return product(rows.T, arguments[0] if upstream is None else upstream, columns.T)

        return _product(rows, images, columns), gradient

    return multiply(images)


def _product(rows, images, columns):
    _, height, width, channels = images.shape
    rows, columns = (ops.cast(matrix, images.dtype) for matrix in (rows, columns))
    mixed_rows = ops.matmul(rows, ops.reshape(images, (-1, height, width * channels)))
    mixed_columns = ops.matmul(columns, ops.reshape(mixed_rows, (-1, width, channels)))
    return ops.reshape(mixed_columns, (-1, rows.shape[0], columns.shape[0], channels))
