"""R3GAN's residual networks without normalization: Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline
GAN" (arXiv:2501.05441), as in the authors' code (github.com/brownvc/R3GAN).

Width 768 with 16 channels per group at 32x32 gives their CIFAR-10 networks, width 1536 with 32 their ImageNet-32 networks.
Generator and discriminator mirror each other. They are designed for the relativistic loss with R1 and R2.
"""

import itertools
import math
import operator

import keras
from keras import ops

from ganlib import layers
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.resampling import Downsample, Upsample
from ganlib.networks import base, shapes

register = keras.saving.register_keras_serializable("ganlib.r3gan")

STAGES = {8: 1, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5, 256: 6}
"""Image size -> the number of times the generator doubles the resolution, starting from 4x4 or (for 28) 7x7. Other shapes have
the layers of one of these sizes: see `ganlib.networks.shapes`."""

SLOPE = 0.2
GAIN = math.sqrt(2.0 / (1.0 + SLOPE**2))  # preserves the variance through a leaky ReLU


def _normal(gain=1.0):
    """Returns the initializer of He et al. 2015 (arXiv:1502.01852), with variance gain^2 / fan-in."""
    if not gain:
        return "zeros"
    return keras.initializers.VarianceScaling(gain**2, mode="fan_in", distribution="untruncated_normal")


@register
class ResidualBlock(SublayerPolicy, keras.layers.Layer):
    """A residual block: a 1x1 convolution that widens, a grouped convolution, and a 1x1 convolution that narrows.

    The last convolution is initialized with zeros and the others are scaled down by the depth of the network, as in Fixup
    (Zhang et al. 2019, arXiv:1901.09321), so that no normalization is needed.

    Args:
        width: The number of input and output channels.
        groups: The number of groups of the middle convolution.
        blocks: The number of residual blocks in the network.
        expansion: The channels of the middle convolution as a multiple of the width. Defaults to 2.
    """

    def __init__(self, width, groups, blocks, expansion=2, **kwargs):
        super().__init__(**kwargs)
        self.width, self.groups, self.blocks, self.expansion = width, groups, blocks, expansion
        initializer = {"kernel_initializer": _normal(GAIN * blocks**-0.25)}
        self.widen = layers.conv(expansion * width, 1, **initializer)
        self.convolve = layers.GroupedConv(expansion * width, 3, padding="same", groups=groups, **initializer)
        self.narrow = layers.conv(width, 1, use_bias=False, kernel_initializer=_normal(0))

    def call(self, inputs):
        x = ops.leaky_relu(self.widen(inputs), SLOPE)
        x = ops.leaky_relu(self.convolve(x), SLOPE)
        return inputs + self.narrow(x)

    def get_config(self):
        config = {"width": self.width, "groups": self.groups, "blocks": self.blocks, "expansion": self.expansion}
        return {**super().get_config(), **config}


