import contextlib
import io

import keras
import numpy as np
import pytest

import ganlib
from ganlib import data
from ganlib.diagnostics import Diagnose, callback, history, snapshot
from ganlib.networks import mlp
from tests.helpers import replicas, same

DIGITS = data.open("digits")


def gan(num_classes=None, **arguments):
    classes = {"num_classes": num_classes}
    model = ganlib.GAN(mlp.Generator((8, 8, 1), latent_dim=8, **classes), mlp.Discriminator((8, 8, 1), **classes))
    model.compile(seed=0, **arguments)
    return model


def fit(model, diagnose, steps, with_labels=False):
    batches = data.batches(DIGITS, 16, with_labels=with_labels)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        model.fit(batches, steps_per_epoch=steps, verbose=0, callbacks=[diagnose] if diagnose else [])
    return output.getvalue()


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(callback, "SMALLEST_INTERVAL", 1)
    monkeypatch.setattr(history, "SHORTEST", 0)
    monkeypatch.setattr(snapshot, "COUNT", 40)


@pytest.mark.parametrize("num_classes", [None, 10])
def test_training_is_not_changed(short, num_classes):
    examined, alone = gan(num_classes), gan(num_classes)
    alone.set_weights(examined.get_weights())
    diagnose = Diagnose(DIGITS, data.open("digits", "test"), every=2)
    fit(examined, diagnose, 6, bool(num_classes))
    fit(alone, None, 6, bool(num_classes))
    assert same(examined.get_weights(), alone.get_weights())
    assert [row["step"] for row in diagnose.rows] == [0, 2, 4, 6]
    assert {"overfitting", "diversity", "training_nearest", "dead_units"} <= set().union(*diagnose.rows)
    assert ("labels_used" in diagnose.rows[-1]) == bool(num_classes)


def test_new_symptoms_are_printed_once(short):
    """A generator that does not learn makes images that are all alike."""
    model = gan()
    model.generator_optimizer.learning_rate.assign(0.0)
    for network in (model.generator, model.ema_generator):
        network.set_weights([np.zeros_like(value) for value in network.get_weights()])
    diagnose = Diagnose(DIGITS, every=2)
    output = fit(model, diagnose, 20)
    assert output.count("mode_collapse (confidence 1.00): The mean distance between two generated images is ") == 1
    assert "step 10: mode_collapse" in output
    symptoms = {finding.symptom for finding in diagnose.findings}
    assert symptoms >= {"mode_collapse", "exploding_or_dead_layers"}, "the generator's kernels never change"


def test_short_trainings_are_not_examined():
    diagnose = Diagnose(DIGITS)
    fit(gan(), diagnose, 5)
    assert [row["step"] for row in diagnose.rows] == [0]
    assert not diagnose.findings


def test_logits_are_those_of_the_discriminator(short):
    model = gan(10)
    camera = snapshot.Camera(model, DIGITS, data.open("digits", "test"))
    shot = camera.snapshot()
    real = camera.training
    expected = model.discriminator(real.images[:5] / 127.5 - 1.0, real.labels[:5])
    np.testing.assert_allclose(shot.logits["training"][:5], expected, atol=1e-5)
    images = model.generate_from(camera._latents[:5], camera._labels[:5])
    np.testing.assert_array_equal(shot.images[:5], ganlib.plots.to_uint8(images))
    assert set(shot.logits) == {"training", "generated", "held_out"}
    assert {"kernel 0 of the generator, 16x512", "kernel 0 of the discriminator, 64x512"} <= set(shot.kernels)
    assert sum("discriminator" in name for name in shot.kernels) >= 2


def test_two_replicas_see_the_same(short):
    rows = []
    for strategy in map(replicas, (1, 2)):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = gan()
        rows.append(snapshot.Camera(model, DIGITS, data.open("digits", "test")).snapshot())
    for name in ("training", "held_out", "generated"):
        np.testing.assert_allclose(rows[0].logits[name], rows[1].logits[name], atol=1e-5)
    np.testing.assert_array_equal(rows[0].images, rows[1].images)
    np.testing.assert_allclose(rows[0].current, rows[1].current, atol=1e-6)
