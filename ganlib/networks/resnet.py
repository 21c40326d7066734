"""SNGAN's residual networks: Miyato et al. 2018 (arXiv:1802.05957), table 4.

They are conditioned on labels as in Miyato & Koyama 2018 (arXiv:1802.05637): by conditional batch normalization in the
generator and by projection in the discriminator. Self-attention as in SAGAN (Zhang et al. 2019, arXiv:1805.08318) is optional.
The 32x32 networks are the paper's for CIFAR-10 (width 256 in the generator, 128 in the discriminator), and the 48x48 networks
are those for STL-10 (tables 5 and 6; width 64 in both). The 128x128 networks are those for ImageNet in the second paper (width
64). The 64x64 networks are in between.
"""

import keras
from keras import ops

from ganlib import layers
from ganlib.layers.attention import attention_after
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.resnet")

GENERATOR_WIDTHS = {
    8: (1, 1), 16: (1, 1, 1), 28: (1, 1, 1), 32: (1, 1, 1, 1), 48: (8, 4, 2, 1), 64: (16, 8, 4, 2, 1),
    128: (16, 16, 8, 4, 2, 1),
}  # fmt: skip
"""Image size -> the channels of each stage as multiples of the width, from the lowest resolution (4, 6 or 7) to that of the
image.
"""

DISCRIMINATOR_WIDTHS = {
    8: ((1, 1), (1, 1)), 16: ((1, 1), (1, 1)), 28: ((1, 1), (1, 1)), 32: ((1, 1), (1, 1)), 48: ((1, 2, 4, 8), (16,)),
    64: ((1, 2, 4, 8, 16), ()), 128: ((1, 2, 4, 8, 16), (16,)),
}  # fmt: skip
"""Image size -> the channels of the downsampling blocks and of the blocks after them, as multiples of the width."""


def _initializer(gain=1.0):
    return keras.initializers.VarianceScaling(gain**2, mode="fan_avg", distribution="uniform")


@register
class GeneratorBlock(SublayerPolicy, keras.layers.Layer):
    """A residual block: normalize, ReLU, double the resolution, convolve, normalize, ReLU, convolve; a 1x1 convolution as the
    shortcut.
    """

    def __init__(self, width, num_classes=None, normalization="batch", spectral_norm=False, **kwargs):
        super().__init__(**kwargs)
        self.width, self.num_classes, self.normalization = width, num_classes, normalization
        self.spectral_norm = spectral_norm
        self.first_norm, self.second_norm = self._norm(), self._norm()
        self.first_conv, self.second_conv, self.skip_conv = self._conv(3, 2**0.5), self._conv(3, 2**0.5), self._conv(1)

    def _conv(self, kernel_size, gain=1.0):
        return layers.conv(self.width, kernel_size, self.spectral_norm, kernel_initializer=_initializer(gain))

    def _norm(self):
        if self.num_classes and self.normalization:
            return layers.ConditionalBatchNorm(self.num_classes, synchronized=self.normalization == "sync_batch")
        return layers.normalization(self.normalization)

    def _normalize(self, norm, inputs, labels, training):
        if isinstance(norm, layers.ConditionalBatchNorm):
            return norm(inputs, labels, training=training)
        return norm(inputs, training=training)

    def call(self, inputs, labels=None, training=False):
        x = ops.relu(self._normalize(self.first_norm, inputs, labels, training))
        x = self.first_conv(layers.upsample(x), training=training)
        x = ops.relu(self._normalize(self.second_norm, x, labels, training))
        # A 1x1 convolution commutes with nearest-neighbor upsampling; before it, the convolution costs a quarter.
        return self.second_conv(x, training=training) + layers.upsample(self.skip_conv(inputs, training=training))

    def get_config(self):
        config = {
            "width": self.width,
            "num_classes": self.num_classes,
            "normalization": self.normalization,
            "spectral_norm": self.spectral_norm,
        }
        return {**super().get_config(), **config}


@register
class DiscriminatorBlock(SublayerPolicy, keras.layers.Layer):
    """A residual block: ReLU, convolve, ReLU, convolve, and optionally halve the resolution; a 1x1 convolution as the shortcut
    if needed.
    """

    def __init__(self, width, downsample, first=False, spectral_norm=True, initializer=None, **kwargs):
        super().__init__(**kwargs)
        self.width, self.downsample, self.first, self.spectral_norm = width, downsample, first, spectral_norm
        self.initializer = initializer
        self.first_conv, self.second_conv, self.skip_conv = (
            layers.conv(width, size, spectral_norm, kernel_initializer=initializer or _initializer(gain))
            for size, gain in ((3, 2**0.5), (3, 2**0.5), (1, 1.0))
        )
        self.halve = keras.layers.AveragePooling2D(2) if downsample else keras.layers.Identity()

    def build(self, input_shape):
        # A block that changes neither width nor resolution uses the identity as its shortcut.
        if not self.downsample and input_shape[-1] == self.width:
            self.skip_conv = keras.layers.Identity()

    def call(self, inputs, training=False):
        x = inputs if self.first else ops.relu(inputs)  # no activation on the image
        x = ops.relu(self.first_conv(x, training=training))
        x = self.halve(self.second_conv(x, training=training))
        # Average pooling and a 1x1 convolution commute; after pooling, the convolution costs a quarter.
        return x + self.skip_conv(self.halve(inputs), training=training)

    def get_config(self):
        config = {
            "width": self.width,
            "downsample": self.downsample,
            "first": self.first,
            "spectral_norm": self.spectral_norm,
            "initializer": self.initializer,
        }
        return {**super().get_config(), **config}


