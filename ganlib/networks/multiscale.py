"""A GAN of many scales: Karnewar & Wang 2020, "MSG-GAN: multi-scale gradients for generative adversarial networks"
(arXiv:1903.06048). The generator makes the image at every resolution, the discriminator looks at all of them, so that gradients
reach every layer directly. The layers are those of `dcgan`, which learn faster than those of Karras et al. 2018
(arXiv:1710.10196), in whose network the paper builds it in; with one scale it is `dcgan`.

In training images carry the lower resolutions, enlarged, as further channels, so that everything between generator and
discriminator takes them for ordinary images. The generator outputs them, and `Discriminator.prepare_real_images` computes those
of real images by averaging. (If the discriminator computed them itself, R1 would see only how it depends on all resolutions
together, and not on each: it could tell generated images by how they differ from their lower resolutions.)
"""

import keras
import numpy as np
from keras import ops

from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.resampling import product
from ganlib.networks import base, dcgan

register = keras.saving.register_keras_serializable("ganlib.multiscale")

STAGES = dcgan.STAGES


def _shown(image_shape, scales):
    """The resolutions that are looked at, from the highest on: those at which the discriminator has layers."""
    base.check_image_shape(image_shape, STAGES, "multiscale")
    size = image_shape[0]
    most = STAGES[size]
    scales = most if scales is None else scales
    if not 1 <= scales <= most:
        raise base.UserError(f"multiscale has 1 to {most} scales for images of {size}x{size}, got {scales}")
    return [size >> stage for stage in range(scales)]


@register
class Generator(base.Generator):
    """Latents -> a dense layer -> transposed convolutions that double the resolution, until the last makes the image; 1x1
    convolutions make images of what the others made.

    Args:
        image_shape: ``(size, size, channels)`` with a size out of `STAGES`.
        latent_dim: the number of latents.
        width: channels at half the image's resolution; they double at each coarser one, up to 8 times.
        num_classes: the number of classes, or None.
        normalization: ``"batch"``, ``"sync_batch"`` or None.
        scales: how many resolutions are looked at, the highest ones; None for all, 1 for a GAN like any other.

    Raises:
        UserError: for an image size that it cannot make, or a number of scales that it has not.
    """

    def __init__(self, image_shape=(32, 32, 3), latent_dim=128, width=64, num_classes=None, normalization="batch", scales=None,
                 **kwargs):  # fmt: skip
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        self.width, self.normalization, self.scales = width, normalization, scales
        self.num_scales = len(_shown(self.image_shape, scales))
        size, _, channels = self.image_shape
        widths = dcgan.widths(size, width)
        if num_classes:
            self.embedding = keras.layers.Embedding(num_classes, latent_dim)
        self.stages = [keras.Sequential(dcgan.first_maps(size, width, normalization))]
        self.stages += [keras.Sequential(dcgan.doubled(filters, normalization)) for filters in widths[-2::-1]]
        self.to_images = [
            keras.layers.Conv2D(channels, 1, activation="tanh", kernel_initializer=dcgan.initializer())
            for _ in range(self.num_scales - 1)
        ]
        self.last = dcgan.to_images(channels)
        self.build()

    def call(self, latents, labels=None, training=False):
        """As in `base.Generator`; in training ``(n, size, size, channels * scales)``, the highest resolution first."""
        x, maps = self.concat_label_embedding(latents, labels), []
        for stage in self.stages:
            x = stage(x, training=training)
            maps.append(x)
        images = [self.last(x), *(to_image(x) for to_image, x in zip(self.to_images, maps[::-1], strict=False))]
        images = [ops.cast(x, "float32") for x in images]
        return enlarged(images) if training else images[0]

    def get_config(self):
        own = {"width": self.width, "normalization": self.normalization, "scales": self.scales}
        return {**super().get_config(), **own}


@register
class Body(SublayerPolicy, keras.layers.Layer):
    """Images of all scales -> features: strided convolutions, to whose inputs the image of that resolution is joined."""

    def __init__(self, image_shape, width, scales, spectral_norm, **kwargs):
        super().__init__(**kwargs)
        self.image_shape, self.width, self.scales, self.spectral_norm = tuple(image_shape), width, scales, spectral_norm
        self.shown = _shown(self.image_shape, scales)
        widths = dcgan.widths(self.image_shape[0], width)
        self.stages = [keras.Sequential(dcgan.halved(filters, None, spectral_norm)) for filters in widths]
        self.flatten = keras.layers.Flatten()

    def call(self, images, training=False):
        if images.shape[-1] == self.image_shape[2]:  # those of a classifier, or of one who rates finished images
            pyramid = self.pyramid(images)
        else:
            pyramid = reduced(images, [self.image_shape[0] // side for side in self.shown])
        x = None
        for index, stage in enumerate(self.stages):
            if index < len(pyramid):
                image = ops.cast(pyramid[index], self.compute_dtype)
                x = image if x is None else ops.concatenate([x, image], axis=-1)
            x = stage(x, training=training)
        return self.flatten(x)

    def pyramid(self, images):
        """Images and their means at each lower resolution that is looked at."""
        factors = [self.image_shape[0] // side for side in self.shown[1:]]
        return [images, *(ops.average_pool(images, factor, factor) for factor in factors)]

    def get_config(self):
        own = {"image_shape": self.image_shape, "width": self.width, "scales": self.scales, "spectral_norm": self.spectral_norm}
        return {**super().get_config(), **own}


@register
class Discriminator(base.Discriminator):
    """Images, with the lower resolutions as further channels or without -> `Body` -> logits.

    Args:
        image_shape: ``(size, size, channels)`` with a size out of `STAGES`.
        width: channels at half the image's resolution; they double at each coarser one, up to 8 times.
        num_classes: the number of classes, or None.
        spectral_norm: normalize every weight by its spectral norm.
        scales: as in `Generator`, which must have as many.
    """

    def __init__(self, image_shape=(32, 32, 3), width=64, num_classes=None, spectral_norm=False, scales=None, **kwargs):
        super().__init__(image_shape, num_classes, spectral_norm, **kwargs)
        self.width, self.scales = width, scales
        self.body = Body(self.image_shape, width, scales, spectral_norm, name="body")
        self.num_scales = len(self.body.shown)
        self.build()

    def prepare_real_images(self, images):
        return enlarged(self.body.pyramid(images))

    def get_config(self):
        return {**super().get_config(), "width": self.width, "scales": self.scales}


def enlarged(images):
    """Images of falling resolutions, ``(n, size, size, c)``, ``(n, size / 2, size / 2, c)`` and so on, as channels of one."""
    size = images[0].shape[1]
    return ops.concatenate([_repeated(x, size // x.shape[1]) for x in images], axis=-1)


def reduced(images, factors):
    """The inverse of `enlarged`: ``(n, size, size, channels)`` -> images of their own resolutions, ``size / factor``."""
    parts = ops.split(images, len(factors), axis=-1)
    return [_picked(part, factor) for part, factor in zip(parts, factors, strict=True)]


def _repeated(images, factor):
    return images if factor == 1 else ops.repeat(ops.repeat(images, factor, axis=1), factor, axis=2)


def _picked(images, factor):
    """One pixel of every square, by products with small matrices, whose gradients are fast."""
    matrix = np.eye(images.shape[1], dtype=np.float32)[::factor]
    return images if factor == 1 else product(matrix, images, matrix)
