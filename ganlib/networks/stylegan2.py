"""StyleGAN2: Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN" (arXiv:1912.04958), configuration F.

Weight demodulation, a generator with skip connections, a residual discriminator. Labels, precision and the discriminator
without residuals are those of StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676), as in the authors' PyTorch code.
"""

import itertools
import math
import types

import keras
from keras import ops

from ganlib import layers
from ganlib.layers import equalized
from ganlib.layers.dtype_policy import policy
from ganlib.layers.equalized_block import DiscriminatorBlock
from ganlib.layers.modulated import ModulatedConv, StyledConv
from ganlib.layers.resampling import Upsample
from ganlib.networks import base, shapes

register = keras.saving.register_keras_serializable("ganlib.stylegan2")

STAGES = {8: 1, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5, 256: 6, 512: 7, 1024: 8}
"""Image size -> the number of times the generator doubles the resolution, starting from 4x4 or (for 28) 7x7. Other shapes have
the layers of one of these sizes: see `ganlib.networks.shapes`."""

STYLE_DECAY = 0.995
"""The decay of the moving average of the styles."""


@register
class Generator(base.Generator):
    """Latents -> a mapping network -> styles, which modulate the convolutions; the outputs of all resolutions are summed.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
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
        label_bias: Whether labels are embedded by an equalized dense layer with biases, as in the authors' code, instead of an
            embedding without biases. Defaults to True.
        clamp: The largest absolute value of activations, or None. Defaults to 256.0, as in the authors' code.
        half_resolutions: The number of the highest resolutions that use half precision under a mixed policy. The lowest
            resolution, the mapping network and the affine maps of styles always use float32. None for half precision in all
            layers. Defaults to 4, as in the authors' code.

    Raises:
        UserError: If the image size is not supported.
    """

    truncates_styles = True
    earlier_defaults = types.MappingProxyType({"label_bias": False, "clamp": None, "half_resolutions": None})

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
        label_bias=True,
        clamp=256.0,
        half_resolutions=4,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        size = shapes.size_of(self.image_shape, STAGES, "stylegan2")
        self.width, self.channels_base, self.mapping_layers = width, channels_base, mapping_layers
        self.mixing, self.bounded = mixing, bounded
        self.label_bias, self.clamp, self.half_resolutions = label_bias, clamp, half_resolutions
        self.autocast = half_resolutions is None  # latents stay in float32
        channels = self.image_shape[2]
        with policy(_float32_unless(self, half_resolutions is None)):
            if num_classes and label_bias:
                self.embedding = equalized.Dense(latent_dim, name="embedding")
            elif num_classes:
                self.embedding = keras.layers.Embedding(num_classes, latent_dim, embeddings_initializer=equalized.normal())
            mapping = [equalized.Dense(latent_dim, activate=True, rate=0.01) for _ in range(mapping_layers)]
            self.mapping = keras.Sequential(mapping, name="mapping")
        widths = shapes.tapered(shapes.resolutions(size, STAGES[size]), width, channels_base)
        start = (*shapes.lowest(self.image_shape, STAGES[size]), widths[0])
        dtypes = _dtypes(self, len(widths), half_resolutions)
        self.constant = self.add_weight(name="constant", shape=start, initializer=equalized.normal())
        self.convs = [StyledConv(widths[0], clamp=clamp, dtype=dtypes[0])]
        for filters, dtype in zip(widths[1:], dtypes[1:], strict=True):
            self.convs += [StyledConv(filters, upsample, clamp, dtype=dtype) for upsample in (True, False)]
        self.to_images = [ModulatedConv(channels, 1, demodulate=False, dtype=dtype) for dtype in dtypes]
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
            labels = ops.one_hot(labels, self.num_classes, dtype=z.dtype) if self.label_bias else labels
            z = ops.concatenate([z, equalized.pixel_norm(ops.cast(self.embedding(labels), z.dtype))], axis=-1)
        return self.mapping(z)

    @property
    def weights_without_average(self):
        return [self.average_style]

    def update_average_style(self, styles, is_due=True):
        """Moves the average style towards the mean of ``(n, latent_dim)`` styles, if ``is_due``."""
        average, mean = self.average_style, ops.mean(ops.stop_gradient(styles), axis=0)
        decay = ops.where(is_due, STYLE_DECAY, 1.0)
        average.assign(average + (1.0 - decay) * (ops.cast(mean, average.dtype) - average))

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
            self.update_average_style(styles[:, 0])
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
            output = to_image(x, styles[:, index])
            output = equalized.clamped(ops.add(output, ops.cast(bias, output.dtype)), self.clamp)
            output = ops.cast(output, "float32")
            images = output if images is None else self.double(images) + output
        return images

    def get_config(self):
        config = {"width": self.width, "channels_base": self.channels_base, "mapping_layers": self.mapping_layers}
        config |= {"mixing": self.mixing, "bounded": self.bounded, "label_bias": self.label_bias}
        config |= {"clamp": self.clamp, "half_resolutions": self.half_resolutions}
        return {**super().get_config(), **config}