@register
class Generator(base.Generator):
    """Latents -> a dense layer -> residual blocks that double the resolution -> images.

    Args:
        image_shape: ``(size, size, channels)`` with a size in `GENERATOR_WIDTHS`. Defaults to ``(32, 32, 3)``.
        latent_dim: The dimension of the latents; the paper uses 128. Defaults to 128.
        width: The number of channels of every block up to 32x32. For larger images, the number of channels at the image's
            resolution. The papers use 256 and 64. Defaults to 256.
        num_classes: The number of classes, which makes batch normalization conditional, or None. Defaults to None.
        normalization: ``"batch"``, ``"sync_batch"`` or None. None ignores labels, so it cannot be combined with
            ``num_classes``. Defaults to ``"batch"``.
        attention: The resolution at which self-attention follows a block, or None. Defaults to None.
        spectral_norm: Whether to normalize every weight of the dense layer and the convolutions by its spectral norm, as in
            SAGAN. Defaults to False.

    Raises:
        UserError: If the image size is not supported, or no block has the resolution ``attention``.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        latent_dim=128,
        width=256,
        num_classes=None,
        normalization="batch",
        attention=None,
        spectral_norm=False,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, GENERATOR_WIDTHS, "resnet")
        if num_classes and not normalization:
            raise base.UserError(
                "resnet's generator is conditioned on labels by batch normalization: set normalization='batch'"
            )
        self.width, self.normalization, self.attention = width, normalization, attention
        self.spectral_norm = spectral_norm
        size, _, channels = self.image_shape
        first, *widths = (multiple * width for multiple in GENERATOR_WIDTHS[size])
        start = size >> len(widths)
        self.dense = layers.dense(start * start * first, spectral_norm, kernel_initializer=_initializer())
        self.reshape = keras.layers.Reshape((start, start, first))
        self.blocks = [GeneratorBlock(filters, num_classes, normalization, spectral_norm) for filters in widths]
        self.after = attention_after(base.resolutions(size, len(widths))[1:], attention, spectral_norm)
        self.norm = layers.normalization(normalization)
        self.conv = layers.conv(channels, 3, spectral_norm, activation="tanh", kernel_initializer=_initializer())
        self.build()

    def call(self, latents, labels=None, training=False):
        x = self.reshape(self.dense(latents, training=training))
        for block, after in zip(self.blocks, self.after, strict=True):
            x = after(block(x, labels, training=training), training=training)
        x = ops.relu(self.norm(x, training=training))
        return ops.cast(self.conv(x, training=training), "float32")

    def get_config(self):
        config = {
            "width": self.width,
            "normalization": self.normalization,
            "attention": self.attention,
            "spectral_norm": self.spectral_norm,
        }
        return {**super().get_config(), **config}


@register
class Discriminator(base.Discriminator):
    """Images -> residual blocks that halve the resolution -> blocks without downsampling -> features (summed over positions) ->
    logits.

    Args:
        image_shape: ``(size, size, channels)`` with a size in `DISCRIMINATOR_WIDTHS`. Defaults to ``(32, 32, 3)``.
        width: The number of channels of every block up to 32x32. For larger images, that of the first block. The papers use 128
            and 64. Defaults to 128.
        num_classes: The number of classes, or None. Defaults to None.
        spectral_norm: Whether to normalize every weight by its spectral norm. Defaults to True.
        attention: The resolution at which self-attention follows a block, or None. Defaults to None.
        initializer: The name of the Keras initializer of the kernels. None uses Glorot's, as in the paper. Defaults to None.
    """

    WIDTHS, NAME = DISCRIMINATOR_WIDTHS, "resnet"

    def __init__(
        self,
        image_shape=(32, 32, 3),
        width=128,
        num_classes=None,
        spectral_norm=True,
        attention=None,
        initializer=None,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, spectral_norm, **kwargs)
        self.width, self.attention, self.initializer = width, attention, initializer
        base.check_image_shape(self.image_shape, self.WIDTHS, self.NAME)
        size = self.image_shape[0]
        halving, plain = self.WIDTHS[size]
        after = attention_after([size >> stage for stage in range(1, len(halving) + 1)], attention, spectral_norm)
        body = []
        for index, multiple in enumerate((*halving, *plain)):
            halve = index < len(halving)
            body.append(DiscriminatorBlock(multiple * width, halve, index == 0, spectral_norm, initializer))
            body += [after[index]] if halve else []
        positions = (size >> len(halving)) ** 2
        pool = [keras.layers.GlobalAveragePooling2D(), keras.layers.Rescaling(positions)]
        self.body = keras.Sequential([*body, keras.layers.ReLU(), *pool], name="body")
        self.build()

    def get_config(self):
        config = {"width": self.width, "attention": self.attention, "initializer": self.initializer}
        return {**super().get_config(), **config}
