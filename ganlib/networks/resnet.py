"""SNGAN's residual networks: Miyato et al. 2018 (arXiv:1802.05957), table 4.

They are conditioned on labels as in Miyato & Koyama 2018 (arXiv:1802.05637): by conditional batch normalization in the
generator and by projection in the discriminator. Self-attention as in SAGAN (Zhang et al. 2019, arXiv:1805.08318) is optional.
The 32x32 networks are the paper's for CIFAR-10 (width 256 in the generator, 128 in the discriminator), and the 48x48 networks
are those for STL-10 (tables 5 and 6; width 64 in both). The 128x128 networks are those for ImageNet in the second paper (width
64). The 64x64 networks are in between.
"""

import math
import types

import keras
from keras import ops

from ganlib import layers
from ganlib.layers import conditioning, initializers
from ganlib.layers.attention import attention_after
from ganlib.layers.initializers import glorot
from ganlib.layers.residual import DiscriminatorBlock, GeneratorBlock
from ganlib.networks import base, shapes

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

STAGES = shapes.shared_doublings(GENERATOR_WIDTHS, DISCRIMINATOR_WIDTHS)
"""Image size -> the number of doublings of the generator or of halvings of the discriminator, whichever is larger. Other shapes
have the layers of one of these sizes: see `ganlib.networks.shapes`."""


@register
class Generator(base.Generator):
    """Latents -> a dense layer -> residual blocks that double the resolution -> images.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        latent_dim: The dimension of the latents; the paper uses 128. Defaults to 128.
        width: The number of channels of every block up to 32x32. For larger images, the number of channels at the image's
            resolution. The papers use 256 and 64. Defaults to 256.
        num_classes: The number of classes, which makes batch normalization conditional, or None. Defaults to None.
        normalization: ``"batch"``, ``"sync_batch"`` or None. None ignores labels, so it cannot be combined with
            ``num_classes``. Defaults to ``"batch"``.
        attention: The resolution at which self-attention follows a block, or None; for rectangles, that of the shorter side.
            Defaults to None.
        spectral_norm: Whether to normalize every weight of the dense layer and the convolutions by its spectral norm, as in
            SAGAN. Defaults to False.
        upsampling: ``"nearest"``, as in the authors' code, or ``"bilinear"``, as in mimicry (Lee & Town 2020,
            arXiv:2005.02494). Defaults to ``"nearest"``.

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
        upsampling="nearest",
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        size = shapes.size_of(self.image_shape, STAGES, "resnet")
        if num_classes and not normalization:
            raise base.UserError(
                "resnet's generator is conditioned on labels by batch normalization: set normalization='batch'"
            )
        self.width, self.normalization, self.attention = width, normalization, attention
        self.spectral_norm, self.upsampling = spectral_norm, upsampling
        first, *widths = (multiple * width for multiple in GENERATOR_WIDTHS[size])
        start = (*shapes.lowest(self.image_shape, len(widths)), first)
        self.dense = layers.dense(math.prod(start), spectral_norm, kernel_initializer=glorot())
        self.reshape = keras.layers.Reshape(start)
        self.blocks = [GeneratorBlock(filters, num_classes, normalization, spectral_norm, upsampling) for filters in widths]
        resolutions = shapes.resolutions(min(self.image_shape[:2]), len(widths))[1:]
        self.after = attention_after(resolutions, attention, spectral_norm)
        self.norm = layers.normalization(normalization)
        self.conv = layers.conv(self.image_shape[2], 3, spectral_norm, activation="tanh", kernel_initializer=glorot())
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
            "upsampling": self.upsampling,
        }
        return {**super().get_config(), **config}


@register
class Discriminator(base.Discriminator):
    """Images -> residual blocks that halve the resolution -> blocks without downsampling -> features (summed over positions) ->
    logits.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(32, 32, 3)``.
        width: The number of channels of every block up to 32x32. For larger images, that of the first block. The papers use 128
            and 64. Defaults to 128.
        num_classes: The number of classes, or None. Defaults to None.
        spectral_norm: Whether to normalize every weight by its spectral norm, or the arguments of
            `ganlib.layers.SpectralNorm`. Defaults to True.
        attention: The resolution at which self-attention follows a block, or None; for rectangles, that of the shorter side.
            Defaults to None.
        initializer: The name or the config of the Keras initializer of the kernels. None uses Glorot's, as in the paper.
            Defaults to None.
        wide: Whether a block from n to m channels has m channels between its convolutions, as in SAGAN, instead of n, as in
            SNGAN. Defaults to False.
        head_spectral_norm: As ``spectral_norm``, for the heads; None uses ``spectral_norm``. Defaults to None.
        activated_shortcut: Whether the shortcut of a block begins after its first ReLU. In mimicry it does, because its ReLU
            overwrites its input; in the paper it does not. Defaults to False.
    """

    WIDTHS, STAGES, NAME = DISCRIMINATOR_WIDTHS, STAGES, "resnet"
    earlier_defaults = types.MappingProxyType({"wide": True})

    def __init__(
        self,
        image_shape=(32, 32, 3),
        width=128,
        num_classes=None,
        spectral_norm=True,
        attention=None,
        initializer=None,
        wide=False,
        head_spectral_norm=None,
        activated_shortcut=False,
        **kwargs,
    ):
        super().__init__(image_shape, num_classes, spectral_norm, **kwargs)
        self.width, self.attention, self.initializer = width, attention, initializer
        self.wide, self.head_spectral_norm, self.activated_shortcut = wide, head_spectral_norm, activated_shortcut
        halving, plain = self.WIDTHS[shapes.size_of(self.image_shape, self.STAGES, self.NAME)]
        resolutions = shapes.resolutions(min(self.image_shape[:2]), len(halving))[-2::-1]
        after = attention_after(resolutions, attention, spectral_norm)
        body, before = [], None
        for index, multiple in enumerate((*halving, *plain)):
            halve, filters = index < len(halving), multiple * width
            hidden = filters if wide or index == 0 else before
            body.append(DiscriminatorBlock(filters, halve, index == 0, spectral_norm, initializer, hidden, activated_shortcut))
            body += [after[index]] if halve else []
            before = filters
        positions = math.prod(shapes.lowest(self.image_shape, len(halving)))
        pool = [keras.layers.GlobalAveragePooling2D(), keras.layers.Rescaling(positions)]
        self.body = keras.Sequential([*body, keras.layers.ReLU(), *pool], name="body")
        self.build()

    def make_head(self):
        return layers.dense(1, self._head_norm, name="head", kernel_initializer=initializers.get(self.initializer) or glorot())

    def make_label_head(self, num_features):
        initializer = self.initializer or "glorot_uniform"
        return conditioning.get(self.conditioning, self.num_classes, self._head_norm, initializer)

    @property
    def _head_norm(self):
        return self.spectral_norm if self.head_spectral_norm is None else self.head_spectral_norm

    def get_config(self):
        config = {
            "width": self.width,
            "attention": self.attention,
            "initializer": self.initializer,
            "wide": self.wide,
            "head_spectral_norm": self.head_spectral_norm,
            "activated_shortcut": self.activated_shortcut,
        }
        return {**super().get_config(), **config}
