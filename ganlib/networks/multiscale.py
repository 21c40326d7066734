"""A multi-scale GAN: Karnewar & Wang 2020, "MSG-GAN: multi-scale gradients for generative adversarial networks"
(arXiv:1903.06048).

The generator outputs the image at every resolution and the discriminator receives all of them, so that gradients reach every
layer directly. The layers are those of `dcgan`, which train faster than those of Karras et al. 2018 (arXiv:1710.10196), on
which the paper builds. With one scale, the networks are those of `dcgan`.

During training, images carry the lower resolutions, upsampled, as additional channels, so that all code between generator and
discriminator treats them as ordinary images. The generator outputs these channels, and `Discriminator.prepare_real_images`
computes those of real images by average pooling. If the discriminator computed them itself, R1 would penalize only its
dependence on all resolutions together and not on each of them, and it could recognize generated images by the mismatch with
their lower resolutions.
"""

import keras
import numpy as np
from keras import ops

from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.resampling import product
from ganlib.networks import base, dcgan, shapes

register = keras.saving.register_keras_serializable("ganlib.multiscale")

STAGES = dcgan.STAGES


def _factors(image_shape, scales):
    """Returns the factors by which the resolution of each image is reduced. These are the resolutions of the inputs of the
    discriminator's stages, the highest first."""
    max_scales = STAGES[shapes.size_of(image_shape, STAGES, "multiscale")]
    scales = max_scales if scales is None else scales
    if not 1 <= scales <= max_scales:
        height, width, _ = image_shape
        raise base.UserError(f"scales must be from 1 to {max_scales} for images of {height}x{width}, got {scales}")
    return [2**stage for stage in range(scales)]


