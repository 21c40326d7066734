import keras
import numpy as np
import pytest

from experiments import configs, train_classifier
from experiments.configs import digits_sgan
from ganlib import GAN, LinearProbe, data, runs
from ganlib.networks import Classifier, improved_conv
from ganlib.runs import warm_start
from ganlib.training import RandomStream
from tests.helpers import replicas, same, weights


def test_weight_norm_is_initialized_from_the_training_images(tmp_path):
    config = digits_sgan.get_config()
    config.networks, config.generator, config.discriminator = "improved_mlp", {"width": 8}, {"width": 80}
    source = data.open("digits")
    run = runs.start(tmp_path, config, source)
    model = runs.build(run)
    warm_start.initialize_classifier(model, run, source)
    logits = np.asarray(model.network(source.images, training=True))
    np.testing.assert_allclose(logits.mean(0), 0, atol=0.2)  # over all images; 500 of them initialized the layers
    np.testing.assert_allclose(logits.std(0), 1, atol=0.2)
    assert same(weights(model.network), weights(model.classifier))
    again = runs.build(run)
    warm_start.initialize_classifier(again, run, source)
    assert same(weights(model.network), weights(again.network))


def initialized(folder, seed=0, strategy=None):
    """Returns a semi-supervised GAN with the convolutional networks of Improved GAN, as it is before the first step."""
    config = digits_sgan.get_config()
    config.update(networks="improved_conv", image_size=16, seed=seed)
    config.generator, config.discriminator = {"width": 4, "latent_dim": 20}, {"width": 4}
    source = data.open("digits", image_size=(16, 16)).subset(np.arange(600))
    run = runs.start(folder, config, source, distribution=strategy)
    model = runs.build(run)
    warm_start.initialize_classifier(model, run, source)
    return model, run


def test_weight_norm_of_a_generator_is_initialized_from_a_batch_of_latents(tmp_path):
    model, run = initialized(tmp_path / "run")
    assert same(weights(model.generator), weights(model.ema_generator))
    again, other = initialized(tmp_path / "again")[0], initialized(tmp_path / "other", seed=1)[0]
    assert same(weights(model.generator), weights(again.generator))
    assert same(weights(model.network), weights(again.network))
    gain, other_gain = (one.generator.body.layers[-2].gain for one in (model, other))
    assert not np.array_equal(gain, other_gain)
    before_tanh, latents = keras.Sequential(model.generator.body.layers[:-1]), RandomStream(5).normal((500, 20))
    np.testing.assert_allclose(np.std(before_tanh(latents, training=True), axis=(0, 1, 2)), 0.1, rtol=0.05)
    gan = GAN(*(type(network).from_config(network.get_config()) for network in (model.generator, model.discriminator)))
    run.config.update(weights_from=None, body_from=None)
    warm_start.initialize_gan(gan, run)
    pixels = keras.Sequential(gan.generator.body.layers[:-1])(latents, training=True)
    np.testing.assert_allclose(np.std(pixels, axis=(0, 1, 2)), 0.1, rtol=0.05)


def test_replicas_have_the_same_initial_weights(tmp_path):
    alone, _ = initialized(tmp_path / "one")
    two, _ = initialized(tmp_path / "two", strategy=replicas(2))
    for one, other in zip(alone.variables, two.variables, strict=True):
        first, second = replicas(2).experimental_local_results(other.value)
        assert np.array_equal(first, second), other.path
        np.testing.assert_allclose(one, first, rtol=1e-5, atol=1e-6, err_msg=one.path)


def test_a_run_is_initialized_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(improved_conv.Generator, "initialize", lambda *arguments: calls.append("generator"))
    monkeypatch.setattr(Classifier, "initialize", lambda *arguments: calls.append("classifier"))
    config = configs.load("digits_sgan", ["networks=improved_conv", "image_size=16", "fresh_real_images=True"])
    config.generator, config.discriminator = {"width": 2, "latent_dim": 8}, {"width": 2}
    config.update(batch_size=8, steps=1, steps_per_execution=1, update_rule="alternating", regularizers={})
    run, model, parts, _ = train_classifier.prepare(config, tmp_path, False, None)
    assert calls == ["classifier", "generator"]
    model.run_eagerly = True
    runs.fit(run, model, lambda step: train_classifier.batches_of(config, parts, model, step), samples=False)
    config.steps = 2
    train_classifier.prepare(config, tmp_path, False, None)
    assert len(calls) == 2


@pytest.mark.slow
def test_the_last_layer_starts_from_a_linear_probe(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLIB_CACHE", str(tmp_path / "cache"))
    source = data.open("digits", image_size=(16, 16))
    parts = data.few_labels(source.subset(np.arange(0, 1200, 4)), 10)
    config = configs.load("photos_tuned", ["smoke=True"])
    config.update(dataset="digits", image_size=16)
    run = runs.start(tmp_path / "run", runs.smoke(config), source)
    model = runs.build(run)
    warm_start.initialize_classifier(model, run, parts.unlabeled, parts.labeled)
    images = parts.labeled.images
    probe = LinearProbe(model.network)
    probe.compile()
    expected = model.classifier.predict(images, verbose=0)
    assert (expected.argmax(axis=1) == parts.labeled.labels).mean() > 0.6  # the backbone has random weights
    probe.fit(images, parts.labeled.labels)
    np.testing.assert_allclose(probe.classifier.predict(images, verbose=0), expected, atol=1e-2)
