"""The exponential moving average (EMA) of a network's weights, from which images and classes are made."""

import tensorflow as tf

from ganlib.training import schedules


def clone_network(network):
    """A new network of the same configuration and weights, not trainable."""
    copy = type(network).from_config(network.get_config())
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


def update(average, network, decay, step):
    """Moves ``average`` towards ``network``: weights, and batch statistics too.

    The decay is ``min(decay, (1 + step) / (10 + step))``, so that the random first weights are soon forgotten.
    Weights that are not floating point are copied.

    Args:
        average: what `clone_network` made from ``network``.
        network: the network in training.
        decay: a number in ``[0, 1)``, or a schedule of it; 0 makes the average follow the network exactly.
        step: a scalar integer tensor, the number of updates before this one.
    """
    decay, step = schedules.value_at(decay, step), tf.cast(step, tf.float32)
    decay = tf.minimum(decay, (1.0 + step) / (10.0 + step))
    for averaged, weight in zip(average.weights, network.weights, strict=True):
        value = tf.convert_to_tensor(weight.value)
        if value.dtype.is_floating:
            value = value + tf.cast(decay, value.dtype) * (averaged.value - value)
        averaged.assign(value)
