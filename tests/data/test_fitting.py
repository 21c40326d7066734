import numpy as np

from ganlib.data import fitting


def test_downsampling_is_antialiased():
    # A checkerboard of single pixels averages to gray; picking every fourth pixel would give black or white.
    board = (np.indices((32, 32)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    small = fitting.fit_array(board, 8)
    assert np.abs(small.astype(int) - 127).max() < 30
