import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from ganlib.augment import filters, geometry
from ganlib.training import RandomStream

SIZE = 32


def waves(x, y):
    """A smooth function of the plane with frequencies below the Nyquist frequency."""
    return np.sin(0.5 * x + 0.3 * y) + np.cos(0.2 * x - 0.6 * y)


GRID = np.arange(SIZE) - (SIZE - 1) / 2
X, Y = np.meshgrid(GRID, GRID)
INSIDE = slice(8, 24)
DELAY = (5.5 - np.dot(np.arange(12), filters.SYM6) / sum(filters.SYM6)) / 2.0
"""The delay of `filters.SYM6` in pixels, about 0.2."""


def warped(matrix, image=None):
    image = waves(X, Y) if image is None else image
    result = geometry.warped(tf.constant(image[None, :, :, None], tf.float32), tf.constant(matrix, tf.float32)[None])
    return np.asarray(result)[0, :, :, 0]


def turn(angle):
    return np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0]])


@pytest.mark.parametrize("matrix", [turn(0.4), turn(2.0), [[0.9, 0.1, 1.3], [-0.2, 1.05, -0.7]], [[1, 0, 0.5], [0, 1, 0.25]]])
def test_warp_of_a_known_function(matrix):
    """The result equals the function at the mapped positions. The map's center is the delay minus a quarter of a pixel away
    from that of the image.
    """
    (a, b, c), (d, e, f) = matrix
    center = DELAY - 0.25
    x, y = X - center, Y - center
    expected = waves(a * x + b * y + c + center, d * x + e * y + f + center)
    assert np.abs(warped(matrix) - expected)[INSIDE, INSIDE].max() < 0.05


def test_flips_rotations_by_90_degrees_and_integer_shifts():
    image = scipy.ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(SIZE, SIZE)), 2.0) * 4
    np.testing.assert_allclose(warped(np.eye(2, 3), image), image, atol=0.04)
    moved = warped([[1, 0, -3], [0, 1, 2]], image)  # the result at (x, y) is the image at (x - 3, y + 2)
    np.testing.assert_allclose(moved[:-5, 6:], image[2:-3, 3:-3], atol=0.04)
    # The result is shifted by 0.1 pixels, so it must be much closer to the expected image than to the other seven.
    flip, rotation = [[-1, 0, 0], [0, 1, 0]], turn(np.pi / 2)
    for matrix, expected in ((flip, image[:, ::-1]), (rotation, np.rot90(image, -1))):
        result = warped(matrix, image)
        others = [np.rot90(x, k) for x in (image, image[:, ::-1]) for k in range(4)]
        distances = sorted(np.sqrt(np.mean((result - other) ** 2)) for other in others)
        assert np.sqrt(np.mean((result - expected) ** 2)) == distances[0] < distances[1] / 3


