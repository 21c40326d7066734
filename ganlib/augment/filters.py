"""The filters of ADA as matrices: wavelets of Daubechies 1992, "Ten lectures on wavelets", tables 6.1 and 6.3.

Filtering along an axis is a product with a small matrix, which has derivatives of every order and is fast on every device.
"""

import functools

import numpy as np

SYM6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
SYM2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)
MARGIN = 3
"""The number of pixels that `halving` needs beyond each end."""


@functools.cache
def doubling(size):
    """Returns the ``(2 * (3 * size - 2) + 2, size)`` matrix that reflects all pixels at both ends, doubles the resolution with
    `SYM6`, and adds a zero at both ends. Row j is at pixel ``(j - 1) / 2 - 0.25 - (size - 1)``."""
    reflected = reflection(size, size - 1)
    rows, columns = np.arange(2 * len(reflected))[:, None], np.arange(len(reflected))
    return np.pad(2.0 * _taps(rows + 5 - 2 * columns) @ reflected, ((1, 1), (0, 0))).astype(np.float32)


@functools.cache
def halving(size):
    """Returns the ``(size, 2 * (size + 2 * MARGIN))`` matrix that halves the resolution with the reversed `SYM6`. Its input
    extends `MARGIN` pixels beyond both ends. Column j is at pixel ``j / 2 - 0.25 - MARGIN``."""
    rows, columns = np.arange(size)[:, None], np.arange(2 * (size + 2 * MARGIN))
    return _taps(columns + 5 - 2 * (rows + MARGIN)).astype(np.float32)


def _taps(index):
    """Returns the weights of `SYM6`, which sum to 1, at an array of indices; they are zero outside of the filter."""
    taps = np.array(SYM6) / sum(SYM6)
    return np.where((0 <= index) & (index < len(taps)), taps[np.clip(index, 0, len(taps) - 1)], 0.0)


@functools.cache
def reflection(size, margin):
    """Returns the ``(size + 2 * margin, size)`` matrix of reflection at both ends, without repeating the pixel at the end."""
    index = np.abs(np.arange(-margin, size + margin)) % (2 * (size - 1)) if size > 1 else np.zeros(size + 2 * margin, int)
    return np.eye(size, dtype=np.float32)[np.minimum(index, 2 * (size - 1) - index) if size > 1 else index]


@functools.cache
def band_taps():
    """Returns ``(4, n)`` filters, one for each octave from the lowest to the highest. They sum to the identity filter."""
    low = np.array(SYM2) / np.sqrt(2.0)
    high = low * (-1.0) ** np.arange(len(low))
    low_squared, high_squared = np.convolve(low, low[::-1]), np.convolve(high, high[::-1])
    bank = np.ones((1, 1))
    for _ in range(3):  # the existing bands become the lower half of the spectrum, and a new band the upper half
        upsampled = np.zeros((len(bank), 2 * bank.shape[1] - 1))
        upsampled[:, ::2] = bank
        lower = np.stack([np.convolve(row, low_squared) for row in upsampled])
        upper = np.zeros((1, lower.shape[1]))
        start = (lower.shape[1] - len(high_squared)) // 2
        upper[0, start : start + len(high_squared)] = high_squared
        bank = np.concatenate([lower, upper])
    return bank


@functools.cache
def bands(size):
    """Returns the ``(4, size, size)`` matrices of `band_taps`, with reflection at both ends."""
    bank = band_taps()
    margin = bank.shape[1] // 2
    matrices = np.zeros((4, size, size + 2 * margin), np.float32)
    for row in range(size):
        matrices[:, row, row : row + bank.shape[1]] = bank
    return matrices @ reflection(size, margin)
