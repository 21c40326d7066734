import json

import numpy as np
import pytest

import ganlib
from experiments import configs
from experiments.configs import base, digits_sgan
from ganlib import data, metrics, runs
from ganlib.evaluation import classification
from ganlib.runs import calibration, features
from tests.helpers import same


def train(workdir, steps, method="supervised"):
    """Trains and calibrates a classifier up to a number of steps, resuming if possible; returns the run and its model."""
    config = digits_sgan.get_config()
    config.update(method=method, smoke=True, validation_per_class=5)
    config = runs.smoke(config)
    config.update(steps=steps, checkpoint_every=1)
    parts = data.few_labels(data.open("digits"), config.labels_per_class, 0, config.validation_per_class)
    run = runs.start(workdir, config, parts.labeled)
    model = runs.build(run)

    def batches(start):
        if model.uses_unlabeled:
            return data.semi_supervised_batches(parts.labeled, parts.unlabeled, 8, start_step=start)
        return data.batches(parts.labeled, 8, start_step=start)

    runs.fit(run, model, batches, samples=False)
    temperature, _ = runs.calibrate(run, model, parts.validation)
    assert temperature == float(model.classifier.temperature) != 1.0
    return run, model


def state(model):
    return [np.array(variable) for variable in ganlib.training.checkpoint.all_variables(model)]


@pytest.mark.parametrize("method", ["supervised", "semi_supervised"])
def test_the_calibration_is_saved_and_identical_after_resuming(tmp_path, method):
    _, uninterrupted = train(tmp_path / "uninterrupted", 2, method)
    train(tmp_path / "resumed", 1, method)
    _, resumed = train(tmp_path / "resumed", 2, method)
    loaded = ganlib.load(tmp_path / "resumed")
    assert same(state(uninterrupted), state(resumed))
    assert same(state(uninterrupted), state(loaded))
    notes = [(tmp_path / name / "checkpoints/step_00000002/notes.json").read_text() for name in ("uninterrupted", "resumed")]
    assert notes[0] == notes[1]


def test_a_run_killed_before_calibration_is_reported_and_calibrated_on_rerun(tmp_path, monkeypatch, caplog):
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(runs, "calibrate", lambda *_: (1.0, None))
        train(tmp_path, 1)
    ganlib.load(tmp_path)
    assert "is not calibrated, because its training has not finished" in caplog.text
    caplog.clear()
    _, model = train(tmp_path, 1)
    assert same(state(model), state(ganlib.load(tmp_path)))
    assert not caplog.text
    written = (tmp_path / "checkpoints/step_00000001/weights.index").stat().st_mtime_ns
    train(tmp_path, 1)
    assert (tmp_path / "checkpoints/step_00000001/weights.index").stat().st_mtime_ns == written


def test_a_train_step_resets_the_calibration(tmp_path):
    run, model = train(tmp_path, 1)
    model.fit(data.batches(data.open("digits"), 8), steps_per_epoch=1, verbose=0)
    assert float(model.classifier.temperature) == 1.0
    with pytest.raises(ganlib.UserError, match="no best checkpoint: classifiers keep none; use the newest checkpoint"):
        ganlib.load(tmp_path, best=True)
    images = data.open("digits").images[:5]
    np.testing.assert_array_equal(runs.load_classifier(run).classify(images), ganlib.load(tmp_path).classify(images))


def test_a_gan_has_no_classifier(tmp_path):
    from experiments import configs, train_gan

    train_gan.train(configs.load("digits_dcgan", ["smoke=True"]), tmp_path)
    with pytest.raises(ganlib.UserError, match="no classifier in .*: train one with experiments.train_classifier"):
        runs.load_classifier(runs.open_run(tmp_path))


