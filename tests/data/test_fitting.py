import numpy as np
import pytest
from PIL import Image

import ganlib
from ganlib.data import fitting


def test_downsampling_is_antialiased():
    # A checkerboard of single pixels averages to gray; picking every fourth pixel would give black or white.
    board = (np.indices((32, 32)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    small = fitting.fit_array(board, 8)
    assert np.abs(small.astype(int) - 127).max() < 30


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def lanczos(image, height, width):
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


@pytest.mark.parametrize(
    ("shape", "size", "part"),
    [
        ((20, 40, 3), (8, 8), (slice(None), slice(10, 30))),
        ((41, 20, 3), 8, (slice(10, 30), slice(None))),
        ((20, 40, 3), (8, 12), (slice(None), slice(5, 35))),
        ((40, 40, 3), (8, 16), (slice(10, 30), slice(None))),
        ((8, 12, 3), (8, 12), (slice(None), slice(None))),
    ],
)
def test_crop_keeps_the_central_part_of_the_shape_of_the_target(shape, size, part):
    image = noise(*shape)
    height, width = (size, size) if isinstance(size, int) else size
    np.testing.assert_array_equal(fitting.fit_array(image, size), lanczos(image[part], height, width))


def test_pad_keeps_everything_between_borders():
    image = noise(20, 40, 3)
    padded = fitting.fit_array(image, (16, 16), "pad", "#102030")
    np.testing.assert_array_equal(padded[4:12], lanczos(image, 8, 16))
    assert (padded[[0, 3, 12, 15]] == (16, 32, 48)).all()
    gray = fitting.fit_array(noise(40, 20, 1), (16, 16), "pad", "#102030")
    np.testing.assert_array_equal(gray[:, 4:12, 0], lanczos(noise(40, 20), 16, 8))
    assert (gray[:, [0, 3, 12, 15]] == round(0.299 * 16 + 0.587 * 32 + 0.114 * 48)).all()
    assert fitting.fit_array(noise(1, 100, 3), (8, 8), "pad").shape == (8, 8, 3)


def test_stretch_changes_the_aspect_ratio():
    image = noise(20, 40, 3)
    np.testing.assert_array_equal(fitting.fit_array(image, (16, 8), "stretch"), lanczos(image, 16, 8))


def test_an_unknown_fit_is_refused():
    with pytest.raises(ganlib.UserError, match="unknown fit 'stretched': known are crop, pad, stretch"):
        fitting.fit_array(noise(8, 8, 3), 8, "stretched")
