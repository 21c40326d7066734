import types

import keras
import numpy as np
import pytest

import ganlib
from ganlib import data
from ganlib.metrics import features, instances


def pixels():
    """An extractor whose features are the pixels themselves."""
    return features.from_model(keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten()]), "pixels")


def test_neighbors_are_the_nearest_by_the_angle_between_features(tmp_path):
    source = data.open("digits").subset(range(300))
    found = instances.prepare(source, pixels(), neighbors=5, cache_dir=tmp_path)
    flat = source.images.reshape(300, 64).astype(float)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    np.testing.assert_allclose(found.features, flat, atol=1e-6)
    cosines = flat @ flat.T
    chosen = np.take_along_axis(cosines, found.neighbors, axis=1)
    np.testing.assert_allclose(chosen, -np.sort(-cosines, axis=1)[:, :5], atol=1e-6)
    np.testing.assert_array_equal(found.neighbors[:, 0], np.arange(300))
    again = instances.prepare(source, pixels(), neighbors=5, cache_dir=tmp_path)
    np.testing.assert_array_equal(again.neighbors, found.neighbors)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("trained_with", ["the same", "another", None])
def test_other_features_than_those_of_the_training_are_noticed(trained_with, monkeypatch, caplog):
    own = pixels()
    monkeypatch.setattr(features, "get", lambda name, source: own)
    facts = {} if trained_with is None else {"instance_features": own.version if trained_with == "the same" else "abc"}
    run = types.SimpleNamespace(instances=types.SimpleNamespace(features="pixels"), facts=facts)
    assert instances.extractor_of(run, None) is own
    assert ("and the GAN was trained with abc: its images may not be like" in caplog.text) is (trained_with == "another")


def test_kept_ones_follow_from_the_seed():
    found = instances.Instances(np.arange(5.0)[:, None], None)
    assert sorted(found.chosen(5, seed=1)[:, 0]) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(found.chosen(3, seed=1), found.chosen(7, seed=1)[:3])
    assert found.chosen(7).shape == (7, 1)


@pytest.mark.parametrize("neighbors", [0, 1298])
def test_more_neighbors_than_images_are_refused(neighbors):
    with pytest.raises(ganlib.UserError, match=f"neighbors must be from 1 to the 1297 images of digits/train, got {neighbors}"):
        instances.prepare(data.open("digits"), pixels(), neighbors)
