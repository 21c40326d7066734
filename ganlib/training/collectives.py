"""The collectives and bytes that replicas exchange in a train step, counted in the graph of the step."""

from typing import NamedTuple

import tensorflow as tf


class Exchange(NamedTuple):
    """The communication of one replica in one train step.

    Attributes:
        collectives: The number of collectives, at each of which the replicas wait for each other.
        bytes: Size in bytes of all tensors that are reduced or gathered, before the collective.
    """

    collectives: int
    bytes: int


def exchange(model, batch):
    """Counts what a train step of ``model`` exchanges: gradients, batch statistics, and moments over the global batch.

    The logs, a few bytes, are not counted.

    Args:
        model: A compiled `ganlib.training.DistributedModel`, created under a `tf.distribute.MirroredStrategy` with two devices.
        batch: The batch of one replica, a structure of `tf.TensorSpec`.

    Returns:
        An `Exchange`.
    """
    strategy = model.distribute_strategy

    def per_replica_zeros(spec):
        return strategy.experimental_distribute_values_from_function(lambda replica: tf.zeros(spec.shape, spec.dtype))

    zeros = tf.nest.map_structure(per_replica_zeros, batch)
    step = tf.function(lambda: strategy.run(model.train_step, args=(zeros,)), autograph=False)
    operations = _operations(step.get_concrete_function().graph)
    exchanged = [op.inputs[0] for op in operations if op.type.startswith("Collective")]
    return Exchange(len(exchanged) // 2, sum(x.shape.num_elements() * x.dtype.size for x in exchanged) // 2)


def _operations(graph):
    """Yields the operations of a graph and of the functions inside it, such as the branches of a condition."""
    yield from graph.get_operations()
    for function in graph._functions.values():
        yield from getattr(function, "graph", tf.Graph()).get_operations()


def ring_seconds(exchanged, num_replicas, bytes_per_second, latency):
    """Computes the time of a ring all-reduce that does not overlap with computation.

    Each device sends and receives ``2 (n - 1) / n`` times the bytes, in ``2 (n - 1)`` messages per collective: Patarasuk &
    Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of workstations".

    Args:
        exchanged: An `Exchange`.
        num_replicas: The number of devices in the ring.
        bytes_per_second: Bandwidth of the slowest link, in one direction.
        latency: Seconds per message, independent of its size.

    Returns:
        Seconds, a float.
    """
    messages = 2.0 * (num_replicas - 1)
    return messages / num_replicas * exchanged.bytes / bytes_per_second + messages * latency * exchanged.collectives
