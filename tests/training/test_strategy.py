import json
import types

import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib import data
from ganlib.training import strategy
from tests.helpers import replicas, two_replicas


def test_one_device_is_the_default_strategy(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert strategy.create("one_device") is tf.distribute.get_strategy()
    assert strategy.create("auto") is tf.distribute.get_strategy()  # no GPU, no TF_CONFIG


def test_missing_devices_raise(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ganlib.UserError, match="unknown strategy 'miror': known are auto, .* Did you mean 'mirrored'"):
        strategy.create("miror")
    with pytest.raises(ganlib.UserError, match="multi_worker needs the environment variable TF_CONFIG"):
        strategy.create("multi_worker")
    monkeypatch.setenv("TF_CONFIG", "{workers}")
    with pytest.raises(ganlib.UserError, match="TF_CONFIG is '{workers}', which cannot be parsed"):
        strategy.create()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a", "b"] if kind == "GPU" else ["c"])
    with pytest.raises(ganlib.UserError, match="3 replicas requested, but this machine has 2 GPUs"):
        strategy.create("mirrored", 3)


@pytest.mark.parametrize(("name", "workers"), [("one_device", 1), ("multi_worker", 2), ("auto", 2), ("tpu", 1)])
def test_replicas_for_a_strategy_with_fixed_devices_raise(monkeypatch, name, workers):
    monkeypatch.setattr(strategy, "_workers", lambda: ["127.0.0.1:1"] * (workers if workers > 1 else 0))
    with pytest.raises(ganlib.UserError, match="^4 replicas requested, but .*: remove --replicas"):
        strategy.create(name, replicas=4)


@pytest.mark.parametrize(
    ("cluster", "task", "chief"),
    [
        ({"worker": 2}, ("worker", 0), True),
        ({"worker": 2}, ("worker", 1), False),
        ({"chief": 1, "worker": 2}, ("chief", 0), True),
        ({"chief": 1, "worker": 2}, ("worker", 0), False),
    ],
)
def test_chief_and_number_of_workers(monkeypatch, cluster, task, chief):
    addresses = {kind: [f"host:{number}" for number in range(count)] for kind, count in cluster.items()}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": addresses, "task": {"type": task[0], "index": task[1]}}))
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    distribution = types.SimpleNamespace(cluster_resolver=resolver)
    assert strategy.is_chief(distribution) is chief
    assert strategy.num_workers(distribution) == sum(cluster.values())


@pytest.mark.parametrize("count", [1, 2])
def test_single_process_is_the_chief(count):
    assert strategy.is_chief(replicas(count))
    assert strategy.num_workers(replicas(count)) == 1
    strategy.check_same(replicas(count), "the step", 12345)
    assert strategy.mean_over_workers(replicas(count))([1.0, 3.0]) == [1.0, 3.0]


def test_errors_of_a_lost_worker_are_recognized(monkeypatch):
    timeout, invalid = tf.errors.DeadlineExceededError(None, None, "a"), tf.errors.InvalidArgumentError(None, None, "a")
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert not strategy.is_worker_lost(timeout)
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}))
    assert strategy.is_worker_lost(timeout)
    assert not strategy.is_worker_lost(invalid)


def test_equal_shares():
    dataset = tf.data.Dataset.from_tensors((tf.zeros((6, 2)), tf.zeros(9)))
    strategy.check_shares(replicas(1), dataset)
    strategy.check_shares(replicas(1), dataset, parts=3)
    with pytest.raises(ganlib.UserError, match="batch of 9 cannot be .* among 2 replicas, each in 3 parts: set it to 6 or 12"):
        strategy.check_shares(replicas(2), tf.data.Dataset.from_tensors(tf.zeros(9)), parts=3)
    with pytest.raises(ganlib.UserError, match="batch of 9 cannot be .* among 2 replicas: set it to 8 or 10"):
        strategy.check_shares(replicas(2), dataset)


@pytest.mark.parametrize("with_labels", [True, False])
def test_the_shares_of_workers_are_those_of_a_dataset_that_tensorflow_distributes(with_labels):
    """The two replicas of one worker. Two workers are tested in tests/end_to_end/test_kills.py."""
    distribution, source = two_replicas(), data.open("digits")

    def batches(index=0, count=1):
        return data.batches(source, 8, 3, with_labels=with_labels, mirror=True, share=data.Share(index, count))

    expected = iter(distribution.experimental_distribute_dataset(batches()))
    shared = iter(strategy.shared_by_workers(distribution, batches))
    for _ in range(3):
        pair = [tf.nest.map_structure(distribution.experimental_local_results, next(it)) for it in (expected, shared)]
        for first, second in zip(*(tf.nest.flatten(element) for element in pair), strict=True):
            assert first.shape[0] == 4
            np.testing.assert_array_equal(first, second)
