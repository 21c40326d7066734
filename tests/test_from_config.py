import pytest

import ganlib
from experiments.configs import base
from ganlib import data, from_config, runs


def test_an_argument_that_a_network_or_optimizer_does_not_have():
    with pytest.raises(ganlib.UserError, match="optimizer 'adam' has no argument 'learning_rat'.*Did you mean 'learning_rate'"):
        from_config.build_optimizer({"name": "adam", "learning_rat": 1.0}, 10)
    with pytest.raises(ganlib.UserError, match="unknown optimizer 'adamm'"):
        from_config.build_optimizer({"name": "adamm"}, 10)


def test_linear_decay():
    optimizer = from_config.build_optimizer({"name": "adam", "learning_rate": 0.4, "linear_decay": True}, 10)
    rates = []
    for step in (0, 5, 10):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([0.4, 0.2, 0.0])


def test_conditional_gan_needs_labels(tmp_path):
    config = base.gan()
    config.conditional = True
    source = data.sources.from_arrays("mine", data.open("digits").images)
    with pytest.raises(ganlib.UserError, match="has no labels, so the GAN cannot be conditional"):
        from_config.build(runs.start(tmp_path, config, source))