@register
class Generator(base.Generator):
    """Latents -> a dense layer -> transposed convolutions that double the resolution, the last of which outputs the image; 1x1
    convolutions output the images of lower resolution from the intermediate feature maps.

    Args:
        image_shape: ``(height, width, channels)``, as in `ganlib.networks.dcgan`. Defaults to ``(32, 32, 3)``.
        latent_dim: The dimension of the latents. Defaults to 128.
        width: The number of channels at half the image resolution. It doubles at each coarser resolution, up to 8 times.
            Defaults to 64.
        num_classes: The number of classes, or None. Defaults to None.
        normalization: ``"batch"``, ``"sync_batch"`` or None. Defaults to ``"batch"``.
        scales: The number of resolutions to use, starting from the highest. None uses all of them, 1 makes it an ordinary GAN.
            Defaults to None.

    Raises:
        UserError: If the image size or the number of scales is not supported.
    """

    def __init__(
        self, image_shape=(32, 32, 3), latent_dim=128, width=64, num_classes=None, normalization="batch", scales=None, **kwargs
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        self.width, self.normalization, self.scales = width, normalization, scales
        self.num_scales = len(_factors(self.image_shape, scales))
        size, channels = dcgan.size_of(self.image_shape), self.image_shape[2]
        widths = dcgan.widths(size, width)
        if num_classes:
            self.embedding = keras.layers.Embedding(num_classes, latent_dim)
        self.stages = [keras.Sequential(dcgan.latent_stage(self.image_shape, size, width, normalization))]
        self.stages += [keras.Sequential(dcgan.upsampling_stage(filters, normalization)) for filters in widths[-2::-1]]
        self.to_images = [
            keras.layers.Conv2D(channels, 1, activation="tanh", kernel_initializer=dcgan.initializer())
            for _ in range(self.num_scales - 1)
        ]
        self.last = dcgan.image_layer(channels)
        self.build()

    def call(self, latents, labels=None, training=False):
        """Generates images like `base.Generator`; during training ``(n, height, width, channels * scales)``, the highest
        resolution first.
        """
        x, maps = self.concat_label_embedding(latents, labels), []
        for stage in self.stages:
            x = stage(x, training=training)
            maps.append(x)
        images = [self.last(x), *(to_image(x) for to_image, x in zip(self.to_images, maps[::-1], strict=False))]
        images = [ops.cast(x, "float32") for x in images]
        return pack_scales(images) if training else images[0]

    def get_config(self):
        config = {"width": self.width, "normalization": self.normalization, "scales": self.scales}
        return {**super().get_config(), **config}


@register
class Body(SublayerPolicy, keras.layers.Layer):
    """Images at all scales -> features, by strided convolutions. The image of the same resolution is concatenated with the
    input of each stage.
    """

    def __init__(self, image_shape, width, scales, spectral_norm, **kwargs):
        super().__init__(**kwargs)
        self.image_shape, self.width, self.scales, self.spectral_norm = tuple(image_shape), width, scales, spectral_norm
        self.factors = _factors(self.image_shape, scales)
        widths = dcgan.widths(dcgan.size_of(self.image_shape), width)
        self.stages = [keras.Sequential(dcgan.downsampling_stage(filters, None, spectral_norm)) for filters in widths]
        self.flatten = keras.layers.Flatten()

    def call(self, images, training=False):
        is_plain = images.shape[-1] == self.image_shape[2]  # without the lower resolutions
        pyramid = self.pyramid(images) if is_plain else unpack_scales(images, self.factors)
        x = None
        for index, stage in enumerate(self.stages):
            if index < len(pyramid):
                image = ops.cast(pyramid[index], self.compute_dtype)
                x = image if x is None else ops.concatenate([x, image], axis=-1)
            x = stage(x, training=training)
        return self.flatten(x)

    def pyramid(self, images):
        """Returns ``(n, *image_shape)`` images and their averages at each lower resolution that is used."""
        return [images, *(ops.average_pool(images, factor, factor) for factor in self.factors[1:])]

    def get_config(self):
        config = {
            "image_shape": self.image_shape,
            "width": self.width,
            "scales": self.scales,
            "spectral_norm": self.spectral_norm,
        }
        return {**super().get_config(), **config}


@register
class Discriminator(base.Discriminator):
    """Images, with or without the lower resolutions as additional channels -> `Body` -> logits.

    Args:
        image_shape: ``(height, width, channels)``, as in `ganlib.networks.dcgan`. Defaults to ``(32, 32, 3)``.
        width: The number of channels at half the image resolution. It doubles at each coarser resolution, up to 8 times.
            Defaults to 64.
        num_classes: The number of classes, or None. Defaults to None.
        spectral_norm: Whether to normalize every weight by its spectral norm. Defaults to False.
        scales: The number of scales, which must be that of the `Generator`. Defaults to None.
    """

    def __init__(self, image_shape=(32, 32, 3), width=64, num_classes=None, spectral_norm=False, scales=None, **kwargs):
        super().__init__(image_shape, num_classes, spectral_norm, **kwargs)
        self.width, self.scales = width, scales
        self.body = Body(self.image_shape, width, scales, spectral_norm, name="body")
        self.num_scales = len(self.body.factors)
        self.build()

    def prepare_real_images(self, images):
        return pack_scales(self.body.pyramid(images))

    def get_config(self):
        return {**super().get_config(), "width": self.width, "scales": self.scales}


def pack_scales(images):
    """Upsamples images of decreasing resolution and concatenates them as channels.

    Args:
        images: A list of ``(n, height, width, c)``, ``(n, height / 2, width / 2, c)`` and so on.

    Returns:
        ``(n, height, width, c * len(images))``.
    """
    height = images[0].shape[1]
    return ops.concatenate([_repeat_pixels(x, height // x.shape[1]) for x in images], axis=-1)


def unpack_scales(images, factors):
    """Splits channels into images of decreasing resolution, the inverse of `pack_scales`.

    Args:
        images: ``(n, height, width, channels)``.
        factors: The factor by which the resolution of each image is reduced.

    Returns:
        A list of images, each of size ``(height / factor, width / factor)``.
    """
    groups = ops.split(images, len(factors), axis=-1)
    return [_subsample(group, factor) for group, factor in zip(groups, factors, strict=True)]


def _repeat_pixels(images, factor):
    return images if factor == 1 else ops.repeat(ops.repeat(images, factor, axis=1), factor, axis=2)


def _subsample(images, factor):
    """Keeps one pixel of every square, as products with small matrices, whose gradients are fast."""
    rows, columns = (np.eye(side, dtype=np.float32)[::factor] for side in images.shape[1:3])
    return images if factor == 1 else product(rows, images, columns)
