"""A GAN of many scales: Karnewar & Wang 2020, "MSG-GAN: multi-scale gradients for generative adversarial networks"
(arXiv:1903.06048). The generator makes the image at every resolution, the discriminator looks at all of them, so that gradients
reach every layer directly. Layers as in Karras et al. 2018 (arXiv:1710.10196), in whose network the paper builds it in.

In training the generator's images carry the lower resolutions as further channels, enlarged, so that they are images for all
that comes between generator and discriminator: losses, penalties on the discriminator's gradients at either kind of image, and
augmentation by translation and cutout. The discriminator makes the lower resolutions of real images itself, by averaging.
"""

import itertools

import keras
import numpy as np
from keras import ops

from ganlib.networks import base, equalized, layers
from ganlib.networks.resampling import product

register = keras.saving.register_keras_serializable("ganlib.multiscale")

STAGES = {8: 1, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5, 256: 6}
"""Image size -> how many times the generator doubles its resolution, from 4x4 or (for 28) 7x7."""


def _resolutions(size, scales):
    """All that the generator passes, and those of the images that are looked at."""
    passed = base.resolutions(size, STAGES[size])
    scales = len(passed) if scales is None else scales
    if not 1 <= scales <= len(passed):
        raise base.UserError(f"multiscale has 1 to {len(passed)} scales for images of {size}x{size}, got {scales}")
    return passed, passed[-scales:]


