import numpy as np
import pytest

import ganlib
from experiments.configs import digits_sgan
from ganlib import data, metrics, runs
from ganlib.evaluation import classification
from ganlib.networks import Classifier, mlp
from tests.helpers import SHAPE, same


@pytest.fixture
def classifier():
    return Classifier(mlp.Discriminator(SHAPE, width=8).body, SHAPE, 10)


def test_calibration_makes_probabilities_of_the_held_out_images_likelier(classifier):
    source = data.open("digits", "test")

    def cross_entropy():
        probabilities = classification.classify(classifier, source)
        return -np.log(probabilities[np.arange(500), source.labels]).mean()

    before, classes = cross_entropy(), classification.classify(classifier, source).argmax(1)
    classifier.head.kernel.assign(5 * classifier.head.kernel)  # far too confident for a network without training
    worse = cross_entropy()
    temperature = classification.calibrate(classifier, source)
    assert temperature > 3
    assert cross_entropy() < min(before, worse)
    np.testing.assert_array_equal(classification.classify(classifier, source).argmax(1), classes)
    assert classification.calibrate(classifier, None) == temperature


def test_a_test_tells_all(classifier):
    source = data.open("digits", "test")
    result, picture = classification.test(classifier, source)
    probabilities = classifier.classify(source.images)
    assert (
        result["test_accuracy"] == metrics.accuracy(source.labels, probabilities) == classification.accuracy(classifier, source)
    )
    assert np.sum(result["confusion_matrix"]) == result["test_images"] == 500
    assert list(result["recall_by_class"]) == [str(k) for k in range(10)]
    assert result["expected_calibration_error"] == metrics.expected_calibration_error(source.labels, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(1) != source.labels)
    worst = wrong[probabilities.max(1)[wrong].argmax()]
    first = picture.axes[0]
    expected = f"{probabilities[worst].argmax()}, not {source.labels[worst]}\n{100 * probabilities[worst].max():.0f} %"
    assert first.get_title() == expected
    np.testing.assert_array_equal(first.images[0].get_array(), source.images[worst, ..., 0])


def test_no_mistakes_no_picture(classifier):
    source = data.open("digits", "test")
    right = data.sources.from_arrays("right", source.images, classifier.classify(source.images).argmax(1), source.class_names)
    result, picture = classification.test(classifier, right)
    assert result["test_accuracy"] == 1.0
    assert picture is None


def trained(workdir, steps, method="supervised"):
    """A run of a classifier that ends after so many steps, goes on if it is there, and is calibrated; and its model."""
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
    temperature = classification.calibrate_run(run, model, parts.validation)
    assert temperature == float(model.classifier.temperature) != 1.0
    return run, model


def state(model):
    return [np.array(variable) for variable in ganlib.training.checkpoint.all_variables(model)]


@pytest.mark.parametrize("method", ["supervised", "semi_supervised"])
def test_the_calibration_is_in_the_checkpoint_whether_resumed_or_not(tmp_path, method):
    _, whole = trained(tmp_path / "whole", 2, method)
    trained(tmp_path / "parts", 1, method)
    _, resumed = trained(tmp_path / "parts", 2, method)
    loaded = ganlib.load(tmp_path / "parts")
    assert same(state(whole), state(resumed))
    assert same(state(whole), state(loaded))
    notes = [(tmp_path / name / "checkpoints/step_00000002/notes.json").read_text() for name in ("whole", "parts")]
    assert notes[0] == notes[1]


def test_what_was_killed_before_it_was_calibrated_is_told_and_calibrated_by_the_same_command(tmp_path, monkeypatch, caplog):
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        patch.setattr(classification, "calibrate_run", lambda *_: 1.0)
        trained(tmp_path, 1)
    ganlib.load(tmp_path)
    assert "is not calibrated, because its training has not finished" in caplog.text
    caplog.clear()
    _, model = trained(tmp_path, 1)
    assert same(state(model), state(ganlib.load(tmp_path)))
    assert not caplog.text
    written = (tmp_path / "checkpoints/step_00000001/weights.index").stat().st_mtime_ns
    trained(tmp_path, 1)
    assert (tmp_path / "checkpoints/step_00000001/weights.index").stat().st_mtime_ns == written


def test_a_train_step_leaves_no_calibration_of_the_weights_before(tmp_path):
    run, model = trained(tmp_path, 1)
    model.fit(data.batches(data.open("digits"), 8), steps_per_epoch=1, verbose=0)
    assert float(model.classifier.temperature) == 1.0
    with pytest.raises(ganlib.UserError, match="no best checkpoint: classifiers keep none; use the newest checkpoint"):
        ganlib.load(tmp_path, best=True)
    images = data.open("digits").images[:5]
    np.testing.assert_array_equal(classification.load(run).classify(images), ganlib.load(tmp_path).classify(images))


def test_a_gan_has_no_classifier(tmp_path):
    from experiments import configs, train_gan

    train_gan.train(configs.load("digits_dcgan", ["smoke=True"]), tmp_path)
    with pytest.raises(ganlib.UserError, match="no classifier in .*: train one with experiments.train_classifier"):
        classification.load(runs.open_run(tmp_path))
