import numpy as np
import pytest
import scipy.signal

from ganlib.augment import filters

RANDOM = np.random.default_rng(0)


def test_taps_are_orthonormal_wavelets_with_vanishing_moments():
    """The defining properties of sym6 and sym2: they are orthonormal to their even shifts, and 6 and 2 moments of their
    high-pass filters vanish."""
    for taps, moments in ((filters.SYM6, 6), (filters.SYM2, 2)):
        h = np.array(taps)
        assert h.sum() == pytest.approx(np.sqrt(2))
        for shift in range(0, len(h), 2):
            assert h[shift:] @ h[: len(h) - shift] == pytest.approx(float(shift == 0), abs=1e-10)
        high = h[::-1] * (-1.0) ** np.arange(len(h))
        for moment in range(moments):
            assert high @ np.arange(len(h), dtype=float) ** moment == pytest.approx(0, abs=1e-6 * 10.0**moment)


def test_reflection_against_numpy():
    signal = RANDOM.normal(size=9)
    for margin in (0, 3, 8, 11):
        np.testing.assert_allclose(filters.reflection(9, margin) @ signal, np.pad(signal, margin, mode="reflect"), atol=1e-6)


def test_doubling_and_halving_against_scipy():
    signal = RANDOM.normal(size=16)
    padded = np.pad(signal, 15, mode="reflect")
    taps = np.array(filters.SYM6) / sum(filters.SYM6)
    upsampled = np.zeros(2 * len(padded))
    upsampled[::2] = padded
    expected = np.pad(2 * scipy.signal.convolve(upsampled, taps)[5 : 5 + len(upsampled)], 1)
    np.testing.assert_allclose(filters.doubling(16) @ signal, expected, atol=1e-5)
    fine = RANDOM.normal(size=2 * 22)
    expected = scipy.signal.correlate(np.pad(fine, 6), taps, mode="valid")[1:][6::2][:16]
    np.testing.assert_allclose(filters.halving(16) @ fine, expected, atol=1e-5)


def test_bands_sum_to_the_signal_and_are_ordered():
    taps = filters.band_taps()
    total = taps.sum(axis=0)
    assert total[len(total) // 2] == pytest.approx(1)
    assert np.abs(np.delete(total, len(total) // 2)).max() < 1e-12
    np.testing.assert_allclose(filters.bands(32).sum(axis=0), np.eye(32), atol=1e-6)
    spectra = np.abs(np.fft.rfft(taps, 512, axis=1))
    centers = [np.sum(s * np.arange(257)) / np.sum(s) for s in spectra]
    assert centers == sorted(centers)
    for band, (low, high) in enumerate([(0, 1 / 8), (1 / 8, 1 / 4), (1 / 4, 1 / 2), (1 / 2, 1)]):
        middle = int(256 * (low + high) / 2)
        assert spectra[:, middle].argmax() == band
