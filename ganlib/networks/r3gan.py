"""R3GAN's residual networks without normalization: Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline
GAN" (arXiv:2501.05441), as in the authors' code (github.com/brownvc/R3GAN).

Width 768 and 16 channels a group at 32x32 are their CIFAR-10 networks; width 1536 and 32 their ImageNet-32. Generator and
discriminator mirror each other. Made for the relativistic loss with R1 and R2.
"""

import itertools
import math

import keras
from keras import ops

from ganlib import layers
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.resampling import Downsample, Upsample
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.r3gan")

STAGES = {8: 1, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5, 256: 6}
"""Image size -> how many times the generator doubles its resolution, from 4x4 or (for 28) 7x7."""

SLOPE = 0.2
GAIN = math.sqrt(2.0 / (1.0 + SLOPE**2))  # keeps the variance through a leaky ReLU


def _normal(gain=1.0):
    """He et al. 2015 (arXiv:1502.01852): a variance of gain^2 / fan-in."""
    if not gain:
        return "zeros"
    return keras.initializers.VarianceScaling(gain**2, mode="fan_in", distribution="untruncated_normal")


@register
class ResidualBlock(SublayerPolicy, keras.layers.Layer):
    """Widen by a 1x1 convolution, convolve in groups, narrow by a 1x1 convolution; all beside the input itself.

    The last convolution begins with zeros and the others are scaled down by the depth of the network, as in Fixup (Zhang et
    al. 2019, arXiv:1901.09321), so that nothing need be normalized.

    Args:
        width: channels that come in and go out; twice as many are between.
        groups: of the convolution in the middle.
        blocks: the number of residual blocks in the network.
    """

    def __init__(self, width, groups, blocks, **kwargs):
        super().__init__(**kwargs)
        self.width, self.groups, self.blocks = width, groups, blocks
        begin = {"kernel_initializer": _normal(GAIN * blocks**-0.25)}
        self.widen = layers.conv(2 * width, 1, **begin)
        self.convolve = layers.GroupedConv(2 * width, 3, padding="same", groups=groups, **begin)
        self.narrow = layers.conv(width, 1, use_bias=False, kernel_initializer=_normal(0))

    def call(self, inputs):
        x = ops.leaky_relu(self.widen(inputs), SLOPE)
        x = ops.leaky_relu(self.convolve(x), SLOPE)
        return inputs + self.narrow(x)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "groups": self.groups, "blocks": self.blocks}


@register
class Generator(base.Generator):
    """Latents, with an embedding of the label -> a learned 4x4 pattern for each channel, scaled -> stages of residual blocks,
    each at twice the resolution of the one before -> a 1x1 convolution to images.

    Args:
        image_shape: ``(size, size, channels)`` with a size out of `STAGES`.
        latent_dim: the number of latents; the authors have 64.
        width: channels of a stage up to the resolution ``full_width``.
        num_classes: the number of classes, or None.
        blocks: residual blocks in a stage.
        group_width: channels of a group in the middle of a block.
        full_width: from this resolution on a doubling halves the width: 32 in the authors' networks for FFHQ, 64 in that for
            ImageNet at 64x64.
        bounded: clip images to ``[-1, 1]`` in training, too; for data with much black or white, which the generator, without
            a tanh, could not meet so exactly that the discriminator would not see it.

    Raises:
        UserError: for an image size that it cannot make.
    """

    def __init__(self, image_shape=(32, 32, 3), latent_dim=64, width=768, num_classes=None, blocks=2, group_width=16,
                 full_width=32, bounded=False, **kwargs):  # fmt: skip
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "r3gan")
        self.width, self.blocks, self.group_width, self.full_width = width, blocks, group_width, full_width
        self.bounded = bounded
        size, _, channels = self.image_shape
        widths, start = _widths(size, width, full_width), size >> STAGES[size]
        if num_classes:
            deviation = keras.initializers.RandomNormal(stddev=num_classes**-0.5)
            self.embedding = keras.layers.Embedding(num_classes, latent_dim, embeddings_initializer=deviation)
        self.scale = keras.layers.Dense(widths[0], use_bias=False, kernel_initializer=_normal())
        self.basis = self.add_weight(
            name="basis", shape=(start, start, widths[0]), initializer=keras.initializers.RandomNormal(stddev=1.0)
        )
        stages = [_residual_blocks(widths[0], blocks, group_width, len(widths))]
        for before, after in itertools.pairwise(widths):
            stages.append([*_change(before, after), Upsample(), *_residual_blocks(after, blocks, group_width, len(widths))])
        self.stages = keras.Sequential([layer for stage in stages for layer in stage], name="stages")
        self.image = layers.conv(channels, 1, use_bias=False, kernel_initializer=_normal())
        self.build()

    def call(self, latents, labels=None, training=False):
        """As in `base.Generator`; in training, images may leave ``[-1, 1]`` unless they are ``bounded``."""
        scale = self.scale(self.concat_label_embedding(latents, labels))[:, None, None, :]
        images = ops.cast(self.image(self.stages(scale * ops.cast(self.basis, scale.dtype))), "float32")
        return images if training and not self.bounded else ops.clip(images, -1.0, 1.0)

    def get_config(self):
        own = {"width": self.width, "blocks": self.blocks, "group_width": self.group_width, "full_width": self.full_width,
               "bounded": self.bounded}  # fmt: skip
        return {**super().get_config(), **own}


