import types

import keras
import numpy as np
import pytest

import ganlib
from ganlib import data
from ganlib.metrics import features, instances


def pixels():
    """Returns an extractor whose features are the pixels."""
    return features.from_model(keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten()]), "pixels")


def test_neighbors_are_the_nearest_by_the_angle_between_features(tmp_path):
    source = data.open("digits").subset(range(300))
    result = instances.prepare(source, pixels(), neighbors=5, cache_dir=tmp_path)
    flat = source.images.reshape(300, 64).astype(float)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    np.testing.assert_allclose(result.features, flat, atol=1e-6)
    cosines = flat @ flat.T
    neighbor_cosines = np.take_along_axis(cosines, result.neighbors, axis=1)
    np.testing.assert_allclose(neighbor_cosines, -np.sort(-cosines, axis=1)[:, :5], atol=1e-6)
    np.testing.assert_array_equal(result.neighbors[:, 0], np.arange(300))
    cached = instances.prepare(source, pixels(), neighbors=5, cache_dir=tmp_path)
    np.testing.assert_array_equal(cached.neighbors, result.neighbors)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("trained_with", ["the same", "another", None])
def test_features_other_than_those_in_training_are_reported(trained_with, monkeypatch, caplog):
    extractor = pixels()
    monkeypatch.setattr(features, "get", lambda name, source: extractor)
    facts = {} if trained_with is None else {"instance_features": extractor.version if trained_with == "the same" else "abc"}
    run = types.SimpleNamespace(instances=types.SimpleNamespace(features="pixels"), facts=facts)
    assert instances.extractor_of(run, None) is extractor
    assert ("but the GAN was trained with abc: its images may not resemble" in caplog.text) is (trained_with == "another")


def test_chosen_instances_are_determined_by_the_seed():
    all_instances = instances.Instances(np.arange(5.0)[:, None], None)
    assert sorted(all_instances.chosen(5, seed=1)[:, 0]) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(all_instances.chosen(3, seed=1), all_instances.chosen(7, seed=1)[:3])
    assert all_instances.chosen(7).shape == (7, 1)


@pytest.mark.parametrize("neighbors", [0, 1298])
def test_an_invalid_number_of_neighbors_is_rejected(neighbors):
    with pytest.raises(
        ganlib.UserError, match=f"neighbors must be from 1 to 1297, the images of digits/train, got {neighbors}"
    ):
        instances.prepare(data.open("digits"), pixels(), neighbors)
