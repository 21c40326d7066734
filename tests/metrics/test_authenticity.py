import numpy as np
import pytest

import ganlib
from ganlib.metrics import arrays
from ganlib.metrics.authenticity import authenticity


def share_by_double_loop(training, fake):
    """Computes the share of authentic images with explicit loops."""
    authentic = 0
    for image in fake:
        distances = [np.linalg.norm(image - row) for row in training]
        nearest = int(np.argmin(distances))
        radius = min(np.linalg.norm(training[nearest] - row) for i, row in enumerate(training) if i != nearest)
        authentic += distances[nearest] > radius
    return authentic / len(fake)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_the_share_matches_a_double_loop(monkeypatch, offset):
    monkeypatch.setattr(arrays, "BLOCK_ROWS", 7)
    rng = np.random.default_rng(0)
    training, fake = rng.normal(size=(40, 4)) + offset, rng.normal(size=(60, 4)) * 1.2 + offset
    expected = share_by_double_loop(training, fake)
    assert 0.3 < expected < 0.9
    assert authenticity(training, fake) == pytest.approx(expected)


def test_shares_on_a_line_match_a_count_by_hand():
    # Nearest other training images: 0 -> 1 at 1, 1 -> 0 at 1, 5 -> 1 at 4.
    training = np.array([[0.0], [1.0], [5.0]])
    # -2 is 2 from 0: authentic. 1.5 is 0.5 from 1: not. 8 is 3 from 5: not. 9.5 is 4.5 from 5: authentic. 2 is 1 from 1: a tie.
    assert authenticity(training, np.array([[-2.0], [1.5], [8.0], [9.5], [2.0]])) == pytest.approx(2 / 5)


def test_shares_match_the_authors_code():
    # AuthPct of github.com/marcojira/fld, on features that any language can compute, gave -1.6, 41.6 and -31.2.
    values = np.sin(np.arange(1, 1 + 900 * 12, dtype=np.float64).reshape(900, 12) * 12.9898) * 43758.5453
    values -= np.floor(values)
    values[:, 1] += values[:, 0]
    values[:, 2] *= 5
    training, good = values[:300], values[600:850]
    near = np.concatenate([training[:150] + 0.01 * good[:150], good[150:]])
    for fake, expected in ((good, -1.6), (good * 1.3 + 0.1, 41.6), (near, -31.2)):
        assert 100 * authenticity(training, fake) - 50 == pytest.approx(expected, abs=1e-4)


def test_the_share_of_equal_distributions_on_a_line_is_a_third():
    # An image in a gap L between training images is z from the nearer one, uniformly in [0, L/2]. It is authentic if the gap on
    # the other side of that one, exponential, is less than z. The density of L is L exp(-L), so the expected share is
    # 1 - 2 integral(exp(-L) - exp(-1.5 L)) = 1/3.
    rng = np.random.default_rng(0)
    assert authenticity(rng.uniform(size=(5000, 1)), rng.uniform(size=(5000, 1))) == pytest.approx(1 / 3, abs=0.03)


def test_copies_are_never_authentic_even_of_images_that_occur_twice():
    training = np.float32(np.random.default_rng(0).normal(size=(300, 33)) * 100 + 1e4)
    assert authenticity(training, training) == 0.0
    twice = np.concatenate([training, training])
    assert authenticity(twice, training) == 0.0
    assert authenticity(twice, training + np.float32(0.01)) == 1.0  # not a copy, and the radius is 0
    assert authenticity(np.zeros((3, 2)), -np.zeros((2, 2))) == 0.0


def test_copies_are_found_beside_an_outlier():
    # The norm of the outlier rounds away all other distances of a matrix product.
    training = np.concatenate([np.arange(50.0)[:, None] // 2, [[1e9]]])
    assert authenticity(training, training) == 0.0


def test_invalid_input_is_rejected():
    with pytest.raises(ganlib.UserError, match=r"^expected features \(n, F\) and \(m, F\) with n, m >= 2, got [^\n]*$"):
        authenticity(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ganlib.UserError, match="with n, m >= 2"):
        authenticity(np.zeros((1, 2)), np.zeros((3, 2)))
    with pytest.raises(ganlib.UserError, match="^1 of 3 fake features are not finite, the first in row 2[^\n]*$"):
        authenticity(np.zeros((3, 2)), np.array([[0, 0], [1, 0], [np.nan, 0]]))
