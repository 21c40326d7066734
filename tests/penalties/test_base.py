import keras
import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import penalties
from ganlib.networks import dcgan, mlp, stylegan2
from tests.helpers import SHAPE, adam, mlp_gan, replicas, same, sgd, weights
from tests.penalties.critics import REAL, critic


@pytest.mark.parametrize("interval", [1, 4])
def test_lazy_penalty_preserves_its_mean(interval):
    penalty = penalties.R1(weight=1.0, interval=interval)
    at_step = tf.function(lambda step: penalty(critic, tf.constant(REAL), None, None, step))
    values = [float(at_step(tf.constant(step, tf.int64))) for step in range(8)]
    assert np.mean(values) == pytest.approx(float(penalty.term(critic, tf.constant(REAL), None, None)), rel=1e-5)
    assert np.count_nonzero(values) == 8 // interval


NETWORKS = {
    "path_length": (stylegan2, {"strided_groups": False}),  # strided groups depend on the number of replicas
    "auxiliary_classification": (dcgan, {"num_classes": 3, "conditioning": "auxiliary"}),
    "contrastive_classification": (dcgan, {"num_classes": 3, "conditioning": "contrastive"}),
    "rotation_prediction": (dcgan, {"rotations": True}),
}
"""Name of a penalty -> the networks that it needs. The other penalties work with any networks."""


def gan_for(penalty, optimizer=adam, **arguments):
    """Returns a small GAN that fits a penalty."""
    module, options = NETWORKS.get(penalty.name, (mlp, {}))
    normalization = {} if module is stylegan2 else {"normalization": None}  # independent of the number of replicas
    generator = module.Generator(SHAPE, latent_dim=4, width=8, num_classes=options.get("num_classes"), **normalization)
    gan = ganlib.GAN(generator, module.Discriminator(SHAPE, width=8, **options))
    gan.compile(optimizer(), optimizer(), penalties=[penalty], **arguments)
    return gan


LAZY = [kind(2.0, interval=3) for kind in penalties.KINDS if kind is not penalties.WeightClipping]


@pytest.mark.parametrize("penalty", LAZY, ids=lambda p: p.name)
def test_each_penalty_follows_its_interval_and_is_saved_with_a_gan(penalty, images, labels, tmp_path):
    gan = gan_for(penalty, run_eagerly=True)  # the last test of this file and the tests of the configs run graphs
    logs = [gan.train_on_batch(images[:8], labels[:8], return_dict=True) for _ in range(4)]
    names = [penalty.name] * penalty.on_discriminator + [f"generator_{penalty.name}"] * penalty.on_generator
    assert names
    for name in names:
        assert [log[name] > 0 for log in logs] == [True, False, False, True]
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    (loaded_penalty,) = loaded.penalties
    assert type(loaded_penalty) is type(penalty)
    assert loaded_penalty.get_config() == penalty.get_config()
    for model in (gan, loaded):  # the state of the penalty was saved too
        model.train_on_batch(images[:8], labels[:8])
    assert same(weights(gan), weights(loaded))


def test_get_by_name_and_errors():
    config = {"weight": 2.0, "interval": 3, "augmented": False, "separate": False}
    assert penalties.get("r1", weight=2.0, interval=3).get_config() == config
    assert {name: kind(1.0).name for name, kind in penalties.PENALTIES.items()} == {k: k for k in penalties.PENALTIES}
    with pytest.raises(ganlib.UserError, match="unknown penalty 'r3'"):
        penalties.get("r3")
    with pytest.raises(ganlib.UserError, match="the weight of 'r1' must be at least 0, got -1"):
        penalties.R1(-1)
    with pytest.raises(ganlib.UserError, match="interval must be at least 1, got 0"):
        penalties.R1(1.0, interval=0)
    assert len(penalties.PENALTIES) == len(penalties.KINDS)


@pytest.mark.parametrize(
    ("penalty", "networks", "message"),
    [
        (penalties.PathLength(), {}, "'path_length' needs a generator with styles, such as stylegan2"),
        (penalties.AuxiliaryClassification(), {}, "needs a conditional discriminator with conditioning='auxiliary'"),
        (penalties.ContrastiveClassification(), {}, "needs a conditional discriminator with conditioning='contrastive'"),
        (penalties.RotationPrediction(), {}, "needs a discriminator with rotations=True"),
        (penalties.R1(1.0), {"conditioning": "auxiliary"}, "learns labels only through penalty 'auxiliary_classification'"),
    ],
)
def test_networks_that_do_not_fit_raise_at_compile(penalty, networks, message):
    gan = ganlib.GAN(mlp.Generator(SHAPE, 4, num_classes=3), mlp.Discriminator(SHAPE, num_classes=3, **networks))
    with pytest.raises(ganlib.UserError, match=message):
        gan.compile(adam(), adam(), penalties=[penalty])


def test_auxiliary_classification_needs_classes():
    gan = ganlib.GAN(mlp.Generator(SHAPE, 4), mlp.Discriminator(SHAPE, conditioning="auxiliary"))
    with pytest.raises(ganlib.UserError, match="conditioning='auxiliary', this one has no classes"):
        gan.compile(adam(), adam(), penalties=[penalties.AuxiliaryClassification()])


def test_duplicate_penalty_raises():
    with pytest.raises(ganlib.UserError, match="each penalty may be used once, got r1, r1"):
        mlp_gan(penalties=[penalties.R1(1.0), penalties.R1(2.0)])


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.slow if kind is penalties.PathLength else ())
        for kind in penalties.KINDS
        if kind.uses_collectives
    ],
    ids=lambda k: k.name,
)
def test_lazy_penalties_with_collectives_agree_on_two_replicas(kind, images):
    """TensorFlow does not support collectives inside a condition, so these penalties are computed at every step."""
    results = []
    for count in (1, 2):
        with replicas(count).scope():
            keras.utils.set_random_seed(0)
            gan = gan_for(kind(0.1, interval=2), sgd)
        batches = tf.data.Dataset.from_tensor_slices(images[:8]).batch(8).repeat()
        logs = [gan.fit(batches, steps_per_epoch=1, verbose=0).history for _ in range(3)]
        (name,) = (name for name in logs[0] if name.endswith(kind.name))
        results.append([log[name][0] for log in logs])
        if gan.penalty_states:
            results[-1] += [float(np.ravel(v)[0]) for v in gan.penalty_states[0].get_weights()]
    assert results[0][0] > 0
    assert results[0][1] == results[1][1] == 0
    np.testing.assert_allclose(results[0], results[1], rtol=1e-3)