@register
class GeneratorBlock(keras.layers.Layer):
    """Doubles the resolution and convolves twice, each with a leaky ReLU, to features of unit length at every pixel."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.double = keras.layers.UpSampling2D(2)
        self.first, self.second = equalized.Conv(width, 3), equalized.Conv(width, 3)

    def call(self, inputs):
        return equalized.pixel_norm(self.second(equalized.pixel_norm(self.first(self.double(inputs)))))

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@register
class Generator(base.Generator):
    """Latents -> a dense layer -> blocks that double the resolution, from each of which a 1x1 convolution makes an image.

    Args:
        image_shape: ``(size, size, channels)`` with a size out of `STAGES`.
        latent_dim: the number of latents.
        width: channels at the lowest resolutions, and the most that there are.
        num_classes: the number of classes, or None.
        channels_base: a resolution has this number over its size as its channels, if that is less.
        scales: how many resolutions are looked at, the highest ones; None for all, 1 for a GAN like any other.

    Raises:
        UserError: for an image size that it cannot make, or a number of scales that it has not.
    """

    def __init__(self, image_shape=(32, 32, 3), latent_dim=128, width=128, num_classes=None, channels_base=4096, scales=None,
                 **kwargs):  # fmt: skip
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "multiscale")
        self.width, self.channels_base, self.scales = width, channels_base, scales
        size, _, channels = self.image_shape
        passed, shown = _resolutions(size, scales)
        widths = base.tapered(passed, width, channels_base)
        if num_classes:
            self.embedding = keras.layers.Embedding(num_classes, latent_dim, embeddings_initializer=equalized.normal())
        self.dense = equalized.Dense(passed[0] ** 2 * widths[0], activate=True)
        self.reshape = keras.layers.Reshape((passed[0], passed[0], widths[0]))
        self.conv = equalized.Conv(widths[0], 3)
        self.blocks = [GeneratorBlock(filters) for filters in widths[1:]]
        self.num_scales = len(shown)
        self.to_images = [equalized.Conv(channels, 1, activate=False) for _ in shown]
        self.build()

    def call(self, latents, labels=None, training=False):
        """As in `base.Generator`; in training ``(n, size, size, channels * scales)``, the highest resolution first."""
        x = equalized.pixel_norm(self.conv(equalized.pixel_norm(self.reshape(self.dense(self.joined(latents, labels))))))
        images = []
        without = len(self.blocks) + 1 - self.num_scales  # so many of the lowest resolutions
        for index, block in enumerate([keras.layers.Identity(), *self.blocks]):
            x = block(x)
            if index >= without:
                images.append(ops.tanh(ops.cast(self.to_images[index - without](x), "float32")))
        return enlarged(images[::-1]) if training else images[-1]

    def get_config(self):
        own = {"width": self.width, "channels_base": self.channels_base, "scales": self.scales}
        return {**super().get_config(), **own}


@register
class DiscriminatorBlock(keras.layers.Layer):
    """Convolves twice and halves the resolution."""

    def __init__(self, before, after, **kwargs):
        super().__init__(**kwargs)
        self.before, self.after = before, after
        self.first, self.second = equalized.Conv(before, 3), equalized.Conv(after, 3)
        self.halve = keras.layers.AveragePooling2D(2)

    def call(self, inputs):
        return self.halve(self.second(self.first(inputs)))

    def get_config(self):
        return {**super().get_config(), "before": self.before, "after": self.after}


@register
class Body(keras.layers.Layer):
    """Images of all scales -> ``(n, width)`` features: blocks that halve the resolution, to each of which the image of that
    resolution is joined, then `layers.MinibatchDeviation`, a convolution and a dense layer."""

    def __init__(self, image_shape, width, channels_base, scales, **kwargs):
        super().__init__(**kwargs)
        self.image_shape, self.width, self.channels_base, self.scales = tuple(image_shape), width, channels_base, scales
        passed, self.shown = _resolutions(self.image_shape[0], scales)
        self.passed, self.shown = passed[::-1], self.shown[::-1]
        widths = base.tapered(self.passed, width, channels_base)
        self.first = equalized.Conv(widths[0], 1)
        self.blocks = [DiscriminatorBlock(*pair) for pair in itertools.pairwise(widths)]
        self.last = keras.Sequential([
            layers.MinibatchDeviation(), equalized.Conv(widths[-1], 3), keras.layers.Flatten(),
            equalized.Dense(width, activate=True),
        ])  # fmt: skip

    def call(self, images):
        count, channels = len(self.shown), self.image_shape[2]
        if images.shape[-1] == channels:  # real ones, or those of a classifier
            size = self.image_shape[0]
            pyramid = [images, *(_averaged(images, size // side) for side in self.shown[1:])]
        else:
            pyramid = reduced(images, [self.image_shape[0] // side for side in self.shown])
        x = self.first(pyramid[0])
        for index, block in enumerate([*self.blocks, self.last]):
            if 0 < index < count:
                x = ops.concatenate([x, ops.cast(pyramid[index], x.dtype)], axis=-1)
            x = block(x)
        return x

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.width)

    def get_config(self):
        own = {"image_shape": self.image_shape, "width": self.width, "channels_base": self.channels_base, "scales": self.scales}
        return {**super().get_config(), **own}


@register
class Discriminator(base.Discriminator):
    """Images, with the lower resolutions as further channels or without -> `Body` -> logits.

    Args:
        image_shape: ``(size, size, channels)`` with a size out of `STAGES`.
        width: the most channels that there are, and the number of features.
        num_classes: the number of classes, or None.
        channels_base: as in `Generator`.
        scales: as in `Generator`, which must have as many.
    """

    def __init__(self, image_shape=(32, 32, 3), width=128, num_classes=None, channels_base=4096, scales=None, **kwargs):
        super().__init__(image_shape, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "multiscale")
        self.width, self.channels_base, self.scales = width, channels_base, scales
        self.body = Body(self.image_shape, width, channels_base, scales, name="body")
        self.num_scales = len(self.body.shown)
        self.build()

    def make_head(self):
        return equalized.Dense(1, name="head")

    def get_config(self):
        own = {"width": self.width, "channels_base": self.channels_base, "scales": self.scales}
        return {**super().get_config(), **own}


def enlarged(images):
    """Images of falling resolutions, ``(n, size, size, c)``, ``(n, size / 2, size / 2, c)`` and so on, as channels of one."""
    size = images[0].shape[1]
    return ops.concatenate([_repeated(x, size // x.shape[1]) for x in images], axis=-1)


def reduced(images, factors):
    """The inverse of `enlarged`: each image at its own resolution."""
    parts = ops.split(images, len(factors), axis=-1)
    return [_picked(part, factor) for part, factor in zip(parts, factors, strict=True)]


def _repeated(images, factor):
    return images if factor == 1 else ops.repeat(ops.repeat(images, factor, axis=1), factor, axis=2)


def _averaged(images, factor):
    """Means of squares of pixels, whose gradient with respect to the pixels is as long as that with respect to the means: R1
    would hold the lower resolutions 4, 16, 64 times as loosely otherwise, since it looks at the pixels."""
    means = ops.average_pool(images, factor, factor)
    return means + (factor - 1.0) * (means - ops.stop_gradient(means))


def _picked(images, factor):
    """Every so manieth pixel, by products with small matrices, whose gradients are fast."""
    matrix = np.eye(images.shape[1], dtype=np.float32)[::factor]
    return images if factor == 1 else product(matrix, images, matrix)
