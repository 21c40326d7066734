"""BigGAN: Brock et al. 2019, "Large scale GAN training for high fidelity natural image synthesis" (arXiv:1809.11096).

Residual networks with spectral normalization in both networks, orthogonal initialization, a label embedding shared by all
layers, and hierarchical latents, which are passed to every block: section 3 and appendix B. Width 96 at 128x128 is the paper's
network; width 64 at 32x32, with ``latent_dim`` 128 and no attention, is the author's for CIFAR-10. For truncation, see
`ganlib.GAN.generate` and `ganlib.penalties.OrthogonalWeights`; for standing statistics, `ganlib.sampling.standing_statistics`.
"""

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.layers.attention import attention_after
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.networks import base, resnet

register = keras.saving.register_keras_serializable("ganlib.biggan")

GENERATOR_WIDTHS = {
    8: (4, 4), 16: (4, 4, 4), 28: (4, 4, 4), 32: (4, 4, 4, 4), 64: (16, 16, 8, 4, 2), 128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
}  # fmt: skip
"""Image size -> the channels of each stage as multiples of the width, from the lowest resolution to that of the image."""

DISCRIMINATOR_WIDTHS = {
    8: ((4,), (4, 4)), 16: ((4, 4), (4, 4)), 28: ((4, 4), (4, 4)), 32: ((4, 4), (4, 4)), 64: ((1, 2, 4, 8), (16,)),
    128: ((1, 2, 4, 8, 16), (16,)), 256: ((1, 2, 4, 8, 8, 16), (16,)),
}  # fmt: skip
"""Image size -> the channels of the downsampling blocks and of the blocks after them, as multiples of the width."""


def _orthogonal():
    return keras.initializers.Orthogonal()


@register
class ConditionalBatchNorm(SublayerPolicy, keras.layers.Layer):
    """Batch normalization whose gain and bias are linear functions of a conditioning vector.

    It is called with ``(inputs, conditions)``: ``(n, h, w, c)`` and ``(n, d)``.

    Args:
        synchronized: Whether to compute the batch statistics over all replicas. Defaults to False.
    """

    def __init__(self, synchronized=False, **kwargs):
        super().__init__(**kwargs)
        self.synchronized = synchronized

    def build(self, inputs_shape, conditions_shape=None):
        self.normalization = layers.batch_norm(synchronized=self.synchronized, center=False, scale=False)
        self.normalization.build(inputs_shape)
        arguments = {"spectral_norm": True, "use_bias": False, "kernel_initializer": _orthogonal()}
        self.gain, self.bias = (layers.dense(inputs_shape[-1], name=name, **arguments) for name in ("gain", "bias"))
        self.gain.build(conditions_shape)
        self.bias.build(conditions_shape)

    def call(self, inputs, conditions, training=False):
        gain = 1.0 + self.gain(conditions, training=training)[:, None, None, :]
        bias = self.bias(conditions, training=training)[:, None, None, :]
        return self.normalization(inputs, training=training) * gain + bias

    def get_config(self):
        return {**super().get_config(), "synchronized": self.synchronized}


@register
class GeneratorBlock(resnet.GeneratorBlock):
    """The block of `ganlib.networks.resnet` with spectral normalization, orthogonal initialization, and conditioning vectors
    instead of labels.
    """

    def _conv(self, kernel_size, gain=1.0):
        return layers.conv(self.width, kernel_size, spectral_norm=True, kernel_initializer=_orthogonal())

    def _norm(self):
        return ConditionalBatchNorm(self.normalization == "sync_batch")

    def _normalize(self, norm, inputs, conditions, training):
        return norm(inputs, conditions, training=training)


