"""Workers evaluate a GAN together, with the feature network of the chief."""

import os

import keras
import numpy as np
import pytest

from ganlib import data
from ganlib.metrics import evaluate, in_domain
from ganlib.training.callbacks import read_rows
from tests.end_to_end.jobs import finish, start, worker_environments
from tests.helpers import same

METRICS = ",".join(evaluate.METRICS)
ARGUMENTS = (
    "--config=experiments/configs/digits_dcgan.py",
    "--config.steps=2",
    f"--config.metrics={METRICS}",
    "--config.evaluate_every=2",
    "--config.evaluation_samples=200",
    "--config.generator_optimizer.learning_rate=0.0",  # the same generator, however batches are divided
)


def saved_classifier(source, folder, seed):
    keras.utils.set_random_seed(seed)
    model = in_domain.untrained(source)
    in_domain.store(model, source, folder)
    return model.get_weights()


def workers_with_different_classifiers(tmp_path, *arguments):
    """Trains on two workers, each of which has another in-domain classifier in its cache. Returns the weights of the chief's
    and of the other worker's classifier afterwards.
    """
    source = data.open("digits")
    chief = saved_classifier(source, tmp_path / "0", seed=0)
    assert not same(chief, saved_classifier(source, tmp_path / "1", seed=1))
    workers = []
    for index, environment in enumerate(worker_environments(2)):
        environment = {**environment, "GANLIB_CACHE": str(tmp_path / str(index))}
        workers.append(start("train_gan", *arguments, f"--workdir={tmp_path / 'two'}", environment=environment))
    assert [finish(worker)[0::2] for worker in workers] == [(0, [])] * 2
    stored = keras.saving.load_model(in_domain.path_of(source, tmp_path / "1"), compile=False)
    return chief, stored.get_weights()


@pytest.mark.slow
def test_two_workers_measure_the_same_as_one_device(tmp_path):
    chief, other = workers_with_different_classifiers(tmp_path, *ARGUMENTS)
    assert same(chief, other)
    environment = {**os.environ, "GANLIB_CACHE": str(tmp_path / "0")}
    assert finish(start("train_gan", *ARGUMENTS, f"--workdir={tmp_path / 'one'}", environment=environment))[0::2] == (0, [])
    rows = {name: read_rows(tmp_path / name / "metrics.jsonl") for name in ("one", "two")}
    (expected,), (together,) = ([row for row in some if "fid" in row] for some in rows.values())
    assert set(expected) >= {"fid", "fld", "ppl", "cas", "swd", "intra_fid"}
    for key, value in expected.items():
        # FLD fits its variances in 50 epochs, and CAS trains a classifier on noise here: both amplify rounding.
        rtol, atol = 1e-2 if "fld" in key else 1e-3, 0.05 if key == "cas" else 1e-6
        np.testing.assert_allclose(together[key], value, rtol=rtol, atol=atol, err_msg=key)


@pytest.mark.slow
def test_two_workers_are_conditioned_on_the_same_features(tmp_path):
    instances = ("--config.conditional=False", "--config.instances.features=in_domain", "--config.instances.neighbors=5")
    assert same(*workers_with_different_classifiers(tmp_path, ARGUMENTS[0], "--config.steps=2", *instances))
