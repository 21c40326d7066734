import numpy as np
import pytest

from experiments.studies import metric_sanity
from ganlib import data


@pytest.mark.parametrize("name", metric_sanity.DAMAGES)
def test_damage_increases_with_its_strength(name):
    damage, strengths = metric_sanity.DAMAGES[name]
    images = data.open("digits", image_size=28).images[:20, ..., 0]
    distances = []
    for strength in strengths:
        damaged = np.stack([damage(image, strength, np.random.default_rng(0)) for image in images])
        assert (damaged.shape, damaged.dtype) == (images.shape, np.uint8)
        distances.append(np.abs(damaged.astype(float) - images).mean())
    assert distances == sorted(distances)
    assert 0 < distances[0] < distances[-1] / 2
