"""FastGAN's generator: Liu et al. 2021, "Towards faster and stabilized GAN training for high-fidelity few-shot image synthesis"
(arXiv:2101.04775), as used in Projected GAN (Sauer et al. 2021, arXiv:2111.01007).

Gated convolutions, and skip-layer excitation, in which coarse feature maps scale the channels of fine ones. It is conditioned
on labels by conditional batch normalization.
"""

import keras
from keras import ops

from ganlib import layers
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.equalized import normal, pixel_norm
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.fastgan")

STAGES = {8: 1, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5, 256: 6, 512: 7, 1024: 8}
"""Image size -> the number of times the generator doubles the resolution, starting from 4x4 or (for 28) 7x7."""
WIDTHS = (16, 8, 4, 2, 2, 1, 0.5, 0.25, 0.125)
"""The channels of each stage, from the coarsest, as multiples of the width."""
EXCITED = {4: 0, 5: 1, 6: 2, 7: 3}
"""Stage -> the stage whose feature maps scale its channels."""


@register
class GatedNorm(SublayerPolicy, keras.layers.Layer):
    """Normalizes, conditionally if there are labels, and gates one half of the channels by the other (a gated linear unit)."""

    def __init__(self, num_classes=None, normalization="batch", **kwargs):
        super().__init__(**kwargs)
        self.num_classes, self.normalization = num_classes, normalization
        if num_classes:
            self.norm = layers.ConditionalBatchNorm(num_classes, synchronized=normalization == "sync_batch")
        else:
            self.norm = layers.normalization(normalization)

    def build(self, inputs_shape, labels_shape=None):
        self.norm.build(*((inputs_shape, labels_shape) if self.num_classes else (inputs_shape,)))

    def call(self, inputs, labels=None, training=False):
        arguments = (inputs, labels) if self.num_classes else (inputs,)
        values, gates = ops.split(self.norm(*arguments, training=training), 2, axis=-1)
        return values * ops.sigmoid(gates)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "normalization": self.normalization}


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
    """

    def __init__(self, filters, num_classes=None, normalization="batch", light=False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.num_classes, self.normalization, self.light = filters, num_classes, normalization, light
        count = 1 if light else 2
        self.convs = [layers.conv(2 * filters, 3, spectral_norm=True, use_bias=False) for _ in range(count)]
        self.gates = [GatedNorm(num_classes, normalization) for _ in range(count)]

    def build(self, inputs_shape, labels_shape=None):
        if not self.light:
            shape = (2 * inputs_shape[1], 2 * inputs_shape[2], 2)
            self.noise = self.add_weight(name="noise", shape=shape, initializer=normal(), trainable=False)
            self.strengths = self.add_weight(name="strengths", shape=(2,), initializer="zeros")

    def call(self, inputs, labels=None, noise=None, training=False):
        x = layers.upsample(inputs)
        for index, (conv, gate) in enumerate(zip(self.convs, self.gates, strict=True)):
            x = conv(x, training=training)
            if not self.light:
                channel = (self.noise if noise is None else noise)[..., index : index + 1]
                x = x + self.strengths[index] * ops.cast(channel, x.dtype)
            x = gate(x, labels, training=training)
        return x

    def get_config(self):
        config = {
            "filters": self.filters,
            "num_classes": self.num_classes,
            "normalization": self.normalization,
            "light": self.light,
        }
        return {**super().get_config(), **config}


@register
class Excitation(SublayerPolicy, keras.layers.Layer):
    """Skip-layer excitation: multiplies each channel of the fine maps by a gain computed from the coarse maps. Section 3.1 of
    Liu et al.
    """

    def build(self, fine_shape, coarse_shape):
        filters = fine_shape[-1]
        self.pool = keras.layers.AveragePooling2D(coarse_shape[1] // 4)
        self.gather = layers.dense(filters, spectral_norm=True, use_bias=False)  # equivalent to a 4x4 convolution of 4x4 maps
        self.spread = layers.dense(filters, spectral_norm=True, use_bias=False)
        self.gather.build((None, 16 * coarse_shape[-1]))
        self.spread.build((None, filters))

    def call(self, fine, coarse, training=False):
        pooled = ops.reshape(self.pool(coarse), (-1, 16 * coarse.shape[-1]))
        gains = ops.sigmoid(self.spread(ops.silu(self.gather(pooled, training=training)), training=training))
        return fine * gains[:, None, None, :]


@register
class Generator(base.Generator):
    """Latents, normalized to a sphere -> 4x4 feature maps -> blocks that double the resolution -> images.

    Args:
        image_shape: ``(size, size, channels)`` with a size in `STAGES`. Defaults to ``(256, 256, 3)``.
        latent_dim: The dimension of the latents; Projected GAN uses 256. Defaults to 256.
        width: The number of channels at 128x128; the other stages follow `WIDTHS`. Projected GAN uses 128, and 64 with labels.
            Defaults to 128.
        num_classes: The number of classes, or None. Defaults to None.
        light: Whether to use one convolution per block instead of two, and no noise. Defaults to False.
        normalization: ``"batch"`` or ``"sync_batch"``. Defaults to ``"batch"``.

    Raises:
        UserError: If the image size or the normalization is not supported.
    """

    def __init__(
        self,
        image_shape=(256, 256, 3),
        latent_dim=256,
        width=128,
        num_classes=None,
        light=False,
        normalization="batch",
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "fastgan")
        if normalization not in ("batch", "sync_batch"):
            raise base.UserError(f"fastgan requires normalization='batch' or 'sync_batch', got {normalization!r}")
        self.width, self.light, self.normalization = width, light, normalization
        size, _, channels = self.image_shape
        start = size >> STAGES[size]
        first, *widths = (max(int(multiple * width), 1) for multiple in WIDTHS[: STAGES[size] + 1])
        self.dense = layers.dense(start * start * 2 * first, spectral_norm=True, use_bias=False)
        self.reshape = keras.layers.Reshape((start, start, 2 * first))
        self.gate = GatedNorm(None, normalization)
        self.blocks = [Block(filters, num_classes, normalization, light) for filters in widths]
        self.excitations = [Excitation() if stage in EXCITED else None for stage in range(1, len(widths) + 1)]
        self.conv = layers.conv(channels, 3, spectral_norm=True)
        self.build()

    def sample_noise(self, count, rng):
        """Draws noise for both convolutions of each block."""
        if self.light:
            return {}
        size, _, _ = self.image_shape
        return {"noise": [rng.normal((count, side, side, 2)) for side in base.resolutions(size, STAGES[size])[1:]]}

    def call(self, latents, labels=None, training=False, noise=None):
        maps = [self.gate(self.reshape(self.dense(pixel_norm(latents), training=training)), training=training)]
        noise = noise or [None] * len(self.blocks)
        for stage, (block, excitation, block_noise) in enumerate(
            zip(self.blocks, self.excitations, noise, strict=True), start=1
        ):
            x = block(maps[-1], labels, block_noise, training=training)
            maps.append(excitation(x, maps[EXCITED[stage]], training=training) if excitation else x)
        return ops.tanh(ops.cast(self.conv(maps[-1], training=training), "float32"))

    def get_config(self):
        config = {"width": self.width, "light": self.light, "normalization": self.normalization}
        return {**super().get_config(), **config}
