import numpy as np
import pytest
import tensorflow as tf

from experiments.benchmarks import evaluation


def test_table_of_an_evaluation(monkeypatch, capsys):
    monkeypatch.setattr(evaluation, "REAL_IMAGES", 200)
    times = evaluation.measure(count=100, width=4, rounds=2)
    assert {name: values.shape for name, values in times.items()} == dict.fromkeys(
        ("generator", "features", "evaluation"), (2,)
    )
    assert all((values > 0).all() for values in times.values())
    evaluation.report({"generator": np.array([1.0, 2.0]), "features": np.array([1.0, 1.0]), "evaluation": np.array([3.0, 3.0])})
    rows = {line[:24].strip(): line[24:].split()[0] for line in capsys.readouterr().out.splitlines()}
    assert rows == {
        "bare generator pass": "1.50", "bare feature pass": "1.00", "both bare passes": "2.50", "evaluation": "3.00",
        "evaluation / both": "1.25",
    }  # fmt: skip


@pytest.mark.parametrize("count", [64, 200])
def test_bare_pass_calls_the_network_on_every_image(count):
    seen = tf.Variable(0)

    def network(images):
        seen.assign_add(tf.shape(images)[0])
        return images

    run = evaluation.bare_pass(network, lambda size: (tf.zeros((size, 1)),), count)
    seen.assign(0)
    run()
    assert int(seen) == count
