"""Projected GAN's discriminator: Sauer et al. 2021, "Projected GANs converge faster" (arXiv:2111.01007).

Images are passed through a frozen pretrained network. Its feature maps are mixed across channels and scales by random
convolutions, which are also frozen, and a small discriminator is applied at each scale. It can be combined with any generator;
`Generator` is that of `ganlib.networks.fastgan`. The defaults are those of the authors' code
(github.com/autonomousvision/projected-gan).
"""

import math
import types

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.layers import initializers, resampling
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.networks import base, pretrained
from ganlib.networks.fastgan import Generator

__all__ = ["Discriminator", "Generator"]

register = keras.saving.register_keras_serializable("ganlib.projected")

LAST = 8
"""The resolution of the maps to which the final 4x4 convolution is applied."""
WIDTHS = {8: 8, 16: 4, 32: 2, 64: 1}
"""Resolution -> the channels of a small discriminator as multiples of the width. The entry for 64 also applies above 64."""
NOMINAL = (128, 64, 32, 16)
"""The resolutions that set the depths of the small discriminators in the authors' code, whatever the size of the maps."""
PRETRAINED_SIDE = 224
"""The side to which the authors' code enlarges smaller images for the backbone."""


@register
class RandomMixing(SublayerPolicy, keras.layers.Layer):
    """Mixes feature maps at several scales, finest first, into the same number of maps at twice the resolution. Each is
    computed from all coarser ones.

    1x1 convolutions with random weights that are never trained: sections 3.2 and 4.1 of the paper.

    Args:
        width: The number of channels of the finest output maps; the paper uses 64. Defaults to 64.
        pytorch: Whether weights and biases are initialized as PyTorch does, and maps are resized so that their corners stay at
            the corners, as in the authors' code. Otherwise weights have He et al.'s initialization, and biases are zero.
            Defaults to False.
    """

    def __init__(self, width=64, pytorch=False, **kwargs):
        super().__init__(**kwargs)
        self.width, self.pytorch = width, pytorch
        self.trainable = False

    def build(self, inputs_shape):
        count = len(inputs_shape)
        channels = [self.width * 2**scale for scale in range(count)]
        outputs = [self.width, *channels[:-1]]
        self.across_channels = [self._conv(*pair) for pair in zip(channels, [s[-1] for s in inputs_shape], strict=True)]
        self.across_scales = [self._conv(*pair) for pair in zip(outputs, channels, strict=True)]
        for conv, shape in zip(self.across_channels, inputs_shape, strict=True):
            conv.build(shape)
        for conv, filters in zip(self.across_scales, channels, strict=True):
            conv.build((None, None, None, filters))

    def call(self, inputs):
        mixed = [conv(maps) for conv, maps in zip(self.across_channels, inputs, strict=True)]
        outputs, above = [], 0.0
        for scale in reversed(range(len(mixed))):
            height, width = inputs[max(scale - 1, 0)].shape[1:3]
            size = (height, width) if scale else (2 * height, 2 * width)  # that of the next finer maps
            above = self.across_scales[scale](self._resized(mixed[scale] + above, size))
            outputs.insert(0, above)
        return outputs

    def _resized(self, maps, size):
        if not self.pytorch:
            return ops.image.resize(maps, size, interpolation="bilinear")
        rows, columns = (_aligned_matrix(*sides) for sides in zip(maps.shape[1:3], size, strict=True))
        return resampling.product(rows, maps, columns)

    def _conv(self, filters, inputs):
        initial = initializers.uniform(inputs) if self.pytorch else {"kernel_initializer": "he_normal"}
        return keras.layers.Conv2D(filters, 1, trainable=False, **initial)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "pytorch": self.pytorch}


def _aligned_matrix(size, target):
    """Returns the ``(target, size)`` matrix of linear interpolation that keeps the first and the last pixel in place."""
    position = np.linspace(0.0, size - 1.0, target)
    return np.maximum(1.0 - np.abs(position[:, None] - np.arange(size)), 0.0).astype(np.float32)


