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
DELAY = (5.5 - np.dot(np.arange(12), SYM6) / sum(SYM6)) / 2.0
"""The delay of `SYM6` in pixels, about 0.2. `SYM6` is not symmetric, so its output is delayed; reversed, it is advanced."""

MARGIN = 4
"""Number of pixels added by reflection; `SYM6` needs three of them."""


@functools.cache
def doubling(size):
    """Returns the ``(2 * (size + 2 * MARGIN), size)`` matrix that reflects `MARGIN` pixels at both ends and doubles the
    resolution with `SYM6`. Row j is at pixel ``j / 2 - 0.25 - MARGIN``."""
    taps, padded = np.array(SYM6) / sum(SYM6), size + 2 * MARGIN
    matrix = np.zeros((2 * padded, padded), np.float32)
    for j, i in np.ndindex(*matrix.shape):
        tap = j + 5 - 2 * i
        if 0 <= tap < len(taps):
            matrix[j, i] = 2.0 * taps[tap]
    return matrix @ reflection(size, MARGIN)


@functools.cache
def halving(size):
    """Returns the ``(size, 2 * (size + 6))`` matrix that halves the resolution with the reversed `SYM6`. Its input extends
    three pixels beyond both ends. Column j is at pixel ``j / 2 - 0.25 - 3``."""
    taps = np.array(SYM6) / sum(SYM6)
    matrix = np.zeros((size, 2 * (size + 6)), np.float32)
    for i, j in np.ndindex(*matrix.shape):
        tap = j + 5 - 2 * (i + 3)
        if 0 <= tap < len(taps):
            matrix[i, j] = taps[tap]
    return matrix


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
