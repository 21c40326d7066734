"""The exponential moving average (EMA) of a network's weights, used to generate and classify images."""

import tensorflow as tf

from ganlib.layers import initializers
from ganlib.training import schedules


def clone_network(network):
    """Creates a non-trainable network with the same config and weights.

    Raises:
        UserError: If a network around a Keras model cannot be copied: see `ganlib.networks.wrapped`.
    """
    if hasattr(network, "copy"):
        clone = network.copy()
    else:
        with initializers.skipped():
            clone = type(network).from_config(network.get_config())
        clone.set_weights(network.get_weights())
    clone.trainable = False
    return clone


def update(average, network, decay, step):
    """Updates the moving average of a network's weights, including its batch statistics.

    With a number as decay, the decay is ``min(decay, (1 + step) / (10 + step))``, so that the average quickly forgets the
    initial weights. A schedule sets it alone. Weights that are not floating point, and those of the network's
    ``weights_without_average``, are copied.

    Args:
        average: A network created by `clone_network` from ``network``.
        network: The network in training.
        decay: A number in ``[0, 1)``, or a schedule. With 0, the average equals the network.
        step: The number of previous updates, a scalar integer tensor.
    """
    warm_up = 1.0 if callable(decay) else (1.0 + tf.cast(step, tf.float32)) / (10.0 + tf.cast(step, tf.float32))
    decay = tf.minimum(tf.cast(schedules.value_at(decay, step), tf.float32), warm_up)
    copied = {id(weight) for weight in getattr(network, "weights_without_average", ())}
    for averaged, weight in zip(average.weights, network.weights, strict=True):
        value = tf.convert_to_tensor(weight.value)
        if value.dtype.is_floating and id(weight) not in copied:
            value = value + tf.cast(decay, value.dtype) * (averaged.value - value)
        averaged.assign(value)
