import numpy as np
import pytest

from ganlib.augment.chance import by_chance
from ganlib.training import RandomStream


@pytest.mark.parametrize("shape", [(4000,), (4000, 1, 1)])
def test_values_are_selected_with_the_probability(shape):
    values = np.arange(1, 4001, dtype=np.float32).reshape(shape)
    for probability in (0.0, 0.3, 1.0):
        result = np.asarray(by_chance(RandomStream(0), probability, values, 0.0))
        assert result.shape == shape
        assert set(np.unique(result - values * (result != 0))) == {0.0}  # either the value or the identity
        assert np.mean(result != 0) == pytest.approx(probability, abs=0.03)
