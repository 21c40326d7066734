"""StyleGAN2: Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN" (arXiv:1912.04958), configuration F.

Weight demodulation, a generator with skip connections, a residual discriminator. Labels as in StyleGAN2-ADA (Karras et al.
2020, arXiv:2006.06676): concatenated with the latents, and by projection in the discriminator.
"""

import itertools
import math

import keras
from keras import ops

from ganlib import layers
from ganlib.layers import equalized
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.layers.resampling import Downsample, Upsample, blur
from ganlib.networks import base

register = keras.saving.register_keras_serializable("ganlib.stylegan2")

STAGES = {8: 1, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5, 256: 6, 512: 7, 1024: 8}
"""Image size -> the number of times the generator doubles the resolution, starting from 4x4 or (for 28) 7x7."""

STYLE_DECAY = 0.995
"""The decay of the moving average of the styles."""


@register
class ModulatedConv(SublayerPolicy, keras.layers.Layer):
    """A convolution whose weights are scaled by the style of each image: section 2.2.

    The input channels are multiplied by the style and the output channels divided by the norm of the scaled weights, which is
    equivalent to separate weights for each image.

    Args:
        filters: The number of output channels.
        kernel_size: 1 or 3.
        demodulate: Whether to divide by the norm. Defaults to True.
        upsample: Whether to double the resolution, by a transposed convolution followed by a blur. Defaults to False.
    """

    def __init__(self, filters, kernel_size, demodulate=True, upsample=False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.demodulate, self.upsample = filters, kernel_size, demodulate, upsample

    def build(self, inputs_shape, styles_shape=None):
        channels = inputs_shape[-1]
        shape = (self.kernel_size, self.kernel_size, channels, self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=equalized.normal())
        self.affine = equalized.Dense(channels, bias=1.0)
        self.affine.build(styles_shape)

    def call(self, inputs, styles):
        kernel = self.kernel / math.sqrt(math.prod(self.kernel.shape[:3]))
        scale = self.affine(styles)
        x = inputs * scale[:, None, None, :]
        if self.upsample:
            x = ops.conv_transpose(x, ops.transpose(kernel, (0, 1, 3, 2)), 2, "valid")
            x = blur(x, 1, 1, gain=2.0)
        else:
            x = ops.conv(x, kernel, 1, "same")
        if self.demodulate:
            squares = ops.matmul(ops.square(scale), ops.sum(ops.square(kernel), axis=(0, 1)))
            x = x * ops.cast(ops.rsqrt(ops.cast(squares, "float32") + 1e-8), x.dtype)[:, None, None, :]
        return x

    def get_config(self):
        config = {"filters": self.filters, "kernel_size": self.kernel_size}
        config |= {"demodulate": self.demodulate, "upsample": self.upsample}
        return {**super().get_config(), **config}


@register
class StyledConv(SublayerPolicy, keras.layers.Layer):
    """A `ModulatedConv`, noise of a learned strength, a bias, and a leaky ReLU.

    If no noise is passed, the layer uses a fixed noise map, the same for all images.

    Args:
        filters: The number of output channels.
        upsample: Whether to double the resolution. Defaults to False.
    """

    def __init__(self, filters, upsample=False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.upsample = filters, upsample

    def build(self, inputs_shape, styles_shape=None):
        _, height, width, _ = inputs_shape
        factor = 2 if self.upsample else 1
        self.conv = ModulatedConv(self.filters, 3, upsample=self.upsample)
        self.conv.build(inputs_shape, styles_shape)
        self.noise = self.add_weight(
            name="noise", shape=(factor * height, factor * width, 1), initializer=equalized.normal(), trainable=False
        )
        self.strength = self.add_weight(name="strength", shape=(), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs, styles, noise=None):
        x = self.conv(inputs, styles)
        noise = ops.cast(self.noise if noise is None else noise, x.dtype)
        return equalized.leaky_relu(ops.add(x + ops.multiply(noise, self.strength), self.bias))

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "upsample": self.upsample}


@register
class Generator(base.Generator):
    """Latents -> a mapping network -> styles, which modulate the convolutions; the outputs of all resolutions are summed.

    Args:
        image_shape: ``(size, size, channels)`` with a size in `STAGES`. Defaults to ``(32, 32, 3)``.
        latent_dim: The dimension of latents and styles; the paper uses 512. Defaults to 512.
        width: The maximum number of channels, used at the lowest resolutions; the paper uses 512. Defaults to 512.
        num_classes: The number of classes, or None. Defaults to None.
        channels_base: The number of channels is this divided by the resolution if that is less than ``width``; the paper uses
            32,768. Defaults to 32_768.
        mapping_layers: The number of dense layers from latents to styles; the paper uses 8. Defaults to 8.
        mixing: The share of training images with two styles; the second applies from a random layer onward. The paper uses
            0.9. Defaults to 0.9.
        bounded: Whether to also clip images to ``[-1, 1]`` during training. Use it for data with many black or white pixels:
            without a tanh, the generator cannot match them exactly, and the discriminator detects the difference. Defaults
            to False.

    Raises:
        UserError: If the image size is not supported.
    """

    truncates_styles = True

    def __init__(
        self,
        image_shape=(32, 32, 3),
        latent_dim=512,
        width=512,
        num_classes=None,
        channels_base=32_768,
        mapping_layers=8,
        mixing=0.9,
        bounded=False,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "stylegan2")
        self.width, self.channels_base, self.mapping_layers = width, channels_base, mapping_layers
        self.mixing, self.bounded = mixing, bounded
        size, _, channels = self.image_shape
        start = size >> STAGES[size]
        if num_classes:
            self.embedding = keras.layers.Embedding(num_classes, latent_dim, embeddings_initializer=equalized.normal())
        mapping = [equalized.Dense(latent_dim, activate=True, rate=0.01) for _ in range(mapping_layers)]
        self.mapping = keras.Sequential(mapping, name="mapping")
        widths = base.tapered(base.resolutions(size, STAGES[size]), width, channels_base)
        self.constant = self.add_weight(name="constant", shape=(start, start, widths[0]), initializer=equalized.normal())
        self.convs = [StyledConv(widths[0])]
        for filters in widths[1:]:
            self.convs += [StyledConv(filters, upsample=True), StyledConv(filters)]
        self.to_images = [ModulatedConv(channels, 1, demodulate=False) for _ in widths]
        zeros = {"shape": (channels,), "initializer": "zeros"}
        self.image_biases = [self.add_weight(name=f"bias_{index}", **zeros) for index in range(len(widths))]
        self.double = Upsample(dtype="float32")  # images are summed in full precision
        self.average_style = self.add_weight(
            name="average_style", shape=(latent_dim,), initializer="zeros", trainable=False, autocast=False
        )
        self.build()

    def styles(self, latents, labels=None):
        """Maps ``(n, latent_dim)`` latents to ``(n, latent_dim)`` styles, the paper's w."""
        z = equalized.pixel_norm(latents)
        if self.num_classes:
            z = ops.concatenate([z, equalized.pixel_norm(ops.cast(self.embedding(labels), z.dtype))], axis=-1)
        return self.mapping(z)

    def latent_maps(self):
        """Returns the kernels of all convolutions' affine layers, which map styles to channel scales."""
        return [ops.convert_to_numpy(conv.affine.kernel) for conv in (*(layer.conv for layer in self.convs), *self.to_images)]

    def sample_noise(self, count, rng):
        """Draws the noise of each layer, ``(count, h, w, 1)``, and for mixing the second latents and where they begin."""
        noise = [rng.normal((count, *conv.noise.shape)) for conv in self.convs]
        if not self.mixing:
            return {"noise": noise}
        layers = len(self.convs) + 1
        start = ops.where(rng.uniform((count,)) < self.mixing, rng.integers((count,), 1, layers), layers)
        return {"noise": noise, "mixing": (rng.normal((count, self.latent_dim)), start)}

    def layer_styles(self, latents, labels=None, mixing=None):
        """Maps latents to ``(n, layers, latent_dim)``: the style of every convolution and of the last image layer."""
        layers = len(self.convs) + 1
        styles = ops.stack([self.styles(latents, labels)] * layers, axis=1)
        if mixing is None:
            return styles
        other, start = mixing
        is_first = ops.arange(layers, dtype="int32")[None, :, None] < ops.cast(start, "int32")[:, None, None]
        return ops.where(is_first, styles, self.styles(other, labels)[:, None])

    def call(self, latents, labels=None, training=False, noise=None, mixing=None, truncation=None):
        """Generates images like `base.Generator`; during training they may exceed ``[-1, 1]`` unless ``bounded``.

        Args:
            latents: ``(n, latent_dim)``.
            labels: ``(n,)`` integers, or None. Defaults to None.
            training: Whether to update the moving average of the styles. Defaults to False.
            noise: The noise drawn by `sample_noise`, or None for the layers' fixed noise. Defaults to None.
            mixing: The mixing drawn by `sample_noise`, or None. Defaults to None.
            truncation: ``(n,)`` factors that scale the difference of styles from their average; None does not truncate.
                Defaults to None.
        """
        styles = self.layer_styles(latents, labels, mixing)
        if training:
            mean = ops.cast(ops.mean(ops.stop_gradient(styles[:, 0]), axis=0), self.average_style.dtype)
            self.average_style.assign(STYLE_DECAY * self.average_style + (1.0 - STYLE_DECAY) * mean)
        if truncation is not None:
            average = ops.cast(self.average_style, styles.dtype)
            styles = average + ops.cast(truncation, styles.dtype)[:, None, None] * (styles - average)
        images = self.from_styles(styles, noise)
        return images if training and not self.bounded else ops.clip(images, -1.0, 1.0)

    def from_styles(self, styles, noise=None):
        """Generates images: ``(n, layers, latent_dim)`` styles -> ``(n, *image_shape)`` float32, not clipped."""
        x = ops.broadcast_to(ops.cast(self.constant, styles.dtype), (ops.shape(styles)[0], *self.constant.shape))
        images, index = None, 0
        for to_image, bias in zip(self.to_images, self.image_biases, strict=True):
            for _ in range(1 if images is None else 2):
                x = self.convs[index](x, styles[:, index], noise and noise[index])
                index += 1
            # The image layer shares the style of the next convolution.
            output = ops.cast(ops.add(to_image(x, styles[:, index]), bias), "float32")
            images = output if images is None else self.double(images) + output
        return images

    def get_config(self):
        config = {"width": self.width, "channels_base": self.channels_base, "mapping_layers": self.mapping_layers}
        config |= {"mixing": self.mixing, "bounded": self.bounded}
        return {**super().get_config(), **config}


@register
class DiscriminatorBlock(SublayerPolicy, keras.layers.Layer):
    """Two convolutions, the second of which halves the resolution after a blur; a 1x1 convolution as the shortcut.

    Args:
        before: The number of input channels.
        after: The number of output channels.
    """

    def __init__(self, before, after, **kwargs):
        super().__init__(**kwargs)
        self.before, self.after = before, after
        self.first = equalized.Conv(before, 3)
        self.second = equalized.Conv(after, 3, strides=2)
        self.skip = equalized.Conv(after, 1, activate=False)
        self.halve = Downsample()

    def call(self, inputs):
        x = self.second(blur(self.first(inputs), 2, 2))
        return (x + self.skip(self.halve(inputs))) / math.sqrt(2.0)

    def get_config(self):
        return {**super().get_config(), "before": self.before, "after": self.after}


@register
class Discriminator(base.Discriminator):
    """A 1x1 convolution -> residual blocks that halve the resolution -> `layers.MinibatchDeviation`, a convolution and a dense
    layer, which outputs the features -> logits, by projection if there are labels.

    Args:
        image_shape: ``(size, size, channels)`` with a size in `STAGES`. Defaults to ``(32, 32, 3)``.
        width: The maximum number of channels, and the number of features; the paper uses 512. Defaults to 512.
        num_classes: The number of classes, or None. Defaults to None.
        channels_base: As in `Generator`. Defaults to 32_768.
    """

    def __init__(self, image_shape=(32, 32, 3), width=512, num_classes=None, channels_base=32_768, **kwargs):
        super().__init__(image_shape, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, STAGES, "stylegan2")
        if self.spectral_norm:
            raise base.UserError("stylegan2's discriminator is regularized by R1: set spectral_norm=False")
        self.width, self.channels_base = width, channels_base
        size = self.image_shape[0]
        widths = base.tapered(base.resolutions(size, STAGES[size]), width, channels_base)[::-1]
        blocks = [DiscriminatorBlock(*pair) for pair in itertools.pairwise(widths)]
        stack = [equalized.Conv(widths[0], 1), *blocks, layers.MinibatchDeviation(), equalized.Conv(widths[-1], 3)]
        stack += [keras.layers.Flatten(), equalized.Dense(width, activate=True)]
        self.body = keras.Sequential(stack, name="body")
        self.build()

    def make_head(self):
        return equalized.Dense(1, name="head")

    def make_label_head(self, num_features):
        if self.conditioning == "projection":
            return equalized.Projection(self.num_classes)
        return super().make_label_head(num_features)

    def get_config(self):
        return {**super().get_config(), "width": self.width, "channels_base": self.channels_base}
