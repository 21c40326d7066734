import importlib.util
import json

import numpy as np
import pytest
import tensorflow as tf

from experiments.benchmarks import keras_pattern, peers
from tests.end_to_end.jobs import run


@pytest.mark.slow
def test_all_implementations_are_measured_in_each_round(tmp_path):
    arguments = ("--networks=dcgan", "--precisions=float32", "--rounds=2", "--seconds=0.01", "--batch_size=4")
    code, output, errors = run("benchmarks.peers", *arguments, f"--output={tmp_path / 'peers.json'}")
    assert (code, errors) == (0, [])
    rows = json.loads((tmp_path / "peers.json").read_text())
    assert [row["name"] for row in rows] == peers.implementations("dcgan")
    assert rows[0]["speed"] == [1.0, 1.0, 1.0]
    for row in rows:
        assert row["images_per_second"] > 0
        assert row["speed"][1] <= row["speed"][0] <= row["speed"][2]
        assert (row["share_of_matmul_rate"] is not None) == row["name"].startswith("ganlib")
        assert f"| {row['name']} |" in output


def test_pytorch_is_left_out_if_it_is_not_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not any("PyTorch" in name for name in peers.implementations("dcgan"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert peers.implementations("r3gan") == ["ganlib alternating", "PyTorch eager"], "torch.compile has no double backward"


@pytest.mark.parametrize("one_pass", [False, True])
def test_keras_pattern_trains_both_networks(one_pass):
    gan = keras_pattern.GAN(one_pass)
    images = tf.constant(np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8))
    before = [[np.array(w) for w in network.trainable_weights] for network in (gan.generator, gan.discriminator)]
    assert np.isfinite(float(gan.train_step(images)))
    for network, values in zip((gan.generator, gan.discriminator), before, strict=True):
        assert all(not np.array_equal(a, b) for a, b in zip(values, network.trainable_weights, strict=True))
