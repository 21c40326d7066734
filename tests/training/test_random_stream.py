import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from ganlib.training import RandomStream


def draws(**arguments):
    stream = RandomStream(**arguments)
    return [
        stream.normal((4, 3)),
        stream.uniform((4, 2), -1.0, 2.0),
        stream.integers((4,), 0, 5),
        stream.truncated_normal((4, 3), 0.5),
    ]


def test_same_seed_and_step_give_the_same_numbers():
    for a, b in zip(draws(seed=1, step=2), draws(seed=1, step=2), strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_seed_step_or_draw_gives_different_numbers():
    first = draws(seed=1, step=2)[0]
    others = [draws(seed=2, step=2)[0], draws(seed=1, step=3)[0], draws(seed=2, step=1)[0]]
    stream = RandomStream(1, 2)
    others.append([stream.normal((4, 3)), stream.normal((4, 3))][1])
    assert all(not np.array_equal(first, other) for other in others)


def test_replicas_share_the_numbers_of_the_global_batch():
    for all_numbers, first, second in zip(
        [RandomStream(1, 2).normal((8, 3)), RandomStream(1, 2).integers((8, 1, 1), 0, 9)],
        [RandomStream(1, 2, 0, 2).normal((4, 3)), RandomStream(1, 2, 0, 2).integers((4, 1, 1), 0, 9)],
        [RandomStream(1, 2, 1, 2).normal((4, 3)), RandomStream(1, 2, 1, 2).integers((4, 1, 1), 0, 9)],
        strict=True,
    ):
        np.testing.assert_array_equal(all_numbers, np.concatenate([first, second]))


def test_distributions():
    stream = RandomStream(0)
    normal = stream.normal((20_000,)).numpy()
    assert abs(normal.mean()) < 0.03
    assert abs(normal.std() - 1) < 0.03
    uniform = stream.uniform((20_000,), -1.0, 2.0).numpy()
    assert -1 <= uniform.min() < uniform.max() < 2
    assert abs(uniform.mean() - 0.5) < 0.03
    assert set(stream.integers((1000,), -1, 2).numpy()) == {-1, 0, 1}


@pytest.mark.parametrize("jit_compile", [False, True])
def test_graph_and_xla_match_eager_mode(jit_compile):
    graph = tf.function(lambda step: RandomStream(3, step).normal((100, 2)), jit_compile=jit_compile)
    np.testing.assert_allclose(graph(tf.constant(5, tf.int64)), RandomStream(3, 5).normal((100, 2)), rtol=1e-5)


def test_normal_distribution_against_scipy():
    numbers = np.concatenate([RandomStream(seed).normal((10_000,)) for seed in range(10)])
    assert scipy.stats.kstest(numbers, "norm").pvalue > 0.001
    truncated = np.concatenate([RandomStream(seed).truncated_normal((10_000,), 1.5) for seed in range(10)])
    assert scipy.stats.kstest(truncated, scipy.stats.truncnorm(-1.5, 1.5).cdf).pvalue > 0.001


def test_a_shared_number_is_the_same_on_all_replicas_and_in_all_micro_batches():
    whole, replica = RandomStream(1, 2), RandomStream(1, 2, 1, 2)
    first = float(whole.shared_uniform())
    assert float(replica.shared_uniform()) == first
    second = float(whole.shared_uniform())
    assert [float(replica.part(index, 2).shared_uniform()) for index in range(2)] == [second, second]
    assert second != first
    drawn = [float(RandomStream(3, step).shared_uniform()) for step in range(1000)]
    assert scipy.stats.kstest(drawn, "uniform").pvalue > 0.01
