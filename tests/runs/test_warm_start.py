import numpy as np
import pytest

from experiments import configs
from experiments.configs import digits_sgan
from ganlib import LinearProbe, data, runs
from ganlib.runs import warm_start
from tests.helpers import same, weights


def test_weight_norm_is_initialized_from_the_training_images(tmp_path):
    config = digits_sgan.get_config()
    config.networks, config.generator, config.discriminator = "improved_mlp", {"width": 8}, {"width": 80}
    source = data.open("digits")
    run = runs.start(tmp_path, config, source)
    model = runs.build(run)
    warm_start.initialize_classifier(model, run, source)
    logits = model.network.predict(source.images, verbose=0)
    np.testing.assert_allclose(logits.mean(0), 0, atol=0.2)  # over all images; 500 of them initialized the layers
    np.testing.assert_allclose(logits.std(0), 1, atol=0.2)
    assert same(weights(model.network), weights(model.classifier))
    again = runs.build(run)
    warm_start.initialize_classifier(again, run, source)
    assert same(weights(model.network), weights(again.network))


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
