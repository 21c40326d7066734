import keras
import pytest
import tensorflow as tf

import ganlib
from ganlib.training import precision
from tests.helpers import replicas, same


def test_policy_applies_only_inside_the_context():
    before = keras.config.dtype_policy().name
    with precision.policy("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == before


def test_policy_is_restored_after_an_error():
    before = keras.config.dtype_policy().name
    with pytest.raises(RuntimeError), precision.policy("mixed_float16"):
        raise RuntimeError
    assert keras.config.dtype_policy().name == before


def test_unknown_policy_raises():
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


@pytest.mark.parametrize(("policy", "count"), [("float32", 1), ("float32", 2), ("mixed_bfloat16", 1)])
def test_a_thousand_skipped_updates_have_no_effect(policy, count):
    """A finite update after them equals the update of the unwrapped optimizer."""
    with precision.policy(policy), replicas(count).scope():
        network = keras.Sequential([keras.layers.Dense(1, use_bias=False)])
        network.build((None, 3))
        initial = network.get_weights()
        plain = keras.optimizers.Adam(0.1)
        plain.build(network.trainable_variables)
        skipping = precision.optimizer_for(network, keras.optimizers.Adam(0.1), skips=True)
        skipping.build(network.trainable_variables)

    def step(optimizer, value):
        loss = optimizer.scale_loss(value / count)
        optimizer.apply([loss * tf.ones_like(v.value) for v in network.trainable_variables], network.trainable_variables)

    def after(optimizer, values):
        for variable, value in zip(network.variables, initial, strict=True):
            variable.assign(value)
        tf.function(lambda: [replicas(count).run(step, args=(optimizer, value)) for value in values])()
        return network.get_weights()

    skip = tf.function(lambda: replicas(count).run(step, args=(skipping, float("nan"))))
    for _ in range(1000):
        skip()
    assert int(skipping.iterations.numpy()) == 0
    assert same(network.get_weights(), initial)
    assert same(after(skipping, [1e-30, float("inf"), 3.0]), after(plain, [1e-30, 3.0]))


def test_skipping_is_saved_and_replaces_unneeded_loss_scaling():
    network = ganlib.networks.mlp.Discriminator((4, 4, 1), width=2)
    with precision.policy("mixed_float16"):
        half = ganlib.networks.mlp.Discriminator((4, 4, 1), width=2)
    skipping = precision.optimizer_for(network, keras.optimizers.Adam(0.25), skips=True)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(skipping))
    assert type(loaded) is precision.Skipping
    assert float(loaded.learning_rate) == 0.25
    assert precision.optimizer_for(network, loaded, skips=True) is loaded
    scaling = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=1.0)  # as saved by earlier versions
    assert type(precision.optimizer_for(network, scaling, skips=True)) is precision.Skipping
    assert precision.optimizer_for(half, scaling, skips=True) is scaling


def test_a_layer_in_float16_gets_loss_scaling():
    """A Keras model has the policy that was global when it was created, whatever the policies of its layers."""
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="mixed_float16"), keras.layers.Dense(1)])
    assert network.dtype_policy.compute_dtype == "float32"
    assert isinstance(precision.optimizer_for(network, keras.optimizers.SGD()), keras.optimizers.LossScaleOptimizer)


def test_slow_bfloat16_is_a_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(precision.platform, "system", lambda: "Linux")
    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "cpuinfo")
    for flags, slow in (
        ("fpu avx2 avx512f", True),
        ("fpu avx2 avx512_bf16", False),
        ("fpu amx_bf16", False),
        ("asimd bf16", False),
    ):
        precision.CPU_INFO.write_text(f"flags\t\t: {flags}\n")
        caplog.clear()
        precision.warn_if_slow("float32")
        precision.warn_if_slow("mixed_float16")
        assert not caplog.records
        precision.warn_if_slow("mixed_bfloat16")
        assert ("set precision='float32'" in caplog.text) == slow
    monkeypatch.setattr(precision.tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    precision.CPU_INFO.write_text("flags: fpu")
    assert precision.has_bfloat16()