@register
class Discriminator(base.Discriminator):
    """A 1x1 convolution -> blocks that halve the resolution -> `layers.MinibatchDeviation`, a convolution and a dense layer,
    which outputs the features -> logits: with labels, the product of a linear map of the features and a mapping of the label.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        width: The maximum number of channels, and the number of features; the paper uses 512. Defaults to 512.
        num_classes: The number of classes, or None. Defaults to None.
        channels_base: As in `Generator`. Defaults to 32_768.
        residual: Whether blocks have shortcuts. The authors' settings for CIFAR-10 are without. Defaults to True.
        group_size: The number of images in a group of `layers.MinibatchDeviation`. The authors use 32 for CIFAR-10 and 8 for
            FFHQ at 256x256. Defaults to 4.
        strided_groups: As ``strided`` in `layers.MinibatchDeviation`. Defaults to True, as in the authors' code.
        label_layers: The number of layers of the label's mapping network. None instead adds to an unconditional logit the
            product of the features and an embedding of the label. Defaults to 8, as in the authors' code.
        clamp: As in `Generator`. Defaults to 256.0.
        half_resolutions: As in `Generator`; the lowest resolution and the layers after it use float32. Defaults to 4.

    Raises:
        UserError: If the image size is not supported, or spectral normalization is requested.
    """

    earlier_defaults = types.MappingProxyType(
        {"strided_groups": False, "label_layers": None, "clamp": None, "half_resolutions": None}
    )

    def __init__(
        self,
        image_shape=(32, 32, 3),
        width=512,
        num_classes=None,
        channels_base=32_768,
        residual=True,
        group_size=4,
        strided_groups=True,
        label_layers=8,
        clamp=256.0,
        half_resolutions=4,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, **kwargs)
        size = shapes.size_of(self.image_shape, STAGES, "stylegan2")
        if self.spectral_norm:
            raise base.UserError("stylegan2's discriminator is regularized by R1: set spectral_norm=False")
        self.width, self.channels_base, self.residual, self.clamp = width, channels_base, residual, clamp
        self.group_size, self.strided_groups = group_size, strided_groups
        self.label_layers, self.half_resolutions = label_layers, half_resolutions
        widths = shapes.tapered(shapes.resolutions(size, STAGES[size]), width, channels_base)[::-1]
        dtypes = _dtypes(self, len(widths), half_resolutions)[::-1]
        stack = [equalized.Conv(widths[0], 1, clamp=clamp)]
        for pair, dtype in zip(itertools.pairwise(widths), dtypes[:-1], strict=True):
            stack.append(DiscriminatorBlock(*pair, residual, clamp, dtype=dtype))
        with policy(dtypes[-1]):
            stack += [layers.MinibatchDeviation(group_size, strided_groups), equalized.Conv(widths[-1], 3, clamp=clamp)]
            stack += [keras.layers.Flatten(), equalized.Dense(width, activate=True)]
        self.body = keras.Sequential(stack, name="body")
        self.build()

    @property
    def _maps_labels(self):
        return bool(self.num_classes) and self.conditioning == "projection" and self.label_layers is not None

    def make_head(self):
        dtype = _float32_unless(self, self.half_resolutions is None)
        return equalized.Dense(self.width if self._maps_labels else 1, name="head", dtype=dtype)

    def make_label_head(self, num_features):
        if self._maps_labels:
            dtype = _float32_unless(self, self.half_resolutions is None)
            return equalized.LabelMapping(self.num_classes, num_features, self.label_layers, dtype=dtype)
        if self.conditioning == "projection":
            return equalized.Projection(self.num_classes)
        return super().make_label_head(num_features)

    def logits(self, features, labels=None, training=False):
        if not self._maps_labels:
            return super().logits(features, labels, training=training)
        products = ops.sum(self.head(features) * self.label_head(labels), axis=-1)
        return ops.cast(products / math.sqrt(self.width), "float32")

    def get_config(self):
        config = {"width": self.width, "channels_base": self.channels_base, "residual": self.residual}
        config |= {"group_size": self.group_size, "strided_groups": self.strided_groups, "label_layers": self.label_layers}
        return {**super().get_config(), **config, "clamp": self.clamp, "half_resolutions": self.half_resolutions}


def _float32_unless(network, half):
    """Returns the dtype of layers that use half precision only if ``half``: None for the network's own dtype policy."""
    return None if half else equalized.full_precision(network)


def _dtypes(network, count, half_resolutions):
    """Returns the dtype of the layers at each resolution, from the lowest to the highest: None for the network's own."""
    first = 0 if half_resolutions is None else max(count - half_resolutions, 1)
    return [_float32_unless(network, index >= first) for index in range(count)]
