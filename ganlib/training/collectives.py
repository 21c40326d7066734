"""How much the replicas of a training tell each other, read from the graph of its step."""

from typing import NamedTuple

import tensorflow as tf


class Exchange(NamedTuple):
    """What one replica hands to the others in one train step.

    Attributes:
        collectives: how many times the replicas wait for each other.
        bytes: of all tensors that are reduced or gathered, as they are before.
    """

    collectives: int
    bytes: int


def exchange(model, batch):
    """What a train step of ``model`` exchanges: the gradients, batch statistics, and moments over the whole batch.

    The logs, a few bytes, are not counted.

    Args:
        model: a compiled `ganlib.training.DistributedModel`, made under a `tf.distribute.MirroredStrategy` of two devices.
        batch: what one replica gets, a structure of `tf.TensorSpec`.

    Returns:
        An `Exchange`.
    """
    strategy = model.distribute_strategy

    def shares(spec):
        return strategy.experimental_distribute_values_from_function(lambda replica: tf.zeros(spec.shape, spec.dtype))

    zeros = tf.nest.map_structure(shares, batch)
    step = tf.function(lambda: strategy.run(model.train_step, args=(zeros,)), autograph=False)
    found = [op.inputs[0] for op in _operations(step.get_concrete_function().graph) if op.type.startswith("Collective")]
    return Exchange(len(found) // 2, sum(x.shape.num_elements() * x.dtype.size for x in found) // 2)


def _operations(graph):
    """The operations of a graph and of the functions inside it, such as the branches of a condition."""
    yield from graph.get_operations()
    for function in graph._functions.values():
        yield from getattr(function, "graph", tf.Graph()).get_operations()


def ring_seconds(exchanged, num_replicas, bytes_per_second, latency):
    """The time that a ring all-reduce takes, if it hides behind no computation.

    Each device sends and receives ``2 (n - 1) / n`` times the bytes, in ``2 (n - 1)`` messages a collective: Patarasuk &
    Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of workstations".

    Args:
        exchanged: an `Exchange`.
        num_replicas: how many devices are in the ring.
        bytes_per_second: of the slowest link, in one direction.
        latency: seconds that a message takes, however short it is.
    """
    share = 2.0 * (num_replicas - 1)
    return share / num_replicas * exchanged.bytes / bytes_per_second + share * latency * exchanged.collectives
