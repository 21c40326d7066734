"""The density model of Bad GAN is trained first, in a folder of its own, and resumes like every run."""

import json
import shutil

import numpy as np
import pytest

import ganlib
from experiments.configs import base
from ganlib import data, runs
from ganlib.models import DensityModel
from tests.helpers import same, weights


def config_of(**settings):
    config = base.classifier()
    config.update(method="bad_gan", networks="mlp", labels_per_class=2, batch_size=8, steps=2, checkpoint_every=1)
    config.generator.update(width=8, latent_dim=4)
    config.discriminator.width = 8
    config.bad_gan.update(low_density_weight=1e-3, low_density_from_step=0, low_density_probability=0.5)
    config.bad_gan.update(density_steps=3, density_batch_size=8, **settings)
    config.bad_gan.density = {"width": 2, "blocks": 1, "resolutions": 1, "mixtures": 2}
    return config


def started(folder, config, accept_new_config=False):
    """Returns the run and its model, with a trained density model."""
    parts = runs.few_labels(config, data.open("digits"))
    run = runs.start(folder, config, data.open("digits"), accept_new_config)
    model = runs.build(run)
    if not run.checkpoints(model).steps():
        runs.density.train(run, model, parts.unlabeled, accept_new_config)
    return run, model


def trained(folder, config):
    run, model = started(folder, config)
    model.run_eagerly = True  # tracing takes far longer than a few steps
    parts = runs.few_labels(config, data.open("digits"))
    runs.fit(run, model, lambda step: data.semi_supervised_batches(parts.labeled, parts.unlabeled, 8, 0, step), samples=False)
    return model


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A folder with a trained density model, the model, and the arguments of its batches."""
    folder, recorded, batches = tmp_path_factory.mktemp("density"), [], data.batches
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "batches", lambda *args, **keywords: (recorded.append(keywords), batches(*args, **keywords))[1])
        _, model = started(folder, config_of(density_quantile=0.25))
    return folder, model, recorded


def test_the_threshold_is_the_quantile_of_the_training_images(first):
    _, model, _ = first
    digits = data.open("digits").images / np.float32(127.5) - 1
    below = np.mean(np.asarray(model.density.log_likelihood(digits)) < float(model.threshold))
    assert below == pytest.approx(0.25, abs=1e-3)


def test_labels_of_the_images_are_not_read(first):
    """The batches have images only, and the order of no other part of the run."""
    folder, _, recorded = first
    (keywords,) = recorded
    assert keywords["with_labels"] is False
    assert keywords["stream"] == runs.density.STREAM
    assert runs.density.STREAM not in (data.pipeline.UNLABELED, data.pipeline.OF_GENERATOR)
    config = json.loads((folder / "density/config.json").read_text())
    assert (config["method"], config["steps"], config["batch_size"]) == ("density", 3, 8)
    rows = ganlib.training.callbacks.read_rows(folder / "density/metrics.jsonl")
    assert rows[-1]["step"] == 3
    assert rows[-1]["bits_per_value"] > 0


def test_a_trained_density_model_is_used_again(first, tmp_path, monkeypatch):
    folder, model, _ = first
    shutil.copytree(folder, tmp_path / "run")
    monkeypatch.setattr(DensityModel, "fit", None)
    again = started(tmp_path / "run", config_of(density_quantile=0.25))[1]
    assert same(weights(model.density), weights(again.density))
    assert float(model.threshold) == float(again.threshold)


def test_an_interrupted_training_of_the_density_and_of_the_gan_continues_bit_for_bit(tmp_path):
    config = config_of()
    config.bad_gan.density_steps, whole = 2, config_of()
    started(tmp_path / "resumed", config)
    assert not (tmp_path / "resumed/config.json").exists()  # the GAN's run starts afterwards
    whole.steps = 1
    trained(tmp_path / "resumed", whole)
    whole.steps = 3
    resumed, uninterrupted = (trained(tmp_path / name, whole) for name in ("resumed", "uninterrupted"))
    assert int(resumed.step) == 3
    assert same(weights(resumed), weights(uninterrupted))
    loaded = ganlib.load(tmp_path / "resumed")
    assert same(weights(loaded.density), weights(uninterrupted.density))
    assert float(loaded.threshold) == float(uninterrupted.threshold)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "density' was created with another config: seed 0 -> 1"),
        ({"bad_gan": {"density": {"width": 3}}}, "density' was created with another config: density.width 2 -> 3"),
        ({"validation_per_class": 2}, "other data: class_counts"),
    ],
)
def test_another_density_model_is_refused(first, tmp_path, change, message):
    shutil.copytree(first[0], tmp_path / "run")
    config = config_of()
    config.update(change)
    with pytest.raises(ganlib.UserError, match=message):
        started(tmp_path / "run", config)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"low_density_weight": 0.0}, "bad_gan.encoder_weight and bad_gan.low_density_weight are both 0: set one of them"),
        ({"low_density_from_step": 2}, "bad_gan.low_density_from_step=2 is after the last of the 2 steps"),
        ({"encoder_weight": 0.1}, "networks='mlp' has no encoder: set bad_gan.encoder.networks to another module"),
        ({"density": {"widht": 3}}, "the density model has no argument 'widht'.*Did you mean 'width'"),
        ({"density": {"resolutions": 5}}, "needs sides that are multiples of 16, got images of 8x8"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_anything_is_trained(tmp_path, settings, message):
    config = config_of()
    with config.ignore_type():
        config.bad_gan.update(settings)
    with pytest.raises(ganlib.UserError, match=message):
        started(tmp_path / "run", config)
    assert not (tmp_path / "run").exists()
