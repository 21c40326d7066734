import dataclasses
import json

import numpy as np
import pytest

import ganlib
from experiments import configs, train_classifier
from ganlib import data, runs
from ganlib.metrics import cache
from ganlib.networks.base import rescale
from ganlib.runs import features
from tests.helpers import same

SOURCE = data.open("digits", image_size=(16, 16)).subset(np.arange(0, 1200, 20))


def model_of(folder, name="photos_sgan", **changes):
    """Returns the model of a config with a small backbone, whose weights are random."""
    config = configs.load(name, ["smoke=True"])
    config.update(dataset="digits", image_size=16, labels_per_class=2, **changes)
    run = runs.start(folder, runs.smoke(config), SOURCE)
    return runs.build(run)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))


def test_a_classifier_is_trained_on_the_features_of_its_images(tmp_path):
    model = model_of(tmp_path / "run")
    parts = data.few_labels(SOURCE, 2)
    features.adapt(model, parts.unlabeled)
    encoded = features.encoded_parts(model, parts)
    encoder = model.network.body.encoder
    for before, after in ((parts.labeled, encoded.labeled), (parts.unlabeled, encoded.unlabeled)):
        expected = np.asarray(encoder(rescale(before.pick(np.arange(before.num_examples)))))
        np.testing.assert_allclose(after.images, expected, atol=1e-4)
        np.testing.assert_array_equal(after.fetch(np.arange(3)), after.images[:3])
        assert np.array_equal(after.labels, before.labels)
    assert same(encoder.weights, model.classifier.body.encoder.weights)


def test_images_stay_images_if_a_stage_is_trained_or_there_is_no_encoder(tmp_path):
    parts = data.few_labels(SOURCE, 2)
    for name in ("photos_sgan_tuned", "photos_cnn"):
        model = model_of(tmp_path / name, name)
        assert features.encoder_of(model) is None
        assert features.encoded_parts(model, parts) is parts
        assert features.encoded(model, SOURCE) is SOURCE


def test_pooled_features_are_computed_once_for_the_same_images_and_backbone(tmp_path, monkeypatch):
    model = model_of(tmp_path / "run")
    pooled = model.network.body.encoder.pooled
    first = features._pooled(pooled, SOURCE)
    with monkeypatch.context() as patch:
        patch.setattr(features, "computed", None)
        assert np.array_equal(features._pooled(pooled, SOURCE), first)
        chosen = np.array([7, 3, 50])
        assert np.array_equal(features._pooled(pooled, SOURCE.subset(chosen)), first[chosen])
    changed = dataclasses.replace(SOURCE, images=255 - SOURCE.images, fetch=None)
    inverted = data.from_arrays(SOURCE.name, changed.images, SOURCE.labels, SOURCE.class_names)
    assert not np.array_equal(features._pooled(pooled, inverted), first)
    pooled.backbone.network.layers[1].kernel.assign(0 * pooled.backbone.network.layers[1].kernel)
    assert not np.array_equal(features._pooled(pooled, SOURCE), first)


@pytest.mark.slow
def test_too_many_images_for_the_cache_are_encoded_without_it(tmp_path, monkeypatch):
    parts, model = data.few_labels(SOURCE, 2), model_of(tmp_path / "run")
    features.adapt(model, parts.unlabeled)
    expected = features.encoded(model, parts.unlabeled).images
    monkeypatch.setattr(features, "CACHED_BYTES", 0)
    monkeypatch.setattr(features, "STATISTICS_IMAGES", 30)
    with monkeypatch.context() as patch:
        patch.setattr(cache, "arrays", None)
        features.encoded(model, parts.unlabeled)
    np.testing.assert_allclose(features.encoded(model, parts.unlabeled).images, expected, atol=1e-5)
    features.adapt(model, parts.unlabeled)
    assert not same([np.asarray(expected)], [features.encoded(model, parts.unlabeled).images])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["photos_tuned", "photos_fixmatch", "photos_sgan_tuned"])
def test_a_classifier_is_trained_with_the_last_stages_of_its_backbone(tmp_path, name):
    config = configs.load(name, ["smoke=True"])
    config.update(dataset="digits", classes="0,1,2", image_size=16, labels_per_class=3)
    assert 0 <= train_classifier.train(config, tmp_path / "run") <= 1
    run = runs.open_run(tmp_path / "run")
    before, after = (
        classifier.body.encoder.pooled.backbone
        for classifier in (model_of(tmp_path / "untrained", name).network, runs.load_classifier(run).classifier)
    )
    trained = {id(variable) for variable in before.trainable_variables}
    assert 0 < len(trained) < len(before.variables)
    for new, old in zip(after.variables, before.variables, strict=True):
        assert np.array_equal(new, old) == (id(old) not in trained), old.path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["photos_probe", "photos_sgan", "photos_logistic"])
def test_a_resumed_job_has_the_encoder_of_its_checkpoint(tmp_path, name, monkeypatch):
    config = configs.load(name, ["smoke=True"])
    config.update(dataset="digits", classes="0,1,2", image_size=16, labels_per_class=3)
    accuracy = train_classifier.train(config, tmp_path / "run")
    result = json.loads((tmp_path / "run/classification.json").read_text())
    if config.class_priors:
        assert sum(result["class_priors"].values()) == pytest.approx(1)
    loaded = runs.load_classifier(runs.open_run(tmp_path / "run"))
    test = data.open("digits", "test", image_size=(16, 16)).of_classes(["0", "1", "2"])
    assert (loaded.classify(test.images).argmax(axis=1) == test.labels).mean() == pytest.approx(accuracy)
    monkeypatch.setattr(features, "adapt", None)  # the statistics must come from the checkpoint
    assert train_classifier.train(config, tmp_path / "run") == pytest.approx(accuracy)


@pytest.mark.parametrize("override", ["augment=shift", "labeled_augment=shift"])
def test_features_are_not_augmented(tmp_path, override):
    config = configs.load("photos_sgan", ["smoke=True", override])
    config.update(dataset="digits", classes="0,1,2", image_size=16, labels_per_class=3)
    with pytest.raises(
        ganlib.UserError, match=f"{override.split('=')[0]}='shift' applies to images, but the backbone is frozen"
    ):
        train_classifier.train(config, tmp_path / "run")
