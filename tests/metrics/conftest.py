"""Fixtures shared by the tests of several metrics."""

import itertools

import numpy as np
import prdc
import pytest

from ganlib.metrics import arrays

CASES = list(itertools.product([0.0, 1000.0], [(300, 200), (50, 400)], [1, 3, 5]))


@pytest.fixture(params=CASES, ids=str)
def prdc_case(request, monkeypatch):
    """``(real, fake, k, expected)``: features near 0 or far from it, and the results of the `prdc` package."""
    monkeypatch.setattr(arrays, "BLOCK_ROWS", 64)  # several blocks
    shift, (reals, fakes), k = request.param
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(reals, 8)), 0.7 * rng.normal(size=(fakes, 8)) + 0.3
    return real + shift, fake + shift, k, prdc.compute_prdc(real, fake, nearest_k=k)