@register
class ScaleDiscriminator(SublayerPolicy, keras.layers.Layer):
    """Feature maps of one scale, and labels -> a logit per patch. Maps are downsampled to about `LAST`, followed by a 4x4
    convolution.

    Args:
        width: The number of channels at 64x64 and above; the paper uses 64. Defaults to 64.
        num_classes: The number of classes, or None. With classes, a logit is a projection on the label embedding. Defaults to
            None.
        normalization: ``"batch"``, ``"sync_batch"`` or None. Defaults to ``"batch"``.
        resolution: The resolution that determines the depth and the widths, a power of 2; None for that of the maps. The depth
            is reduced if the maps would become smaller than 4x4. Defaults to None.
        constant_width: The number of channels of all layers, in place of ``width`` times `WIDTHS`. Defaults to None.
        pytorch: Whether weights are initialized as PyTorch does, and spectral normalization has the form ``"stored"``: see
            `ganlib.layers.SpectralNorm`. Defaults to False.
    """

    EMBEDDED, PROJECTED = 128, 64

    def __init__(
        self,
        width=64,
        num_classes=None,
        normalization="batch",
        resolution=None,
        constant_width=None,
        pytorch=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.width, self.num_classes, self.normalization = width, num_classes, normalization
        self.resolution, self.constant_width, self.pytorch = resolution, constant_width, pytorch

    def build(self, inputs_shape, labels_shape=None):
        side, channels = min(inputs_shape[1:3]), inputs_shape[-1]
        halvings = max(round(math.log2((self.resolution or side) / LAST)), 0)
        if self.resolution:
            halvings = min(halvings, max(int(math.log2(side / 4)), 0))
        self.convs, self.norms = [], []
        for halving in range(halvings):
            filters = self.constant_width or WIDTHS[min(LAST << (halvings - halving - 1), 64)] * self.width
            self.convs.append(self._conv(filters, 4, 2, "same", channels))
            self.norms.append(layers.normalization(self.normalization))
            side, channels = -(-side // 2), filters
        judged = self.PROJECTED if self.num_classes else 1
        self.judge = self._conv(judged, min(4, side), 1, "valid", channels, use_bias=False)
        if self.num_classes:
            initial = {"embeddings_initializer": keras.initializers.RandomNormal(stddev=1.0)} if self.pytorch else {}
            self.embedding = keras.layers.Embedding(self.num_classes, self.EMBEDDED, **initial)
            self.projection = keras.layers.Dense(self.PROJECTED, **self._initializers(self.EMBEDDED))

    def call(self, inputs, labels=None, training=False):
        x = inputs
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = ops.leaky_relu(norm(conv(x, training=training), training=training), 0.2)
        x = self.judge(x, training=training)
        if self.num_classes:
            embedded = ops.leaky_relu(self.projection(self.embedding(labels)), 0.2)[:, None, None, :]
            x = ops.sum(x * embedded, axis=-1) / math.sqrt(self.PROJECTED)
        return ops.reshape(x, (ops.shape(inputs)[0], -1))

    def _conv(self, filters, kernel_size, strides, padding, channels, **kwargs):
        initial = self._initializers(kernel_size**2 * channels)
        conv = keras.layers.Conv2D(filters, kernel_size, strides=strides, padding=padding, **initial, **kwargs)
        return layers.SpectralNorm(conv, name=conv.name, form="stored" if self.pytorch else "fresh")

    def _initializers(self, fan_in):
        return initializers.uniform(fan_in) if self.pytorch else {}

    def get_config(self):
        config = {
            "width": self.width,
            "num_classes": self.num_classes,
            "normalization": self.normalization,
            "resolution": self.resolution,
            "constant_width": self.constant_width,
            "pytorch": self.pytorch,
        }
        return {**super().get_config(), **config}


@register
class Discriminator(layers.Composed, base.Discriminator):
    """Images -> a frozen network -> random mixing -> a small discriminator at each scale -> one logit per patch.

    Args:
        image_shape: ``(height, width, channels)``. Defaults to ``(256, 256, 3)``.
        num_classes: The number of classes, or None. Defaults to None.
        backbone: A source for `ganlib.networks.pretrained.load`, such as ``"efficientnet_lite:1"`` or ``"model:PATH"``, or a
            `ganlib.networks.pretrained.Backbone`. The authors' code uses EfficientNet-Lite0, the paper EfficientNet-Lite1.
            Defaults to ``"efficientnet_lite:0"``.
        weights: The weights of the backbone, as in `ganlib.networks.pretrained.load`. Defaults to ``"imagenet"``.
        backbone_size: The shorter side to which images are resized for the backbone; None does not resize them. Defaults to
            ``"auto"``, which enlarges a shorter side below 224 to 224, as in the authors' code.
        taps: The number of scales at which feature maps are taken; the paper uses 4. Defaults to 4.
        width: The number of channels of the mixed maps and of the small discriminators at the finest resolution; the paper uses
            64. Defaults to 64.
        normalization: The normalization of the small discriminators, ``"batch"``, ``"sync_batch"`` or None. Defaults to
            ``"batch"``.
        nominal: Whether the depths of the small discriminators follow `NOMINAL`, whatever the size of the maps, as in the
            authors' code. Otherwise they follow the size of the maps. Defaults to True.
        constant_width: The number of channels of all layers of the small discriminators; None for ``width`` times `WIDTHS`.
            Defaults to None.
        pytorch: Whether the layers besides the backbone are initialized, resized and normalized as in the authors' code: see
            `RandomMixing` and `ScaleDiscriminator`. Defaults to True.

    Raises:
        UserError: If the backbone does not exist, or an argument is not supported.
    """

    parts = ("backbone",)
    patchwise = True
    earlier_defaults = types.MappingProxyType(
        {"backbone": "applications:EfficientNetB0", "backbone_size": 224, "nominal": False, "pytorch": False}
    )

    def __init__(
        self,
        image_shape=(256, 256, 3),
        num_classes=None,
        backbone="efficientnet_lite:0",
        weights="imagenet",
        backbone_size="auto",
        taps=4,
        width=64,
        normalization="batch",
        nominal=True,
        constant_width=None,
        pytorch=True,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        if self.conditioning != "projection" or self.rotations or self.spectral_norm:
            raise base.UserError(
                "projected requires conditioning='projection', rotations=False and the default spectral_norm: "
                "omit these arguments"
            )
        if isinstance(backbone, str):
            size = _size_of(backbone_size, self.image_shape)
            self.loaded_from = {"backbone": backbone, "weights": weights}
            backbone = pretrained.load(backbone, self.image_shape, taps, weights, size)
        self.backbone, self.width, self.normalization = backbone, width, normalization
        self.nominal, self.constant_width, self.pytorch = nominal, constant_width, pytorch
        self.mixing = RandomMixing(width, pytorch, name="mixing")
        maps = self.backbone.compute_output_spec(keras.KerasTensor((None, *self.image_shape)))
        resolutions = [NOMINAL[0] >> scale if nominal else None for scale in range(len(maps))]
        self.scales = [
            ScaleDiscriminator(width, num_classes, normalization, resolution, constant_width, pytorch)
            for resolution in resolutions
        ]
        self.build()

    @classmethod
    def from_config(cls, config):
        """Creates the network from a config returned by `get_config`, also one of an earlier version."""
        return super().from_config({**cls.earlier_defaults, **config})

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
        config = {
            "width": self.width,
            "normalization": self.normalization,
            "nominal": self.nominal,
            "constant_width": self.constant_width,
            "pytorch": self.pytorch,
        }
        return {**super().get_config(), **config}


def _size_of(backbone_size, image_shape):
    """Returns the shorter side to which images are resized for the backbone, or None."""
    if backbone_size == "auto":
        return PRETRAINED_SIDE if min(image_shape[:2]) < PRETRAINED_SIDE else None
    if isinstance(backbone_size, str):
        raise base.UserError(f"backbone_size must be a number of pixels, 'auto' or None, got {backbone_size!r}")
    return backbone_size
