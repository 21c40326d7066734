from unittest import mock

import numpy as np
import pytest

import ganlib.data
import ganlib.evaluation
import ganlib.metrics
from experiments import configs, train_classifier, train_gan
from ganlib.metrics import instances
from tests.helpers import same, weights


def test_gan_trains_on_few_images_and_is_evaluated_against_all(tmp_path, monkeypatch):
    evaluation, batches = mock.Mock(), mock.Mock(wraps=ganlib.data.batches)
    evaluation.return_value.return_value, evaluation.return_value.selection = {"fid": 1.0}, {}
    monkeypatch.setattr(ganlib.evaluation, "Evaluation", evaluation)
    monkeypatch.setattr(ganlib.data, "batches", batches)
    config = configs.load("digits_dcgan", ["smoke=True", "labels_per_class=2", "metrics=fid"])
    train_gan.train(config, tmp_path)
    assert len(batches.call_args.args[0].images) == 2 * 10
    assert len(evaluation.call_args.args[0].images) == 1297
    assert evaluation.call_args.kwargs["training"] is batches.call_args.args[0], "copies are searched among these"


def small(*pairs):
    return configs.load("digits_dcgan", ["smoke=True", "conditional=False", *pairs])


def test_instance_conditioned_gan(tmp_path):
    """It trains on features and neighbors, keeps features of training images, and resumes."""
    config = small("instances.features=in_domain", "instances.neighbors=5")
    train_gan.train(config, tmp_path)
    gan = ganlib.load(tmp_path)
    assert gan.generator.condition_spec == ((128,), "float32")
    source = ganlib.data.open("digits")
    extractor = ganlib.metrics.features.get("in_domain", source)
    all_features = instances.features_of(extractor, source.images)
    for kept in np.array(gan.ema_generator.instances):
        assert np.abs(all_features - kept).max(axis=1).min() < 1e-5
    config.steps = 4
    train_gan.train(config, tmp_path, accept_new_config=True)
    with pytest.raises(ganlib.UserError, match="conditioned on classes or on instances, not on both"):
        train_gan.train(small("instances.features=in_domain", "conditional=True"), tmp_path / "both")


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    train_gan.train(small(), folder)
    return folder


@pytest.mark.slow
def test_gan_starts_from_the_weights_of_another(first_run, tmp_path):
    before = ganlib.load(first_run)
    config = small(f"weights_from={first_run}", "frozen_layers=1", "generator_optimizer.learning_rate=0.0", "seed=5")
    train_gan.train(config, tmp_path / "second")
    gan = ganlib.load(tmp_path / "second")
    assert same(weights(gan.generator)[:2], weights(before.ema_generator)[:2])  # the learning rate is 0
    first, *others = (layer for layer in gan.discriminator.body.layers if layer.weights)
    original, *_ = (layer for layer in before.discriminator.body.layers if layer.weights)
    assert same(weights(first), weights(original))
    assert not first.trainable_variables
    assert all(layer.trainable_variables for layer in others)


@pytest.mark.slow
def test_discriminator_starts_from_the_features_of_a_classifier(tmp_path):
    classifier = configs.load("digits_cnn", ["smoke=True"])
    train_classifier.train(classifier, tmp_path / "classifier")
    body = ganlib.load(tmp_path / "classifier").classifier.body
    config = small(f"body_from={tmp_path / 'classifier'}", "discriminator_optimizer.learning_rate=0.0")
    config.discriminator = classifier.discriminator
    train_gan.train(config, tmp_path / "gan")
    variables = ganlib.load(tmp_path / "gan").discriminator.body.trainable_variables
    assert same(
        [np.array(v) for v in variables],
        [np.array(v) for v in body.weights if len(v.shape) > 1 or v.name in ("gamma", "beta", "bias")],
    )


def test_weights_of_other_networks_are_refused(first_run, tmp_path):
    with pytest.raises(ganlib.UserError, match="the weights of run .* do not fit this"):
        train_gan.train(small(f"weights_from={first_run}", "networks=resnet", "discriminator={}"), tmp_path / "second")
    with pytest.raises(ganlib.UserError, match="frozen_layers must be between 0 and .*, got 9"):
        train_gan.train(small("frozen_layers=9"), tmp_path / "third")


def test_second_job_in_the_same_folder_is_refused(tmp_path):
    with ganlib.runs.writing(tmp_path), pytest.raises(ganlib.UserError, match="another job is writing to"):
        train_gan.train(small(), tmp_path)
    assert not list(tmp_path.glob("*.json"))