@register
class Generator(base.Generator):
    """Latents, split into equal chunks: the first -> a dense layer -> residual blocks that double the resolution, each
    conditioned on another chunk and the label embedding -> images.

    Args:
        image_shape: ``(size, size, channels)`` with a size in `GENERATOR_WIDTHS`. Defaults to ``(128, 128, 3)``.
        latent_dim: The dimension of the latents, a multiple of the number of blocks plus one; the paper uses 120 at 128x128.
            Defaults to 120.
        width: The number of channels at the image's resolution (a quarter of them up to 32x32); the paper uses 96. Defaults to
            96.
        num_classes: The number of classes, or None. Defaults to None.
        embedding_dim: The dimension of the label embedding; the paper uses 128. Defaults to 128.
        attention: The resolution at which self-attention follows a block, or None; the paper uses 64. Defaults to None.
        normalization: ``"batch"`` or ``"sync_batch"``. Defaults to ``"batch"``.

    Raises:
        UserError: If the image size is not supported, the latents cannot be split evenly, or no block has the resolution
            ``attention``.
    """

    def __init__(
        self,
        image_shape=(128, 128, 3),
        latent_dim=120,
        width=96,
        num_classes=None,
        embedding_dim=128,
        attention=None,
        normalization="batch",
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        base.check_image_shape(self.image_shape, GENERATOR_WIDTHS, "biggan")
        self.width, self.embedding_dim, self.attention, self.normalization = width, embedding_dim, attention, normalization
        size, _, channels = self.image_shape
        first, *widths = (multiple * width for multiple in GENERATOR_WIDTHS[size])
        if latent_dim % (len(widths) + 1):
            raise base.UserError(
                f"biggan splits latents into {len(widths) + 1} equal chunks: set latent_dim to a multiple, got {latent_dim}"
            )
        if normalization not in ("batch", "sync_batch"):
            raise base.UserError(f"biggan requires normalization='batch' or 'sync_batch', got {normalization!r}")
        start = size >> len(widths)
        if num_classes:
            self.embedding = keras.layers.Embedding(num_classes, embedding_dim, embeddings_initializer=_orthogonal())
        self.dense = layers.dense(start * start * first, spectral_norm=True, kernel_initializer=_orthogonal())
        self.reshape = keras.layers.Reshape((start, start, first))
        self.blocks = [GeneratorBlock(filters, normalization=normalization) for filters in widths]
        self.after = attention_after(base.resolutions(size, len(widths))[1:], attention)
        self.norm = layers.normalization(normalization)
        self.conv = layers.conv(channels, 3, spectral_norm=True, kernel_initializer=_orthogonal())
        self.build()

    def call(self, latents, labels=None, training=False):
        first, *conditions = ops.split(latents, len(self.blocks) + 1, axis=-1)
        if self.num_classes:
            embedded = ops.cast(self.embedding(labels), latents.dtype)
            conditions = [ops.concatenate([embedded, chunk], axis=-1) for chunk in conditions]
        x = self.reshape(self.dense(first, training=training))
        for block, after, condition in zip(self.blocks, self.after, conditions, strict=True):
            x = after(block(x, condition, training=training), training=training)
        x = ops.relu(self.norm(x, training=training))
        return ops.tanh(ops.cast(self.conv(x, training=training), "float32"))

    def latent_maps(self):
        """Returns the kernels of the dense layer and of every block's gains and biases, each applied to its chunk of the
        latents.
        """
        size = self.latent_dim // (len(self.blocks) + 1)
        norms = [[norm.gain, norm.bias] for block in self.blocks for norm in (block.first_norm, block.second_norm)]
        linear_maps = [(0, self.dense)] + [(index // 2 + 1, layer) for index, pair in enumerate(norms) for layer in pair]
        maps = []
        for chunk, layer in linear_maps:
            kernel = ops.convert_to_numpy(layer.layer.kernel)[-size:]  # skip the rows of the label embedding
            maps.append(np.zeros((self.latent_dim, kernel.shape[1]), np.float32))
            maps[-1][chunk * size : (chunk + 1) * size] = kernel
        return maps

    def get_config(self):
        config = {
            "width": self.width,
            "embedding_dim": self.embedding_dim,
            "attention": self.attention,
            "normalization": self.normalization,
        }
        return {**super().get_config(), **config}


@register
class Discriminator(resnet.Discriminator):
    """The discriminator of `ganlib.networks.resnet` with other widths and orthogonal initialization.

    Args:
        image_shape: ``(size, size, channels)`` with a size in `DISCRIMINATOR_WIDTHS`. Defaults to ``(128, 128, 3)``.
        width: The number of channels of the first block (a quarter of them up to 32x32); the paper uses 96. Defaults to 96.
        num_classes: The number of classes, or None. Defaults to None.
        spectral_norm: Whether to normalize every weight by its spectral norm. Defaults to True.
        attention: The resolution at which self-attention follows a block, or None; the paper uses 64. Defaults to None.
        initializer: The name of the Keras initializer of the kernels. Defaults to ``"orthogonal"``.
    """

    WIDTHS, NAME = DISCRIMINATOR_WIDTHS, "biggan"

    def __init__(
        self,
        image_shape=(128, 128, 3),
        width=96,
        num_classes=None,
        spectral_norm=True,
        attention=None,
        initializer="orthogonal",
        **kwargs,
    ):
        super().__init__(image_shape, width, num_classes, spectral_norm, attention, initializer, **kwargs)
