"""Communication between replicas: the global batch inside a step, and functions of arrays that run on all replicas."""

import numpy as np
import tensorflow as tf


def whole_batch(values):
    """Concatenates ``values`` of all replicas: ``(n, ...)`` -> ``(n * replicas, ...)``."""
    context = tf.distribute.get_replica_context()
    return values if context.num_replicas_in_sync == 1 else context.all_gather(values, axis=0)


def batch_mean(values):
    """Computes the mean of ``values`` over the first axis and over all replicas: ``(n, ...)`` -> ``(...)``."""
    mean, context = tf.reduce_mean(values, axis=0), tf.distribute.get_replica_context()
    return mean if context.num_replicas_in_sync == 1 else context.all_reduce("MEAN", mean)


def on_replicas(strategy, function, signature=None):
    """Compiles ``function`` and splits the rows of its arguments equally among all replicas.

    Args:
        strategy: A `tf.distribute.Strategy`. With several workers, all workers must call the result, with the same arguments.
        function: A function from tensors with ``n`` rows each to a structure of tensors with ``n`` rows. Each row of a result
            must depend only on the same row of the arguments.
        signature: A list with a `tf.TensorSpec` for each argument. Defaults to None, which accepts any tensors.

    Returns:
        A function from numpy arrays with ``n`` rows to the same structure of numpy arrays with ``n`` rows. Every worker gets
        all rows.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        run = tf.function(function, input_signature=signature, reduce_retracing=True, autograph=False)
        return lambda *arrays: _as_numpy(run(*(tf.constant(array) for array in arrays)))

    @tf.function(reduce_retracing=True, autograph=False)
    def run_on_all(arguments):
        return tf.nest.map_structure(lambda result: strategy.gather(result, axis=0), strategy.run(function, args=arguments))

    def split(array, size):
        rows = np.minimum(np.arange(size * replicas), len(array) - 1)  # repeats the last row if there are too few rows
        return strategy.experimental_distribute_values_from_function(
            lambda replica: tf.constant(array[rows[replica.replica_id_in_sync_group * size :][:size]])
        )

    def run(*arrays):
        count = len(arrays[0])
        size = -(-count // replicas)
        results = _as_numpy(run_on_all(tuple(split(array, size) for array in arrays)))
        return tf.nest.map_structure(lambda result: result[:count], results)

    return run


def _as_numpy(results):
    return tf.nest.map_structure(lambda result: result.numpy(), results)
