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
        self._is_initialized_in_call = False

    def build(self, input_shape=None):
        super().build(input_shape)
        units = self.layer.weights[0].shape[self._output_axis]
        self.gain = self.add_weight(name="gain", shape=(units,), initializer="ones", trainable=self.trainable_gain)

    @property
    def _output_axis(self):
        """The axis of the kernel that has an entry for each output unit."""
        return len(self.layer.weights[0].shape) - (2 if isinstance(self.layer, TRANSPOSED) else 1)

    def call(self, inputs):
        kernel = ops.cast(self.layer.weights[0], self._dtype_of_norms())
        others = tuple(axis for axis in range(len(kernel.shape)) if axis != self._output_axis)
        norm = ops.sqrt(ops.sum(ops.square(kernel), axis=others) + 1e-12)
        scale = ops.expand_dims(self.gain / norm, others)
        outputs = call_with_kernel(self.layer, kernel * scale, inputs)
        return self.initialize(outputs) if self._is_initialized_in_call else outputs

    def initialize(self, outputs):
        """Sets gain and bias so that given outputs get the mean 0 and the standard deviation ``init_std``.

        Args:
            outputs: ``(n, ..., units)`` outputs of the layer.

        Returns:
            The outputs with the new gain and bias, float32, or float64 for a layer of float64.
        """
        outputs = ops.cast(outputs, self._dtype_of_norms())
        axes = tuple(range(len(outputs.shape) - 1))
        mean, scale = ops.mean(outputs, axis=axes), self.init_std / ops.sqrt(ops.var(outputs, axis=axes) + 1e-8)
        self.gain.assign(self.gain * scale)
        self.layer.bias.assign((self.layer.bias - mean) * scale)
        return (outputs - mean) * scale

    def _dtype_of_norms(self):
        return keras.backend.result_type(self.compute_dtype, "float32")

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
            outputs = layer.initialize(layer(inputs))
        inputs = outputs
    return inputs


def initialize_in_call(model, *inputs, **arguments):
    """Calls a model once, eagerly, in which every `WeightNorm` sets its gain and bias as in `initialize_weight_norm`.

    Unlike that function, it takes models of any structure, whose other layers may run in training mode.

    Args:
        model: A built Keras model or layer.
        *inputs: The inputs of the call, such as ``(500, latent_dim)`` latents.
        **arguments: Other arguments of the call, such as ``training=True``.

    Returns:
        The outputs of the model.

    Examples:
        >>> import keras, numpy as np
        >>> from ganlib import layers
        >>> dense = layers.WeightNorm(keras.layers.Dense(2), init_std=0.1)
        >>> dense.build((None, 3))
        >>> outputs = layers.initialize_in_call(dense, np.random.default_rng(0).normal(size=(500, 3)))
        >>> np.allclose(np.std(outputs, axis=0), 0.1, rtol=1e-3)
        True
    """
    wrappers = [layer for layer in model._flatten_layers() if isinstance(layer, WeightNorm) and layer.init_std is not None]
    for wrapper in wrappers:
        wrapper._is_initialized_in_call = True
    try:
        return model(*inputs, **arguments)
    finally:
        for wrapper in wrappers:
            wrapper._is_initialized_in_call = False


def has_weight_norm(model):
    """Returns whether a Keras model or layer has a `WeightNorm` at any depth that `initialize_weight_norm` initializes."""
    return any(isinstance(layer, WeightNorm) and layer.init_std is not None for layer in model._flatten_layers())


def _in_parts(call, inputs, size):
    """Returns the outputs of a function for inputs in parts of a size."""
    if len(inputs) <= size:
        return call(inputs)
    return ops.concatenate([call(inputs[start : start + size]) for start in range(0, len(inputs), size)])
