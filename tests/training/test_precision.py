import keras
import pytest

import ganlib
from ganlib.training import precision


def test_policy_holds_inside_only():
    before = keras.config.dtype_policy().name
    with precision.policy("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == before


def test_policy_is_undone_after_an_error():
    before = keras.config.dtype_policy().name
    with pytest.raises(RuntimeError), precision.policy("mixed_float16"):
        raise RuntimeError
    assert keras.config.dtype_policy().name == before


def test_unknown_policy():
    with pytest.raises(ganlib.UserError, match="unknown precision 'float8'"), precision.policy("float8"):
        pass


def test_float16_gets_loss_scaling_once():
    with precision.policy("mixed_float16"):
        network = ganlib.networks.mlp.Discriminator((4, 4, 1), width=2)
    scaled = precision.optimizer_for(network, keras.optimizers.Adam())
    assert isinstance(scaled, keras.optimizers.LossScaleOptimizer)
    assert precision.optimizer_for(network, scaled) is scaled
    plain = keras.optimizers.Adam()
    assert precision.optimizer_for(ganlib.networks.mlp.Discriminator((4, 4, 1), width=2), plain) is plain
