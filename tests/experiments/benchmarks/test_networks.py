import contextlib
import json
import multiprocessing

import pytest

from experiments import configs
from experiments.benchmarks import networks


@pytest.mark.parametrize(("name", "parts"), [("digits_dcgan", 1), ("cifar10_sngan", 5), ("digits_sgan", 1)])
def test_batch_fits_the_train_step_of_a_config(name, parts):
    config = configs.load(name, ["generator.width=8", "discriminator.width=8"])
    model, batch = networks.build(config)
    images = batch[0] if isinstance(batch, tuple) else batch
    assert images.shape[0] == parts * config.batch_size
    assert images.shape[1:] == networks.SHAPES[config.dataset]
    if name == "digits_dcgan":
        assert set(model.train_step(batch)) >= {"generator_loss", "r1"}


@pytest.mark.slow
def test_row_of_measurements(tmp_path, capsys):
    config = configs.load("digits_dcgan", ["generator.width=8", "discriminator.width=8", "batch_size=8"])
    row = networks.measure("digits_dcgan", config, False, 0.2, contextlib.nullcontext)
    networks.report(row, tmp_path / "rows.jsonl")
    assert json.loads((tmp_path / "rows.jsonl").read_text()) == row
    assert 0 < row["share_of_matmul_rate"] < 1
    assert row["finite"]
    assert row["images_per_second"] == pytest.approx(
        8 * row["share_of_matmul_rate"] * row["matmul_flops_per_second"] / row["flops"]
    )
    assert "digits_dcgan, float32, graph" in capsys.readouterr().out


def test_only_one_process_measures_at_a_time(tmp_path):
    """A process waits for the lock until its holder releases it."""
    context = multiprocessing.get_context("spawn")
    entered = context.Event()
    with networks.locked(tmp_path / "lock"):
        process = context.Process(target=enter, args=(str(tmp_path / "lock"), entered))
        process.start()
        assert not entered.wait(2.0)
    assert entered.wait(30.0)
    process.join()


def enter(path, entered):
    with networks.locked(path):
        entered.set()
