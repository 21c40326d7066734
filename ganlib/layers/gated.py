"""The layers of FastGAN's generator: Liu et al. 2021 (arXiv:2101.04775), as in Projected GAN's code."""

import math

import keras
from keras import ops

from ganlib import layers
from ganlib.layers import initializers
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.equalized import normal
from ganlib.layers.spectral_norm import STORED

register = keras.saving.register_keras_serializable("ganlib.fastgan")


@register
class EmbeddingNorm(SublayerPolicy, keras.layers.Layer):
    """Batch normalization whose gain and bias are linear maps of an embedding. It is called with ``(inputs, embedding)``.

    The maps are spectrally normalized. The gain is 1 plus the output of its map.

    Args:
        synchronized: Whether to compute the batch statistics over all replicas. Defaults to False.
    """

    def __init__(self, synchronized=False, **kwargs):
        super().__init__(**kwargs)
        self.synchronized = synchronized

    def build(self, inputs_shape, embedding_shape):
        self.normalization = layers.batch_norm(synchronized=self.synchronized, center=False, scale=False)
        self.normalization.build(inputs_shape)
        self.gain, self.bias = (self._map(name, inputs_shape[-1], embedding_shape) for name in ("gain", "bias"))

    def _map(self, name, channels, embedding_shape):
        initial = initializers.uniform(embedding_shape[-1])
        layer = layers.dense(channels, spectral_norm=STORED, name=name, **initial)
        layer.build(embedding_shape)
        return layer

    def call(self, inputs, embedding, training=False):
        gain, bias = (layer(embedding, training=training)[:, None, None, :] for layer in (self.gain, self.bias))
        return self.normalization(inputs, training=training) * (1.0 + gain) + bias

    def get_config(self):
        return {**super().get_config(), "synchronized": self.synchronized}


@register
class GatedNorm(SublayerPolicy, keras.layers.Layer):
    """Normalizes, conditionally if there are labels, and gates one half of the channels by the other (a gated linear unit).

    Args:
        num_classes: The number of classes, or None. Defaults to None.
        normalization: ``"batch"`` or ``"sync_batch"``. Defaults to ``"batch"``.
        embedded: Whether the second argument of ``call`` is an embedding of the labels instead of the labels. Defaults to
            False.
    """

    def __init__(self, num_classes=None, normalization="batch", embedded=False, **kwargs):
        super().__init__(**kwargs)
        self.num_classes, self.normalization, self.embedded = num_classes, normalization, embedded
        synchronized = normalization == "sync_batch"
        if num_classes and embedded:
            self.norm = EmbeddingNorm(synchronized)
        elif num_classes:
            self.norm = layers.ConditionalBatchNorm(num_classes, synchronized=synchronized)
        else:
            self.norm = layers.normalization(normalization)

    def build(self, inputs_shape, labels_shape=None):
        self.norm.build(*((inputs_shape, labels_shape) if self.num_classes else (inputs_shape,)))

    def call(self, inputs, labels=None, training=False):
        arguments = (inputs, labels) if self.num_classes else (inputs,)
        values, gates = ops.split(self.norm(*arguments, training=training), 2, axis=-1)
        return values * ops.sigmoid(gates)

    def get_config(self):
        config = {"num_classes": self.num_classes, "normalization": self.normalization, "embedded": self.embedded}
        return {**super().get_config(), **config}


@register
class Start(SublayerPolicy, keras.layers.Layer):
    """A transposed convolution of a single pixel: ``(n, channels)`` -> ``(n, height, width, filters)``.

    Its kernel is laid out so that `layers.SpectralNorm` takes the norm over the filters, as PyTorch does.

    Args:
        filters: The number of output channels.
        side: The height and width of the outputs: an integer for a square, or a pair.
    """

    def __init__(self, filters, side, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.side = filters, side
        self.size = (side, side) if isinstance(side, int) else tuple(side)

    def build(self, inputs_shape):
        shape = (inputs_shape[-1], *self.size, self.filters)
        initial = initializers.uniform(math.prod(self.size) * self.filters)["kernel_initializer"]
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=initial)

    def call(self, inputs):
        outputs = ops.matmul(inputs, ops.reshape(self.kernel, (self.kernel.shape[0], -1)))
        return ops.reshape(outputs, (-1, *self.size, self.filters))

    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0], *self.size, self.filters)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "side": self.side}


