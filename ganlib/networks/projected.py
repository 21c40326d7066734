"""Projected GAN's discriminator: Sauer et al. 2021, "Projected GANs converge faster" (arXiv:2111.01007).

Images are passed through a frozen pretrained network. Its feature maps are mixed across channels and scales by random
convolutions, which are also frozen, and a small discriminator is applied at each scale. It can be combined with any generator;
`Generator` is that of `ganlib.networks.fastgan`.
"""

import math

import keras
from keras import ops

from ganlib import layers
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.networks import base, pretrained
from ganlib.networks.fastgan import Generator

__all__ = ["Discriminator", "Generator"]

register = keras.saving.register_keras_serializable("ganlib.projected")

LAST = 8
"""The resolution of the maps to which the final 4x4 convolution is applied."""
WIDTHS = {8: 8, 16: 4, 32: 2, 64: 1}
"""Resolution -> the channels of a small discriminator as multiples of the width. The entry for 64 also applies above 64."""


@register
class RandomMixing(SublayerPolicy, keras.layers.Layer):
    """Mixes feature maps at several scales, finest first, into the same number of maps at twice the resolution. Each is
    computed from all coarser ones.

    1x1 convolutions with random weights that are never trained: sections 3.2 and 4.1 of the paper.

    Args:
        width: The number of channels of the finest output maps; the paper uses 64. Defaults to 64.
    """

    def __init__(self, width=64, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.trainable = False

    def build(self, inputs_shape):
        count = len(inputs_shape)
        channels = [self.width * 2**scale for scale in range(count)]
        self.across_channels = [self._conv(filters) for filters in channels]
        self.across_scales = [self._conv(filters) for filters in [self.width, *channels[:-1]]]
        self.sides = [shape[1] for shape in inputs_shape]
        for conv, shape in zip(self.across_channels, inputs_shape, strict=True):
            conv.build(shape)
        for conv, filters in zip(self.across_scales, channels, strict=True):
            conv.build((None, None, None, filters))

    def call(self, inputs):
        mixed = [conv(maps) for conv, maps in zip(self.across_channels, inputs, strict=True)]
        outputs, above = [], 0.0
        for scale in reversed(range(len(mixed))):
            side = self.sides[scale - 1] if scale else 2 * self.sides[0]  # the side of the next finer maps
            doubled = ops.image.resize(mixed[scale] + above, (side, side), interpolation="bilinear")
            above = self.across_scales[scale](doubled)
            outputs.insert(0, above)
        return outputs

    def _conv(self, filters):
        return keras.layers.Conv2D(filters, 1, kernel_initializer="he_normal", trainable=False)

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@register
class ScaleDiscriminator(SublayerPolicy, keras.layers.Layer):
    """Feature maps of one scale, and labels -> a logit per patch. Maps are downsampled to about `LAST`, followed by a 4x4
    convolution.

    Args:
        width: The number of channels at 64x64 and above; the paper uses 64. Defaults to 64.
        num_classes: The number of classes, or None. With classes, a logit is a projection on the label embedding. Defaults to
            None.
        normalization: ``"batch"``, ``"sync_batch"`` or None. Defaults to ``"batch"``.
    """

    EMBEDDED, PROJECTED = 128, 64

    def __init__(self, width=64, num_classes=None, normalization="batch", **kwargs):
        super().__init__(**kwargs)
        self.width, self.num_classes, self.normalization = width, num_classes, normalization

    def build(self, inputs_shape, labels_shape=None):
        side = inputs_shape[1]
        halvings = max(round(math.log2(side / LAST)), 0)
        self.convs, self.norms = [], []
        for halving in range(halvings):
            self.convs.append(self._conv(WIDTHS[min(LAST << (halvings - halving - 1), 64)] * self.width, 4, 2, "same"))
            self.norms.append(layers.normalization(self.normalization))
            side = -(-side // 2)
        self.judge = self._conv(self.PROJECTED if self.num_classes else 1, min(4, side), 1, "valid", use_bias=False)
        if self.num_classes:
            self.embedding = keras.layers.Embedding(self.num_classes, self.EMBEDDED)
            self.projection = keras.layers.Dense(self.PROJECTED)

    def call(self, inputs, labels=None, training=False):
        x = inputs
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = ops.leaky_relu(norm(conv(x, training=training), training=training), 0.2)
        x = self.judge(x, training=training)
        if self.num_classes:
            embedded = ops.leaky_relu(self.projection(self.embedding(labels)), 0.2)[:, None, None, :]
            x = ops.sum(x * embedded, axis=-1) / math.sqrt(self.PROJECTED)
        return ops.reshape(x, (ops.shape(inputs)[0], -1))

    def _conv(self, filters, kernel_size, strides, padding, **kwargs):
        conv = keras.layers.Conv2D(filters, kernel_size, strides=strides, padding=padding, **kwargs)
        return layers.SpectralNorm(conv, name=conv.name)

    def get_config(self):
        config = {"width": self.width, "num_classes": self.num_classes, "normalization": self.normalization}
        return {**super().get_config(), **config}


@register
class Discriminator(layers.Composed, base.Discriminator):
    """Images -> a frozen network -> random mixing -> a small discriminator at each scale -> one logit per patch.

    Args:
        image_shape: ``(height, width, channels)``. Defaults to ``(256, 256, 3)``.
        num_classes: The number of classes, or None. Defaults to None.
        backbone: A source for `ganlib.networks.pretrained.load`, such as ``"applications:EfficientNetB0"`` or ``"model:PATH"``,
            or a `ganlib.networks.pretrained.Backbone`. Defaults to ``"applications:EfficientNetB0"``.
        weights: The weights of the backbone, as in `ganlib.networks.pretrained.load`. Defaults to ``"imagenet"``.
        backbone_size: The side to which images are resized for the backbone; the paper uses 224. None does not resize them.
            Defaults to 224.
        taps: The number of scales at which feature maps are taken; the paper uses 4. Defaults to 4.
        width: The number of channels of the mixed maps and of the small discriminators at the finest resolution; the paper uses
            64. Defaults to 64.
        normalization: The normalization of the small discriminators, ``"batch"``, ``"sync_batch"`` or None. Defaults to
            ``"batch"``.

    Raises:
        UserError: If the backbone does not exist, or an argument is not supported.
    """

    parts = ("backbone",)
    patchwise = True

    def __init__(
        self,
        image_shape=(256, 256, 3),
        num_classes=None,
        backbone="applications:EfficientNetB0",
        weights="imagenet",
        backbone_size=224,
        taps=4,
        width=64,
        normalization="batch",
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        if self.conditioning != "projection" or self.rotations or self.spectral_norm:
            raise base.UserError(
                "projected requires conditioning='projection', rotations=False and the default spectral_norm: "
                "omit these arguments"
            )
        if isinstance(backbone, str):
            backbone = pretrained.load(backbone, self.image_shape, taps, weights, backbone_size)
        self.backbone, self.width, self.normalization = backbone, width, normalization
        self.mixing = RandomMixing(width, name="mixing")
        maps = self.backbone.compute_output_spec(keras.KerasTensor((None, *self.image_shape)))
        self.scales = [ScaleDiscriminator(width, num_classes, normalization) for _ in maps]
        self.build()

    @property
    def frozen(self):
        return [self.backbone, self.mixing]

    def features(self, images, training=False):
        """Computes mixed features: ``(n, *image_shape)`` float images in ``[-1, 1]`` -> a list of maps, finest first."""
        return self.mixing(self.backbone(images))

    def logits(self, features, labels=None, training=False):
        """Computes patch logits: a list of mixed feature maps and ``(n,)`` labels -> ``(n, patches)`` float32."""
        labels = (labels,) if self.num_classes else ()
        pairs = zip(self.scales, features, strict=True)
        logits = [scale(maps, *labels, training=training) for scale, maps in pairs]
        return ops.cast(ops.concatenate(logits, axis=-1), "float32")

    def call(self, images, labels=None, training=False):
        """Computes logits, averaged over patches: ``(n, *image_shape)`` images in ``[-1, 1]`` and ``(n,)`` labels -> ``(n,)``
        float32.
        """
        return ops.mean(self.logits(self.features(images, training=training), labels, training=training), axis=-1)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "normalization": self.normalization}
