"""Initializers of the authors' codes."""

import keras


def uniform(fan_in):
    """Returns the initializers with which PyTorch creates dense and convolutional layers, as arguments of a Keras layer.

    Kernels and biases are drawn from U(-b, b) with b = 1 / sqrt(fan_in).

    Args:
        fan_in: The number of inputs of each output.

    Examples:
        >>> from ganlib.layers import initializers
        >>> sorted(initializers.uniform(fan_in=16))
        ['bias_initializer', 'kernel_initializer']
    """
    bound = fan_in**-0.5
    # One object each: Keras warns if an initializer without a seed is used twice.
    return {name: keras.initializers.RandomUniform(-bound, bound) for name in ("kernel_initializer", "bias_initializer")}


def glorot(gain=1.0):
    """Returns Glorot's uniform initializer times a gain: the variance is gain^2 * 2 / (fan-in + fan-out)."""
    return keras.initializers.VarianceScaling(gain**2, mode="fan_avg", distribution="uniform")


def copied(initializer):
    """Returns a new initializer from its name or its config, or None for None."""
    return initializer and keras.initializers.get(initializer)