def test_a_rectangle_is_rotated_in_its_frame():
    """Its long side is cropped, and its short side is extended by reflection."""
    image = scipy.ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(SIZE, 2 * SIZE)), 2.0) * 4
    padded = np.pad(image, ((SIZE // 2, SIZE // 2), (0, 0)), mode="reflect")  # 64x64
    expected = np.rot90(padded, -1)[SIZE // 2 : -SIZE // 2]
    result = warped(turn(np.pi / 2), image)
    assert result.shape == image.shape
    assert np.sqrt(np.mean((result - expected) ** 2)) < 0.1 * expected.std()
    assert np.sqrt(np.mean((result - image) ** 2)) > expected.std()


def test_shifts_are_shares_of_the_height_and_of_the_width():
    maps = np.asarray(geometry.inverse_maps((16, 64), 2000, RandomStream(0), {"blit": 1.0}))
    across, down = np.abs(maps[:, 0, 2]), np.abs(maps[:, 1, 2])
    turned = np.abs(maps[:, 0, 0]) < 0.5  # x and y are exchanged
    for far, near in ((across[~turned], down[~turned]), (down[turned], across[turned])):
        assert far.max() == pytest.approx(8.0, abs=1e-4)
        assert near.max() == pytest.approx(2.0, abs=1e-4)


def test_images_are_reflected_beyond_the_border():
    image = waves(X, Y)
    far = warped([[1, 0, 12], [0, 1, 0]])
    expected = np.pad(image, ((0, 0), (0, 12)), mode="reflect")[:, 12:]
    np.testing.assert_allclose(far[INSIDE, :-2], expected[INSIDE, :-2], atol=0.1)


def test_images_are_zero_beyond_the_reflected_border():
    """Reflection gives one more image on each side, without its first pixel. With a shift of 1.5 times the size, half of the
    result is beyond it."""
    far = warped([[1, 0, 1.5 * SIZE], [0, 1, 0]])
    assert np.abs(far[:, : SIZE // 2 - 5]).max(axis=0).min() > 0.5
    np.testing.assert_array_equal(far[:, SIZE // 2 + 5 :], 0.0)


def test_shrinking_does_not_alias():
    """Stripes with a period of 2.2 pixels become almost gray when shrunk by a factor of 1.5. Without a filter they would be
    aliased to other stripes."""
    wave = lambda x: np.cos(2 * np.pi / 2.2 * x)  # noqa: E731
    shrunk = warped([[1.5, 0, 0], [0, 1.5, 0]], wave(X))[INSIDE, INSIDE]
    naive = wave(1.5 * X)[INSIDE, INSIDE]
    assert np.std(shrunk) < 0.3 * np.std(naive)


def test_distribution_of_maps():
    stream = lambda: RandomStream(0)  # noqa: E731
    identity = geometry.inverse_maps((8, 6), 500, stream(), {"blit": 0.0, "geometric": 0.0}).numpy()
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(2, 3), (500, 2, 3)))
    blit = geometry.inverse_maps((8, 16), 4000, stream(), {"blit": 1.0}).numpy()
    linear, offsets = blit[:, :, :2], blit[:, :, 2]
    assert np.abs(np.abs(np.linalg.det(linear)) - 1).max() < 1e-5
    np.testing.assert_allclose(np.abs(linear).round(4).reshape(-1, 4).sum(axis=1), 2)  # signed permutations
    assert len({tuple(m.round().astype(int).ravel()) for m in linear}) == 8
    np.testing.assert_allclose(offsets, offsets.round(), atol=1e-5)
    assert np.abs(offsets).max() <= 2
    general = geometry.inverse_maps((8, 16), 4000, stream(), {"geometric": 1.0}).numpy()
    areas = np.log2(np.linalg.det(general[:, :, :2]))
    assert areas.std() == pytest.approx(2 * 0.2, rel=0.05)  # only from the scaling, since stretches preserve the area
    assert abs(areas.mean()) < 0.03
    half = geometry.inverse_maps((8, 8), 4000, stream(), {"geometric": 0.5}).numpy()
    is_rotated = np.abs(half[:, 0, 1]) > 1e-6
    assert is_rotated.mean() == pytest.approx(0.5, abs=0.03)  # at least one of the two rotations
    beyond = geometry.inverse_maps((8, 8), 100, stream(), {"geometric": 1.5}).numpy()
    assert np.all(np.isfinite(beyond))
    assert np.abs(beyond[:, 0, 1]).min() > 0  # all are rotated


def test_one_chance_decides_about_both_directions_of_a_shift():
    for category in ("blit", "geometric"):
        maps = geometry.inverse_maps((64, 64), 2000, RandomStream(0), {category: 0.5}).numpy()
        straight = np.all(maps[:, :, :2] == np.eye(2), axis=(1, 2))
        shifts = maps[straight, :, 2] != 0
        assert np.mean(shifts.any(axis=1)) == pytest.approx(0.5, abs=0.1)
        assert np.mean(shifts[:, 0] != shifts[:, 1]) < 0.08  # a whole pixel may be zero by itself, one in 16
