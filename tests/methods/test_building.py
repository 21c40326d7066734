import types

import pytest

import ganlib
from experiments import configs
from experiments.configs import base, cifar10_biggan, digits_sgan
from ganlib import data, runs
from ganlib.methods import building
from ganlib.runs import from_config


def test_unknown_optimizer_or_argument():
    with pytest.raises(ganlib.UserError, match="optimizer 'adam' has no argument 'learning_rat'.*Did you mean 'learning_rate'"):
        building.optimizer({"name": "adam", "learning_rat": 1.0}, 10)
    with pytest.raises(ganlib.UserError, match="unknown optimizer 'adamm'"):
        building.optimizer({"name": "adamm"}, 10)


@pytest.mark.parametrize(("decay", "expected"), [(1.0, [0.4, 0.2, 0.0]), (0.25, [0.4, 0.4, 0.0])])
def test_linear_decay(decay, expected):
    optimizer = building.optimizer({"name": "adam", "learning_rate": 0.4, "linear_decay": decay}, 10)
    rates = []
    for step in (0, 5, 10):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx(expected)
    with pytest.raises(ganlib.UserError, match=r"linear_decay must be a share of the steps in \(0, 1\], got 2"):
        building.optimizer({"name": "adam", "learning_rate": 0.4, "linear_decay": 2}, 10)


def test_regularizers_of_a_semi_supervised_gan_by_name(tmp_path):
    config = runs.smoke(digits_sgan.get_config())
    config.regularizers = {"conditional_entropy": {"weight": 0.1}, "manifold": {"epsilon": 2.0}}
    config.generator_regularizers.pull_away = {"weight": 0.8}
    config.update(generator_loss="feature_matching_l1", update_rule="simultaneous")
    sgan = from_config.build(runs.start(tmp_path, config, data.open("digits")))
    assert [term.get_config() for term in sgan.regularizers] == [
        {"weight": 0.1},
        {"weight": 1e-3, "epsilon": 2.0, "image_step": None, "norm": "squared"},
    ]
    assert sgan.generator_regularizers[0].weight == 0.8
    config.regularizers = {"entropy": {}}
    with pytest.raises(ganlib.UserError, match="unknown regularizer 'entropy'"):
        from_config.build(runs.start(tmp_path, config, data.open("digits")))


def test_pretraining_leaves_steps_for_the_generator(tmp_path):
    config = configs.load("mnist_triple_gan", ["dataset=digits", "steps=60", "triple_gan.pretraining_steps=60"])
    run = runs.start(tmp_path, config, data.open("digits"))
    with pytest.raises(ganlib.UserError, match="pretraining_steps=60 leaves none of the 60 steps to train the generator"):
        runs.build(run)


def test_conditional_gan_needs_labels(tmp_path):
    config = base.gan()
    config.conditional = True
    source = data.from_arrays("mine", data.open("digits").images)
    with pytest.raises(ganlib.UserError, match="has no labels, so the GAN cannot be conditional"):
        from_config.build(runs.start(tmp_path, config, source))


def test_an_argument_that_is_a_config_of_keras_reaches_the_network():
    """ml_collections makes a `ConfigDict` of it, which Keras does not take."""
    config = cifar10_biggan.get_config()
    config.generator.update(width=4, latent_dim=6)
    run = types.SimpleNamespace(config=config, image_shape=(32, 32, 3), facts={"defaults_of": "0.2.0"})
    kernel = building.network(run, "generator", config.generator, num_classes=3).dense.layer.kernel.numpy()
    assert kernel.std() == pytest.approx(0.02, rel=0.2)


def test_balanced_class_weights_by_hand():
    run = types.SimpleNamespace(config=base.classifier(), facts={"label_counts": [30, 10]})
    assert building.class_weights(run) is None
    run.config.class_weights = "balanced"
    assert building.class_weights(run) == pytest.approx([40 / 60, 2.0])
