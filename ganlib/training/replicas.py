"""What replicas share: the whole batch inside a step, and work on arrays, such as generating and measuring."""

import numpy as np
import tensorflow as tf


def whole_batch(values):
    """``values`` of all replicas, one after the other: ``(n, ...)`` -> ``(n * replicas, ...)``."""
    context = tf.distribute.get_replica_context()
    return values if context.num_replicas_in_sync == 1 else context.all_gather(values, axis=0)


def batch_mean(values):
    """The mean of ``values`` over the first axis, taken over the batches of all replicas: ``(n, ...)`` -> ``(...)``."""
    mean, context = tf.reduce_mean(values, axis=0), tf.distribute.get_replica_context()
    return mean if context.num_replicas_in_sync == 1 else context.all_reduce("MEAN", mean)


def on_replicas(strategy, function, signature=None):
    """``function``, compiled, with the rows of its arguments shared equally among all replicas.

    Args:
        strategy: a `tf.distribute.Strategy`. Of several workers, all must call the result, with the same arguments.
        function: from tensors of ``n`` rows each to a structure of tensors of ``n`` rows, each row a function of its own.
        signature: a `tf.TensorSpec` for each argument, or None.

    Returns:
        A function from numpy arrays of ``n`` rows to the same structure of numpy arrays of ``n`` rows, whole on every worker.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        run = tf.function(function, input_signature=signature, reduce_retracing=True, autograph=False)
        return lambda *arrays: _as_numpy(run(*(tf.constant(array) for array in arrays)))

    @tf.function(reduce_retracing=True, autograph=False)
    def run_on_all(shares):
        return tf.nest.map_structure(lambda result: strategy.gather(result, axis=0), strategy.run(function, args=shares))

    def shares_of(array, size):
        rows = np.minimum(np.arange(size * replicas), len(array) - 1)  # the last row again, where there are too few
        return strategy.experimental_distribute_values_from_function(
            lambda replica: tf.constant(array[rows[replica.replica_id_in_sync_group * size :][:size]])
        )

    def run(*arrays):
        count = len(arrays[0])
        size = -(-count // replicas)
        results = _as_numpy(run_on_all(tuple(shares_of(array, size) for array in arrays)))
        return tf.nest.map_structure(lambda result: result[:count], results)

    return run


def _as_numpy(results):
    return tf.nest.map_structure(lambda result: result.numpy(), results)