@register
class Block(SublayerPolicy, keras.layers.Layer):
    """Doubles the resolution, then convolves and gates: twice, with noise of a learned strength, or once without noise if
    ``light``.

    If no noise is passed, the block uses a fixed noise map, the same for all images.

    Args:
        filters: The number of output channels.
        num_classes: The number of classes, or None. Defaults to None.
        normalization: ``"batch"`` or ``"sync_batch"``. Defaults to ``"batch"``.
        light: Whether to use one convolution instead of two. Defaults to False.
        embedded: Whether ``call`` takes an embedding of the labels instead of the labels. Both convolutions then share one
            strength of the noise, as in Projected GAN's code. Defaults to False.
        pytorch: Whether the convolutions are initialized and normalized as in PyTorch: see `Generator`. Defaults to False.
    """

    def __init__(self, filters, num_classes=None, normalization="batch", light=False, embedded=False, pytorch=False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.num_classes, self.normalization, self.light = filters, num_classes, normalization, light
        self.embedded, self.pytorch = embedded, pytorch
        count = 1 if light else 2
        if not pytorch:
            self.convs = [self._conv() for _ in range(count)]
        self.gates = [GatedNorm(num_classes, normalization, embedded) for _ in range(count)]

    def _conv(self, channels=None):
        form, initial = spectral_form(9 * channels if channels else None)
        return layers.conv(2 * self.filters, 3, spectral_norm=form, use_bias=False, **initial)

    def build(self, inputs_shape, labels_shape=None):
        if self.pytorch:  # the initial range depends on the number of inputs
            self.convs = [self._conv(channels) for channels in (inputs_shape[-1], self.filters)[: len(self.gates)]]
        if not self.light:
            shape = (2 * inputs_shape[1], 2 * inputs_shape[2], 2)
            self.noise = self.add_weight(name="noise", shape=shape, initializer=normal(), trainable=False)
            count = 1 if self.num_classes and self.embedded else 2
            self.strengths = self.add_weight(name="strengths", shape=(count,), initializer="zeros")

    def call(self, inputs, labels=None, noise=None, training=False):
        x = layers.upsample(inputs)
        for index, (conv, gate) in enumerate(zip(self.convs, self.gates, strict=True)):
            x = conv(x, training=training)
            if not self.light:
                channel = (self.noise if noise is None else noise)[..., index : index + 1]
                x = x + self.strengths[min(index, self.strengths.shape[0] - 1)] * ops.cast(channel, x.dtype)
            x = gate(x, labels, training=training)
        return x

    def get_config(self):
        config = {
            "filters": self.filters,
            "num_classes": self.num_classes,
            "normalization": self.normalization,
            "light": self.light,
            "embedded": self.embedded,
            "pytorch": self.pytorch,
        }
        return {**super().get_config(), **config}


@register
class Excitation(SublayerPolicy, keras.layers.Layer):
    """Skip-layer excitation: multiplies each channel of the fine maps by a gain computed from the coarse maps. Section 3.1 of
    Liu et al.

    Args:
        pytorch: Whether its weights are initialized and normalized as in PyTorch: see `Generator`. Defaults to False.
    """

    def __init__(self, pytorch=False, **kwargs):
        super().__init__(**kwargs)
        self.pytorch = pytorch

    def build(self, fine_shape, coarse_shape):
        filters = fine_shape[-1]
        # The shorter side is 4 to 7 times a power of 2. It is pooled to 4 to 7 positions.
        factor = 1 << (min(coarse_shape[1:3]) // 4).bit_length() - 1
        self.pool = keras.layers.AveragePooling2D(factor)
        positions = (coarse_shape[1] // factor) * (coarse_shape[2] // factor)
        self.gather = self._dense(filters, positions * coarse_shape[-1])  # equivalent to a convolution over all positions
        self.spread = self._dense(filters, filters)

    def _dense(self, filters, inputs):
        form, initial = spectral_form(inputs if self.pytorch else None)
        dense = layers.dense(filters, spectral_norm=form, use_bias=False, **initial)
        dense.build((None, inputs))
        return dense

    def call(self, fine, coarse, training=False):
        pooled = self.pool(coarse)
        pooled = ops.reshape(pooled, (-1, math.prod(pooled.shape[1:])))
        gains = ops.sigmoid(self.spread(ops.silu(self.gather(pooled, training=training)), training=training))
        return fine * gains[:, None, None, :]

    def get_config(self):
        return {**super().get_config(), "pytorch": self.pytorch}


def spectral_form(fan_in, use_bias=False):
    """Returns the spectral normalization and the initializers of a layer: PyTorch's, or Keras's if ``fan_in`` is None."""
    if fan_in is None:
        return True, {}
    initial = initializers.uniform(fan_in)
    return STORED, initial if use_bias else {"kernel_initializer": initial["kernel_initializer"]}