@register
class Discriminator(base.Discriminator):
    """A 1x1 convolution from images -> stages of residual blocks, each followed by a halving of the resolution, the last by a
    depthwise convolution over all positions, whose results are the features -> logits.

    With labels the logit is the inner product of a linear map of the features with an embedding of the label.

    Args:
        image_shape: ``(size, size, channels)`` with a size out of `STAGES`.
        width: channels of a stage from the resolution ``full_width`` on, and the number of features.
        num_classes: the number of classes, or None.
        blocks: residual blocks in a stage.
        group_width: channels of a group in the middle of a block.
        full_width: as in `Generator`.
    """

    def __init__(self, image_shape=(32, 32, 3), width=768, num_classes=None, blocks=2, group_width=16, full_width=32,
                 **kwargs):  # fmt: skip
        super().__init__(image_shape, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "r3gan")
        if self.spectral_norm:
            raise base.UserError("r3gan's discriminator is held by R1 and R2: leave spectral_norm=False")
        if self.conditioning != "projection":
            raise base.UserError(f"r3gan takes labels by a projection of its own: leave conditioning={self.conditioning!r} out")
        self.width, self.blocks, self.group_width, self.full_width = width, blocks, group_width, full_width
        size = self.image_shape[0]
        widths, start = _widths(size, width, full_width)[::-1], size >> STAGES[size]
        body = [layers.conv(widths[0], 1, use_bias=False, kernel_initializer=_normal())]
        for before, after in itertools.pairwise(widths):
            body += [*_residual_blocks(before, blocks, group_width, len(widths)), Downsample(), *_change(before, after)]
        body += _residual_blocks(width, blocks, group_width, len(widths))
        initializer = keras.initializers.RandomNormal(stddev=1.0 / start)
        body.append(keras.layers.DepthwiseConv2D(start, use_bias=False, depthwise_initializer=initializer))
        self.body = keras.Sequential([*body, keras.layers.Flatten()], name="body")
        self.build()

    def make_head(self):
        return keras.layers.Dense(
            self.width if self.num_classes else 1, use_bias=False, kernel_initializer=_normal(), name="head"
        )

    def make_label_head(self, num_features):
        deviation = keras.initializers.RandomNormal(stddev=(self.num_classes * self.width) ** -0.5)
        return keras.layers.Embedding(self.num_classes, self.width, embeddings_initializer=deviation, name="embedding")

    def logits(self, features, labels=None, training=False):
        logits = self.head(features)
        if self.num_classes:
            logits = logits * self.label_head(labels)
        return ops.cast(ops.sum(logits, axis=-1), "float32")

    def get_config(self):
        own = {"width": self.width, "blocks": self.blocks, "group_width": self.group_width, "full_width": self.full_width}
        return {**super().get_config(), **own}


def _widths(size, width, full_width):
    """The generator's channels at each resolution, from the lowest to that of the image."""
    return [max(width * full_width // max(side, full_width), 1) for side in base.resolutions(size, STAGES[size])]


def _residual_blocks(width, blocks, group_width, num_stages):
    groups = max(2 * width // group_width, 1)
    if 2 * width % groups:
        raise base.UserError(f"r3gan: {2 * width} channels are not a multiple of {groups} groups: choose another width")
    return [ResidualBlock(width, groups, blocks * num_stages) for _ in range(blocks)]


def _change(before, after):
    """A 1x1 convolution where the width changes."""
    return [] if before == after else [layers.conv(after, 1, use_bias=False, kernel_initializer=_normal())]