@register
class Generator(base.Generator):
    """Latents, with a label embedding -> a learned pattern per channel at the lowest resolution, scaled -> stages of residual
    blocks, each at twice the resolution of the previous one -> a 1x1 convolution to images.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        latent_dim: The dimension of the latents; the authors use 64. Defaults to 64.
        width: The number of channels of a stage up to the resolution ``full_width``, or a list of the channels of every stage,
            from the lowest resolution. Defaults to 768.
        num_classes: The number of classes, or None. Defaults to None.
        blocks: The number of residual blocks in a stage, or a list of them as for ``width``. Defaults to 2.
        group_width: The number of channels per group in the middle of a block. Defaults to 16.
        full_width: Above this resolution, each doubling halves the width. The authors use 32 for FFHQ and 64 for ImageNet at
            64x64. Defaults to 32.
        expansion: The channels in the middle of a block as a multiple of the width. Defaults to 2.
        embedding_dim: The dimension of the label embedding; None for ``latent_dim``. Defaults to None.
        bounded: Whether to also clip images to ``[-1, 1]`` during training. Use it for data with many black or white pixels:
            without a tanh, the generator cannot match them exactly, and the discriminator detects the difference. Defaults
            to False.

    Raises:
        UserError: If the image size is not supported.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        latent_dim=64,
        width=768,
        num_classes=None,
        blocks=2,
        group_width=16,
        full_width=32,
        bounded=False,
        expansion=2,
        embedding_dim=None,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        size = shapes.size_of(self.image_shape, STAGES, "r3gan")
        self.sizes = {"width": width, "blocks": blocks, "group_width": group_width, "full_width": full_width}
        self.sizes |= {"expansion": expansion, "embedding_dim": embedding_dim}
        self.bounded = bounded
        widths, start = _widths(size, width, full_width), shapes.lowest(self.image_shape, STAGES[size])
        if num_classes:
            initializer = keras.initializers.RandomNormal(stddev=num_classes**-0.5)
            self.embedding = keras.layers.Embedding(
                num_classes, embedding_dim or latent_dim, embeddings_initializer=initializer
            )
        self.scale = keras.layers.Dense(widths[0], use_bias=False, kernel_initializer=_normal())
        self.basis = self.add_weight(
            name="basis", shape=(*start, widths[0]), initializer=keras.initializers.RandomNormal(stddev=1.0)
        )
        first, *others = _residual_blocks(widths, blocks, group_width, expansion)
        stages = [first]
        for (width_in, width_out), stage in zip(itertools.pairwise(widths), others, strict=True):
            stages.append([*_change_width(width_in, width_out), Upsample(), *stage])
        self.stages = keras.Sequential([layer for stage in stages for layer in stage], name="stages")
        self.image = layers.conv(self.image_shape[2], 1, use_bias=False, kernel_initializer=_normal())
        self.build()

    def call(self, latents, labels=None, training=False):
        """Generates images like `base.Generator`; during training they may exceed ``[-1, 1]`` unless ``bounded``."""
        scale = self.scale(self.concat_label_embedding(latents, labels))[:, None, None, :]
        images = ops.cast(self.image(self.stages(scale * ops.cast(self.basis, scale.dtype))), "float32")
        return images if training and not self.bounded else ops.clip(images, -1.0, 1.0)

    def get_config(self):
        return {**super().get_config(), **self.sizes, "bounded": self.bounded}


@register
class Discriminator(base.Discriminator):
    """A 1x1 convolution from images -> stages of residual blocks, each followed by downsampling, the last by a depthwise
    convolution over all positions, which outputs the features -> logits.

    With labels, the logit is the inner product of a linear map of the features and a label embedding.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        width: The number of channels of a stage up to the resolution ``full_width``, or a list of the channels of every stage,
            from the lowest resolution, as in `Generator`. Defaults to 768.
        num_classes: The number of classes, or None. Defaults to None.
        blocks: The number of residual blocks in a stage, or a list of them as for ``width``. Defaults to 2.
        group_width: The number of channels per group in the middle of a block. Defaults to 16.
        full_width: Above this resolution, each doubling halves the width, as in `Generator`. Defaults to 32.
        expansion: The channels in the middle of a block as a multiple of the width. Defaults to 2.
        embedding_dim: The dimension of the label embedding; None for the number of channels at the lowest resolution, as in the
            authors' presets. Defaults to None.
    """

    def __init__(
        self,
        image_shape=(32, 32, 3),
        width=768,
        num_classes=None,
        blocks=2,
        group_width=16,
        full_width=32,
        expansion=2,
        embedding_dim=None,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        size = shapes.size_of(self.image_shape, STAGES, "r3gan")
        if self.spectral_norm:
            raise base.UserError("r3gan's discriminator is regularized by R1 and R2: set spectral_norm=False")
        if self.conditioning != "projection":
            raise base.UserError(f"r3gan has a built-in projection of labels: omit conditioning={self.conditioning!r}")
        self.sizes = {"width": width, "blocks": blocks, "group_width": group_width, "full_width": full_width}
        self.sizes |= {"expansion": expansion, "embedding_dim": embedding_dim}
        widths, start = _widths(size, width, full_width)[::-1], shapes.lowest(self.image_shape, STAGES[size])
        self._units = (embedding_dim or widths[-1]) if num_classes else 1
        *stages, last = _residual_blocks(widths[::-1], blocks, group_width, expansion)[::-1]
        body = [layers.conv(widths[0], 1, use_bias=False, kernel_initializer=_normal())]
        for (width_in, width_out), stage in zip(itertools.pairwise(widths), stages, strict=True):
            body += [*stage, Downsample(), *_change_width(width_in, width_out)]
        body += last
        initializer = keras.initializers.RandomNormal(stddev=math.prod(start) ** -0.5)
        body.append(keras.layers.DepthwiseConv2D(start, use_bias=False, depthwise_initializer=initializer))
        self.body = keras.Sequential([*body, keras.layers.Flatten()], name="body")
        self.build()

    def make_head(self):
        return keras.layers.Dense(self._units, use_bias=False, kernel_initializer=_normal(), name="head")

    def make_label_head(self, num_features):
        initializer = keras.initializers.RandomNormal(stddev=(self.num_classes * self._units) ** -0.5)
        return keras.layers.Embedding(self.num_classes, self._units, embeddings_initializer=initializer, name="embedding")

    def logits(self, features, labels=None, training=False):
        logits = self.head(features)
        if self.num_classes:
            logits = logits * self.label_head(labels)
        return ops.cast(ops.sum(logits, axis=-1), "float32")

    def get_config(self):
        return {**super().get_config(), **self.sizes}


def _widths(size, width, full_width):
    """Returns the generator's channels at each resolution, from the lowest to that of the image."""
    resolutions = shapes.resolutions(size, STAGES[size])
    if hasattr(width, "__len__"):
        return _per_stage("width", width, len(resolutions))
    return [max(width * full_width // max(side, full_width), 1) for side in resolutions]


def _per_stage(name, numbers, stages):
    """Returns a number for each stage, from one number or a list.

    Raises:
        UserError: If the list has another length.
    """
    if not hasattr(numbers, "__len__"):
        return [numbers] * stages
    if len(numbers) != stages:
        raise base.UserError(f"r3gan has {stages} stages at this size: got {name}={list(numbers)!r:.60}")
    return [operator.index(number) for number in numbers]


def _residual_blocks(widths, blocks, group_width, expansion):
    """Returns the residual blocks of each stage, from the lowest resolution."""
    counts = _per_stage("blocks", blocks, len(widths))
    stages = []
    for width, count in zip(widths, counts, strict=True):
        groups = max(expansion * width // group_width, 1)
        if expansion * width % groups:
            raise base.UserError(f"r3gan cannot divide {expansion * width} channels into {groups} groups: set another width")
        stages.append([ResidualBlock(width, groups, sum(counts), expansion) for _ in range(count)])
    return stages


def _change_width(width_in, width_out):
    """Returns a 1x1 convolution if the width changes, otherwise nothing."""
    return [] if width_in == width_out else [layers.conv(width_out, 1, use_bias=False, kernel_initializer=_normal())]