def test_logits_are_shifted_to_the_frequencies_of_the_unlabeled_images(tmp_path):
    """Three quarters of the unlabeled digits are zeros, but the labels are equally many."""
    config = digits_sgan.get_config()
    config.update(method="supervised", classes="0,1", labels_per_class=100, class_priors="estimated", steps=60, batch_size=32)
    config.update(networks="mlp", checkpoint_every=0, ema_decay=0.9)
    default = base.classifier()
    config.generator, config.discriminator = default.generator, default.discriminator
    digits = data.open("digits").of_classes(["0", "1"])
    labeled, others = data.labels.split(digits.labels, 60, 0)
    zeros, ones = (others[digits.labels[others] == label] for label in (0, 1))
    parts = data.FewLabels(digits.subset(labeled), digits.subset(np.concatenate([zeros[:60], ones[:20]])), None)
    run = runs.start(tmp_path, config, parts.labeled)
    model = runs.build(run)
    runs.fit(run, model, lambda start: data.batches(parts.labeled, 32, start_step=start), samples=False)
    images = digits.images[others[:5]]
    before = model.classifier.predict(images, verbose=0)
    _, priors = runs.calibrate(run, model, None, parts)
    weight = 60 / (60 + calibration.LABELS_FOR_HALF)
    np.testing.assert_allclose(priors, weight * np.array([0.75, 0.25]) + (1 - weight) * 0.5, atol=0.03)
    np.testing.assert_allclose(model.classifier.predict(images, verbose=0) - before, [np.log(2 * priors)] * 5, atol=1e-4)
    assert same(state(model), state(ganlib.load(tmp_path)))
    assert runs.calibrate(run, model, None, parts)[1] == pytest.approx(priors)


@pytest.mark.parametrize("method", ["supervised", "semi_supervised", "pseudo_labels"])
def test_a_run_from_before_a_key_existed_is_loaded(tmp_path, method):
    _, model = train(tmp_path, 1, method)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    for key in ("class_priors", "class_weights", "class_sampling"):
        del config[key]
    path.write_text(json.dumps(config))
    assert same(state(model), state(ganlib.load(tmp_path)))


def test_frequencies_are_known_if_all_images_have_a_label(tmp_path, monkeypatch):
    """The held-out images are equally many of each class, unlike those in training. No class gets more than its share."""
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    config = configs.load("photos_probe", ["smoke=True"])
    config.update(dataset="digits", classes="0,1", image_size=16, validation_per_class=3)
    digits = data.open("digits", image_size=(16, 16)).of_classes(["3", "8"])
    chosen = np.concatenate([np.flatnonzero(digits.labels == 0)[:90], np.flatnonzero(digits.labels == 1)[:30]])
    parts = data.few_labels(digits.subset(chosen), validation_per_class=3)
    run = runs.start(tmp_path, runs.smoke(config), parts.labeled)
    model = runs.build(run)
    features.adapt(model, parts.unlabeled)
    encoded = features.encoded_parts(model, parts)
    model.fit(encoded.labeled.images, encoded.labeled.labels)
    temperature, priors = runs.calibrate(run, model, encoded.validation, encoded)
    np.testing.assert_allclose(priors, [87 / 114, 27 / 114])
    assert 0.2 < temperature < 5
    in_training = runs.calibration.training_priors(run, model.classifier, encoded)
    np.testing.assert_allclose(in_training, [87 / 114, 27 / 114])
    cross_fitted = classification.cross_fitted(model.classifier, encoded.validation, in_training)
    np.testing.assert_allclose(cross_fitted, model.classifier.classify(encoded.validation.images), atol=0.15)
    predicted = model.classify(digits.subset(chosen).images).argmax(axis=1)
    assert 15 <= predicted.sum() <= 45


def test_few_held_out_images_give_a_temperature_near_1(tmp_path):
    labels = np.arange(6) % 2
    right = 3.0 * np.eye(2)[labels]
    assert metrics.temperature(labels, right) < 0.05
    assert 0.4 < metrics.temperature(labels, right, spread=1.0) < 1
    assert metrics.temperature(np.tile(labels, 1000), np.tile(right, (1000, 1)), spread=1.0) < 0.3
