"""Workers evaluate a GAN together, with the feature network of the chief."""

import os

import keras
import numpy as np
import pytest

from ganlib import data
from ganlib.metrics import in_domain
from ganlib.training.callbacks import read_rows
from tests.end_to_end.jobs import finish, start, worker_environments
from tests.helpers import same

METRICS = "fid,fid_test,intra_fid,kid,is,precision_recall,density_coverage,authenticity,swd,vendi,cmmd,ppl"
ARGUMENTS = (
    "--config=experiments/configs/digits_dcgan.py",
    "--config.steps=2",
    f"--config.metrics={METRICS}",
    "--config.evaluate_every=2",
    "--config.evaluation_samples=400",
    "--config.generator_optimizer.learning_rate=0.0",  # the same generator, however batches are divided
)


def saved_classifier(source, folder, seed):
    keras.utils.set_random_seed(seed)
    model = in_domain.untrained(source)
    in_domain.store(model, source, folder)
    return model.get_weights()


@pytest.mark.slow
def test_two_workers_measure_the_same_as_one_device(tmp_path):
    source = data.open("digits")
    chief = saved_classifier(source, tmp_path / "0", seed=0)
    other = saved_classifier(source, tmp_path / "1", seed=1)
    assert not same(chief, other)

    def job(name, cache, environment):
        environment = {**environment, "GANLIB_CACHE": str(tmp_path / cache)}
        return start("train_gan", *ARGUMENTS, f"--workdir={tmp_path / name}", environment=environment)

    one = job("one", "0", os.environ)
    assert finish(one)[0::2] == (0, [])
    workers = [job("two", str(index), environment) for index, environment in enumerate(worker_environments(2))]
    assert [finish(worker)[0::2] for worker in workers] == [(0, [])] * 2
    stored = keras.saving.load_model(in_domain.path_of(source, tmp_path / "1"), compile=False)
    assert same(stored.get_weights(), chief)
    rows = {name: read_rows(tmp_path / name / "metrics.jsonl") for name in ("one", "two")}
    (expected,), (together,) = ([row for row in some if "fid" in row] for some in rows.values())
    assert len(expected) > len(METRICS.split(","))
    for key, value in expected.items():
        np.testing.assert_allclose(together[key], value, rtol=1e-3, atol=1e-6, err_msg=key)
