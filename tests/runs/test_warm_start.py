import numpy as np

from experiments.configs import digits_sgan
from ganlib import data, runs
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
