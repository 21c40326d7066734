import json
import types

import pytest

from experiments.common import gan_comparison, trials
from experiments.configs import mnist_dcgan
from ganlib.training.callbacks import write_rows


def trial(folder, seed, fid, metrics=()):
    workdir = folder / f"a_seed{seed}"
    workdir.mkdir()
    (workdir / "evaluation.json").write_text(json.dumps({"results": {"fid": fid}}))
    write_rows(workdir / "metrics.jsonl", [row for row in metrics if "fid" in row])
    write_rows(workdir / "speed.jsonl", [row for row in metrics if "fid" not in row])
    return gan_comparison.GanTrial("mnist_dcgan", str(seed), mnist_dcgan.get_config(), workdir)


ROWS = [
    {"step": 60, "steps_per_second": 1.0},
    {"step": 60, "fid": 9.0},
    {"step": 60, "evaluation_seconds": 30.0},  # the rates exclude the time of evaluations
    {"step": 120, "steps_per_second": 2.0},
]


def test_clock_counts_only_training(tmp_path):
    steps, minutes = trials.clock(trial(tmp_path, 0, 1.0, ROWS).workdir)
    assert steps.tolist() == [0, 60, 120]
    assert minutes.tolist() == [0.0, 1.0, 1.5]


def test_row_has_mean_and_standard_deviation_over_seeds(tmp_path):
    runs = [trial(tmp_path, seed, fid, ROWS) for seed, fid in enumerate([1.0, 2.0, 6.0])]
    row = gan_comparison.summary("mnist_dcgan", runs)
    assert row["values"] == {"fid": [1.0, 2.0, 6.0], "minutes": [1.5] * 3}
    assert row["mean"]["fid"] == pytest.approx(3.0)
    assert row["std"]["fid"] == pytest.approx(7**0.5)
    (tmp_path / "test.json").write_text(json.dumps({"results": {"fid": 0.5}, "samples": 50_000, "most_samples": 50_000}))
    floor = gan_comparison.floor_row(gan_comparison.Floor(mnist_dcgan.get_config(), tmp_path / "test.json"))
    lines = gan_comparison.as_markdown([row, floor]).splitlines()
    assert lines[0] == "|  | steps | FID | minutes |"
    assert lines[2] == f"| mnist_dcgan | {row['steps']} | 3.00 ± 2.65 | 1.5 ± 0.0 |"
    assert lines[3] == "| mnist, real test images |  | 0.50 |  |"
    (tmp_path / "test.json").write_text(json.dumps({"results": {"fid": 0.5}, "samples": 10_000, "most_samples": 50_000}))
    floor = gan_comparison.floor_row(gan_comparison.Floor(mnist_dcgan.get_config(), tmp_path / "test.json"))
    assert floor["name"] == "mnist, real test images, only 10,000"


def test_results_of_several_networks_have_columns_of_their_own():
    row = {"name": "a", "steps": 5, **trials.statistics([{"fid": 1.0, "fid@b": 2.0, "minutes": 3.0}])}
    assert gan_comparison.as_markdown([row]).splitlines()[0] == "|  | steps | FID | FID, b | minutes |"


@pytest.mark.parametrize(
    ("networks", "of_test_images"),
    [
        ([], ["in_domain"]),
        (["efficientnet_lite:0", "in_domain:test", "in_domain"], ["efficientnet_lite:0", "in_domain"]),
        (["in_domain:test", "in_domain"], []),
    ],
)
def test_test_images_are_not_measured_by_a_network_trained_on_them(monkeypatch, networks, of_test_images):
    config = mnist_dcgan.get_config()
    config.features = "in_domain"
    monkeypatch.setattr(gan_comparison, "FLAGS", types.SimpleNamespace(features=networks, metrics="fid"))
    assert gan_comparison.networks_of_test_images(config) == of_test_images


def test_one_seed_has_no_standard_deviation(tmp_path):
    row = gan_comparison.summary("mnist_dcgan", [trial(tmp_path, 0, 1.0, ROWS)])
    assert "| 1.00 |" in gan_comparison.as_markdown([row])
