import json

import pytest

import ganlib
from experiments import compare
from experiments.configs import mnist_dcgan
from ganlib.training.callbacks import write_rows


def trial(folder, seed, fid, metrics=()):
    workdir = folder / f"a_seed{seed}"
    workdir.mkdir()
    (workdir / "evaluation.json").write_text(json.dumps({"results": {"fid": fid}}))
    write_rows(workdir / "metrics.jsonl", metrics)
    return compare.Trial("mnist_dcgan", str(seed), mnist_dcgan.get_config(), workdir)


ROWS = [
    {"step": 60, "steps_per_second": 1.0},
    {"step": 60, "fid": 9.0},  # the time that measuring takes is not in the rates
    {"step": 120, "steps_per_second": 2.0},
]


def test_the_clock_counts_training_alone(tmp_path):
    steps, minutes = compare.clock(trial(tmp_path, 0, 1.0, ROWS).workdir)
    assert steps.tolist() == [0, 60, 120]
    assert minutes.tolist() == [0.0, 1.0, 1.5]


def test_a_row_is_the_mean_and_deviation_over_seeds(tmp_path):
    trials = [trial(tmp_path, seed, fid, ROWS) for seed, fid in enumerate([1.0, 2.0, 6.0])]
    row = compare.summary("mnist_dcgan", trials)
    assert row["values"] == {"fid": [1.0, 2.0, 6.0], "minutes": [1.5] * 3}
    assert row["mean"]["fid"] == pytest.approx(3.0)
    assert row["std"]["fid"] == pytest.approx(7**0.5)
    floor = {"name": "mnist, real test images", **compare.single({"results": {"fid": 0.5}})}
    lines = compare.as_markdown([row, floor]).splitlines()
    assert lines[0] == "|  | steps | FID | minutes |"
    assert lines[2] == f"| mnist_dcgan | {row['steps']} | 3.00 ± 2.65 | 1.5 ± 0.0 |"
    assert lines[3] == "| mnist, real test images |  | 0.50 |  |"


def test_one_seed_has_no_deviation(tmp_path):
    row = compare.summary("mnist_dcgan", [trial(tmp_path, 0, 1.0, ROWS)])
    assert "| 1.00 |" in compare.as_markdown([row])


def test_configs_are_loaded_with_what_is_set():
    config = compare.load_config("mnist_resnet", ["steps=7", "generator.width=5", "precision=mixed_float16"])
    assert (config.steps, config.generator.width, config.precision) == (7, 5, "mixed_float16")
    for pair in ("stepz=7", "generator.widht=5", "steps=many", "nothing.width=5"):
        with pytest.raises(ganlib.UserError, match=f"--set={pair} does not fit config 'mnist_resnet': ."):
            compare.load_config("mnist_resnet", [pair])
    with pytest.raises(ganlib.UserError, match="no config 'nothing': give names of files"):
        compare.load_config("nothing")
