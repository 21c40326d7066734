import numpy as np
import pytest
import tensorflow as tf

from ganlib.training.replicas import on_replicas
from tests.helpers import replicas


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("rows", [1, 4, 7])
def test_every_row_is_computed_once_and_in_order(count, rows):
    scale = tf.Variable(2.0)
    num_rows = tf.Variable(0, dtype=tf.int64)

    def function(first, second):
        num_rows.assign_add(tf.shape(first, tf.int64)[0])
        return {"product": scale * first * second, "first": tf.identity(first)}

    run = on_replicas(replicas(count), function)
    first, second = np.arange(rows, dtype=np.float32)[:, None] * np.ones(3, np.float32), np.full((rows, 1), 3, np.float32)
    for _ in range(2):
        results = run(first, second)
        np.testing.assert_array_equal(results["product"], 6 * first)
        np.testing.assert_array_equal(results["first"], first)
    assert int(num_rows) == 2 * (rows + rows % count)  # the last row is repeated if the rows cannot be split equally
