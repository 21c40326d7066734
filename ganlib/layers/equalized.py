"""Layers with an equalized learning rate: weights start with variance 1 and are scaled in each call, so that Adam updates all
of them at the same rate.

Karras et al. 2018, "Progressive growing of GANs" (arXiv:1710.10196), section 4.1.
"""

import math

import keras
from keras import ops

from ganlib.layers.dtype_policy import SublayerPolicy

register = keras.saving.register_keras_serializable("ganlib.equalized")

SLOPE, GAIN = 0.2, math.sqrt(2.0)


def leaky_relu(inputs):
    """Applies a leaky ReLU times the square root of 2, which roughly preserves the variance, as in StyleGAN2's code."""
    return ops.leaky_relu(inputs, SLOPE) * GAIN


def pixel_norm(inputs):
    """Scales ``(..., channels)`` to a mean square of 1 over the channels: Karras et al. 2018, section 4.2."""
    return inputs * ops.rsqrt(ops.mean(ops.square(inputs), axis=-1, keepdims=True) + 1e-8)


def clamped(inputs, limit):
    """Clips activations to ``[-limit, limit]``, which prevents overflow in float16. With None they are unchanged."""
    return inputs if limit is None else ops.clip(inputs, -limit, limit)


def full_precision(layer):
    """Returns the dtype of sublayers that stay in float32 under mixed precision: ``"float32"``, or None for the layer's own."""
    return "float32" if layer.compute_dtype in ("float16", "bfloat16") else None


def normal(deviation=1.0):
    """Returns the normal initializer that most of these weights use.

    Args:
        deviation: The standard deviation. Defaults to 1.0.
    """
    return keras.initializers.RandomNormal(stddev=deviation)


@register
class Dense(keras.layers.Layer):
    """A dense layer: ``(n, units_in)`` -> ``(n, units)``.

    Args:
        units: The number of outputs.
        bias: The initial value of the biases. Defaults to 0.0.
        activate: Whether to apply `leaky_relu`. Defaults to False.
        rate: The learning rate relative to other layers; StyleGAN's mapping network uses 0.01. Defaults to 1.0.
    """

    def __init__(self, units, bias=0.0, activate=False, rate=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units, self.first_bias, self.activate, self.rate = units, bias, activate, rate

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units), initializer=normal(1.0 / self.rate))
        initializer = keras.initializers.Constant(self.first_bias)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer=initializer)

    def call(self, inputs):
        scale = self.rate / math.sqrt(self.kernel.shape[0])
        outputs = ops.matmul(inputs, self.kernel * scale) + self.bias * self.rate
        return leaky_relu(outputs) if self.activate else outputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        config = {"units": self.units, "bias": self.first_bias, "activate": self.activate, "rate": self.rate}
        return {**super().get_config(), **config}


@register
class Conv(keras.layers.Layer):
    """A convolution: ``(n, h, w, c)`` -> ``(n, h, w, filters)``, or with strides of 2 ``(n, h / 2, w / 2, filters)``.

    Args:
        filters: The number of output channels.
        kernel_size: 1 or 3.
        activate: Whether to add biases and apply `leaky_relu`. Defaults to True.
        strides: 1, or 2 for inputs that are already padded. Defaults to 1.
        clamp: The largest absolute value of an output, or None. Defaults to None.
    """

    def __init__(self, filters, kernel_size, activate=True, strides=1, clamp=None, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.activate, self.strides = filters, kernel_size, activate, strides
        self.clamp = clamp

    def build(self, input_shape):
        shape = (self.kernel_size, self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=normal())
        if self.activate:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs):
        scale = 1.0 / math.sqrt(math.prod(self.kernel.shape[:3]))
        padding = "same" if self.strides == 1 else "valid"
        outputs = ops.conv(inputs, self.kernel * scale, self.strides, padding)
        return clamped(leaky_relu(ops.add(outputs, self.bias)) if self.activate else outputs, self.clamp)

    def get_config(self):
        config = {"filters": self.filters, "kernel_size": self.kernel_size, "activate": self.activate, "strides": self.strides}
        return {**super().get_config(), **config, "clamp": self.clamp}


@register
class Projection(SublayerPolicy, keras.layers.Layer):
    """Adds the inner product of the features and a normalized label embedding, divided by the square root of their dimension.

    This is how earlier versions of StyleGAN2's discriminator used labels; see `LabelMapping`. Next to equalized layers,
    `conditioning.Projection` would learn so much faster that the generator's images would differ only by label.

    Args:
        num_classes: The number of classes.
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def build(self, logits_shape, features_shape=None, labels_shape=None):
        self.embedding = keras.layers.Embedding(self.num_classes, features_shape[-1], embeddings_initializer=normal())
        self.embedding.build(labels_shape)

    def call(self, logits, features, labels, training=False):
        embedded = pixel_norm(self.embedding(labels))
        return logits + ops.sum(embedded * features, axis=-1) / math.sqrt(features.shape[-1])

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


@register
class LabelMapping(SublayerPolicy, keras.layers.Layer):
    """Labels -> vectors, by an embedding with biases, `pixel_norm` and a mapping network: ``(n,)`` -> ``(n, units)``.

    The discriminator of StyleGAN2-ADA projects its features on these vectors (Karras et al. 2020, arXiv:2006.06676, in the
    authors' code).

    Args:
        num_classes: The number of classes.
        units: The number of outputs of each layer.
        num_layers: The number of layers after the embedding. Defaults to 8.
    """

    def __init__(self, num_classes, units, num_layers=8, **kwargs):
        super().__init__(**kwargs)
        self.num_classes, self.units, self.num_layers = num_classes, units, num_layers
        self.embedding = Dense(units)
        self.mapping = [Dense(units, activate=True, rate=0.01) for _ in range(num_layers)]

    def build(self, labels_shape):
        self.embedding.build((None, self.num_classes))
        for layer in self.mapping:
            layer.build((None, self.units))

    def call(self, labels):
        x = pixel_norm(self.embedding(ops.one_hot(labels, self.num_classes, dtype=self.compute_dtype)))
        for layer in self.mapping:
            x = layer(x)
        return x

    def get_config(self):
        config = {"num_classes": self.num_classes, "units": self.units, "num_layers": self.num_layers}
        return {**super().get_config(), **config}
