"""Weight normalization and its data-dependent initialization."""

import functools

import keras
from keras import ops

from ganlib.layers.kernels import call_with_kernel

TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
"""Layers whose kernels have the outputs on the axis before the last one. Other kernels have them on the last axis."""


@keras.saving.register_keras_serializable("ganlib.layers")
class WeightNorm(keras.layers.Wrapper):
    """A wrapper that gives the weight vector of each output unit a separate length: w = gain * v / ||v||.

    Salimans & Kingma 2016, "Weight normalization" (arXiv:1602.07868). `initialize_weight_norm` sets the initial gains and
    biases.

    Args:
        layer: A `Dense`, `Conv2D` or `Conv2DTranspose` without an activation, whose first weight is the kernel.
        trainable_gain: Whether the gains are trained. The semi-supervised networks of Salimans et al. 2016 (arXiv:1606.03498)
            keep their initial values, except in the last layer. Defaults to False.
        init_std: The standard deviation of the outputs after `initialize_weight_norm`, or None, for which it does not change
            the gains and biases. Defaults to 1.0.
    """

    def __init__(self, layer, trainable_gain=False, init_std=1.0, **kwargs):
        super().__init__(layer, **kwargs)
        self.trainable_gain, self.init_std = trainable_gain, init_std

    def build(self, input_shape=None):
        super().build(input_shape)
        units = self.layer.weights[0].shape[self._output_axis]
        self.gain = self.add_weight(name="gain", shape=(units,), initializer="ones", trainable=self.trainable_gain)

    @property
    def _output_axis(self):
        """The axis of the kernel that has an entry for each output unit."""
        return len(self.layer.weights[0].shape) - (2 if isinstance(self.layer, TRANSPOSED) else 1)

    def call(self, inputs):
        kernel = ops.cast(self.layer.weights[0], "float32")
        others = tuple(axis for axis in range(len(kernel.shape)) if axis != self._output_axis)
        norm = ops.sqrt(ops.sum(ops.square(kernel), axis=others) + 1e-12)
        scale = ops.expand_dims(self.gain / norm, others)
        return call_with_kernel(self.layer, kernel * scale, inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "trainable_gain": self.trainable_gain, "init_std": self.init_std}


def initialize_weight_norm(stack, inputs, batch_size=None, training=False):
    """Sets gains and biases so that the outputs of every `WeightNorm` layer have mean 0 and standard deviation ``init_std`` on
    ``inputs``.

    This is the data-dependent initialization of Salimans & Kingma 2016, section 3.

    Args:
        stack: A layer, or a `keras.Sequential` or another layer with an attribute ``layers`` that are called in order.
        inputs: ``(n, ...)`` float32, such as 500 images in ``[-1, 1]``.
        batch_size: The number of inputs that layers without weight normalization process at a time, to save memory. Defaults to
            None, which is all.
        training: Whether layers without weight normalization run in training mode, with noise, dropout and the statistics of
            the batch, as in the code of Salimans et al. 2016 (arXiv:1606.03498). Defaults to False.

    Returns:
        The outputs of the stack.
    """
    is_sequence = isinstance(stack, keras.Sequential) or not isinstance(stack, keras.Model)
    for layer in getattr(stack, "layers", [stack]) if is_sequence else [stack]:
        if not isinstance(layer, WeightNorm) or layer.init_std is None:
            call = functools.partial(layer, training=True) if training else layer
            outputs = _in_parts(call, inputs, batch_size or len(inputs))
        else:
            outputs = ops.cast(layer(inputs), "float32")
            axes = tuple(range(len(outputs.shape) - 1))
            mean, scale = ops.mean(outputs, axis=axes), layer.init_std / ops.sqrt(ops.var(outputs, axis=axes) + 1e-8)
            layer.gain.assign(layer.gain * scale)
            layer.layer.bias.assign((layer.layer.bias - mean) * scale)
            outputs = (outputs - mean) * scale
        inputs = outputs
    return inputs


def has_weight_norm(model):
    """Returns whether a Keras model or layer has a `WeightNorm` at any depth that `initialize_weight_norm` initializes."""
    return any(isinstance(layer, WeightNorm) and layer.init_std is not None for layer in model._flatten_layers())


def _in_parts(call, inputs, size):
    """Returns the outputs of a function for inputs in parts of a size."""
    if len(inputs) <= size:
        return call(inputs)
    return ops.concatenate([call(inputs[start : start + size]) for start in range(0, len(inputs), size)])
