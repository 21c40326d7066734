"""BigGAN: Brock et al. 2019, "Large scale GAN training for high fidelity natural image synthesis" (arXiv:1809.11096).

Residual networks with spectral normalization in both networks, orthogonal initialization, a label embedding shared by all
layers, and hierarchical latents, which are passed to every block: section 3 and appendix B. Width 96 at 128x128 is the paper's
network; width 64 at 32x32, without hierarchical latents and shared embedding, is the author's for CIFAR-10. For truncation, see
`ganlib.GAN.generate` and `ganlib.penalties.OrthogonalWeights`; for standing statistics, `ganlib.sampling.standing_statistics`.
"""

import math

import keras
import numpy as np
from keras import ops

from ganlib import layers
from ganlib.layers import initializers
from ganlib.layers.attention import attention_after
from ganlib.layers.dtype_policy import SublayerPolicy
from ganlib.networks import base, resnet, shapes

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

STAGES = shapes.shared_doublings(GENERATOR_WIDTHS, DISCRIMINATOR_WIDTHS)
"""As in `ganlib.networks.resnet`."""


@register
class ConditionalBatchNorm(SublayerPolicy, keras.layers.Layer):
    """Batch normalization whose gain and bias are linear functions of a conditioning vector, or have a value for each class.

    It is called with ``(inputs, conditions)``: ``(n, h, w, c)``, and ``(n, d)`` or ``(n,)`` integers.

    Args:
        synchronized: Whether to compute the batch statistics over all replicas. Defaults to False.
        num_classes: The number of classes of the conditions; None for vectors. Defaults to None.
        initializer: The Keras initializer of the maps. Defaults to ``"orthogonal"``.
    """

    def __init__(self, synchronized=False, num_classes=None, initializer="orthogonal", **kwargs):
        super().__init__(**kwargs)
        self.synchronized, self.num_classes, self.initializer = synchronized, num_classes, initializer

    def build(self, inputs_shape, conditions_shape=None):
        self.normalization = layers.batch_norm(synchronized=self.synchronized, center=False, scale=False)
        self.normalization.build(inputs_shape)
        self.gain, self.bias = self._map(inputs_shape[-1], "gain"), self._map(inputs_shape[-1], "bias")
        self.gain.build(conditions_shape)
        self.bias.build(conditions_shape)

    def _map(self, channels, name):
        initializer = initializers.get(self.initializer)
        if self.num_classes:
            return layers.embedding(self.num_classes, channels, embeddings_initializer=initializer, name=name)
        return layers.dense(channels, spectral_norm=True, use_bias=False, kernel_initializer=initializer, name=name)

    def call(self, inputs, conditions, training=False):
        arguments = {} if self.num_classes else {"training": training}
        gain = 1.0 + self.gain(conditions, **arguments)[:, None, None, :]
        bias = self.bias(conditions, **arguments)[:, None, None, :]
        return self.normalization(inputs, training=training) * gain + bias

    def get_config(self):
        config = {"synchronized": self.synchronized, "num_classes": self.num_classes, "initializer": self.initializer}
        return {**super().get_config(), **config}


@register
class GeneratorBlock(resnet.GeneratorBlock):
    """The block of `ganlib.networks.resnet` with spectral normalization and, instead of labels, conditioning vectors, or labels
    if ``num_classes`` is set.
    """

    def __init__(self, width, num_classes=None, normalization="batch", initializer="orthogonal", **kwargs):
        self.initializer = initializer
        super().__init__(width, num_classes, normalization, **kwargs)

    def _conv(self, kernel_size, gain=1.0):
        initializer = initializers.get(self.initializer)
        return layers.conv(self.width, kernel_size, spectral_norm=True, kernel_initializer=initializer)

    def _norm(self):
        return ConditionalBatchNorm(self.normalization == "sync_batch", self.num_classes, self.initializer)

    def _normalize(self, norm, inputs, conditions, training):
        return norm(inputs, conditions, training=training)

    def get_config(self):
        return {**super().get_config(), "initializer": self.initializer}


@register
class Generator(base.Generator):
    """Latents, split into equal chunks: the first -> a dense layer -> residual blocks that double the resolution, each
    conditioned on another chunk and the label embedding -> images.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(128, 128, 3)``.
        latent_dim: The dimension of the latents, a multiple of the number of blocks plus one if they are hierarchical; the
            paper uses 120 at 128x128. Defaults to 120.
        width: The number of channels at the image's resolution (a quarter of them up to 32x32); the paper uses 96. Defaults to
            96.
        num_classes: The number of classes, or None. Defaults to None.
        embedding_dim: The dimension of the label embedding; the paper uses 128. Defaults to 128.
        attention: The resolution at which self-attention follows a block, or None; the paper uses 64. Defaults to None.
        normalization: ``"batch"`` or ``"sync_batch"``. Defaults to ``"batch"``.
        hierarchical: Whether every block gets a chunk of the latents. Otherwise the dense layer gets all latents, as in the
            author's network for CIFAR-10. Defaults to True.
        shared_embedding: Whether all blocks share one label embedding. Otherwise each batch normalization has a gain and a
            bias for each class, as in the author's network for CIFAR-10; then ``hierarchical`` must be False. Defaults to True.
        initializer: The Keras initializer of all kernels and embeddings, a name or a config. The author's for CIFAR-10 is
            ``{"class_name": "RandomNormal", "config": {"stddev": 0.02}}``. Defaults to ``"orthogonal"``, as in the paper.
        condition_dim: The dimension of vectors that replace the label embedding, for `ganlib.networks.instance`; None for
            labels. Defaults to None.

    Raises:
        UserError: If the image size is not supported, the latents cannot be split evenly, no block has the resolution
            ``attention``, or the kinds of conditioning do not fit each other.
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
        hierarchical=True,
        shared_embedding=True,
        initializer="orthogonal",
        condition_dim=None,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        size = shapes.size_of(self.image_shape, STAGES, "biggan")
        self.width, self.embedding_dim, self.attention, self.normalization = width, embedding_dim, attention, normalization
        self.hierarchical, self.shared_embedding = hierarchical, shared_embedding
        self.initializer, self.condition_dim = initializer, condition_dim
        first, *widths = (multiple * width for multiple in GENERATOR_WIDTHS[size])
        self._check_arguments(len(widths))
        start = (*shapes.lowest(self.image_shape, len(widths)), first)
        if num_classes and shared_embedding:
            self.embedding = layers.embedding(num_classes, embedding_dim, embeddings_initializer=self._initializer())
        self.dense = layers.dense(math.prod(start), spectral_norm=True, kernel_initializer=self._initializer())
        self.reshape = keras.layers.Reshape(start)
        block_classes = None if shared_embedding else num_classes
        self.blocks = [GeneratorBlock(filters, block_classes, normalization, initializer) for filters in widths]
        self.after = attention_after(shapes.resolutions(min(self.image_shape[:2]), len(widths))[1:], attention)
        self.norm = layers.normalization(normalization)
        self.conv = layers.conv(self.image_shape[2], 3, spectral_norm=True, kernel_initializer=self._initializer())
        self.build()

    def _initializer(self):
        return initializers.get(self.initializer)

    def _check_arguments(self, num_blocks):
        if self.hierarchical and self.latent_dim % (num_blocks + 1):
            raise base.UserError(
                f"biggan splits latents into {num_blocks + 1} equal chunks: set latent_dim to a multiple, got {self.latent_dim}"
            )
        if self.normalization not in ("batch", "sync_batch"):
            raise base.UserError(f"biggan requires normalization='batch' or 'sync_batch', got {self.normalization!r}")
        if self.condition_dim and self.num_classes:
            raise base.UserError("biggan is conditioned on labels or on vectors: omit num_classes or condition_dim")
        if self.hierarchical and not self.shared_embedding:
            raise base.UserError(
                "hierarchical latents need a shared embedding: set hierarchical=False or shared_embedding=True"
            )
        if not self.hierarchical and not (self.num_classes or self.condition_dim):
            raise base.UserError("biggan without labels is conditioned on its latents: set hierarchical=True")

    @property
    def condition_spec(self):
        return ((self.condition_dim,), "float32") if self.condition_dim else super().condition_spec

    def call(self, latents, labels=None, training=False):
        """Generates images like `base.Generator`; with ``condition_dim``, ``labels`` are ``(n, condition_dim)`` vectors."""
        conditions = self._conditions(latents, labels)
        first = ops.split(latents, len(self.blocks) + 1, axis=-1)[0] if self.hierarchical else latents
        x = self.reshape(self.dense(first, training=training))
        for block, after, condition in zip(self.blocks, self.after, conditions, strict=True):
            x = after(block(x, condition, training=training), training=training)
        x = ops.relu(self.norm(x, training=training))
        return ops.tanh(ops.cast(self.conv(x, training=training), "float32"))

    def _conditions(self, latents, labels):
        """Returns what each block is conditioned on: vectors, or labels without a shared embedding."""
        shared = labels
        if self.num_classes and self.shared_embedding:
            shared = ops.cast(self.embedding(labels), latents.dtype)
        if not self.hierarchical:
            return [shared] * len(self.blocks)
        chunks = ops.split(latents, len(self.blocks) + 1, axis=-1)[1:]
        if shared is None:
            return chunks
        return [ops.concatenate([ops.cast(shared, latents.dtype), chunk], axis=-1) for chunk in chunks]

    def latent_maps(self):
        """Returns the kernels of the dense layer and of every block's gains and biases, each applied to its chunk of the
        latents.
        """
        if not self.hierarchical:
            return [ops.convert_to_numpy(self.dense.layer.kernel)]
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
            "hierarchical": self.hierarchical,
            "shared_embedding": self.shared_embedding,
            "initializer": self.initializer,
            "condition_dim": self.condition_dim,
        }
        return {**super().get_config(), **config}


@register
class Discriminator(resnet.Discriminator):
    """The discriminator of `ganlib.networks.resnet` with other widths and orthogonal initialization.

    Args:
        image_shape: ``(height, width, channels)``, as in `Generator`. Defaults to ``(128, 128, 3)``.
        width: The number of channels of the first block (a quarter of them up to 32x32); the paper uses 96. Defaults to 96.
        num_classes: The number of classes, or None. Defaults to None.
        spectral_norm: Whether to normalize every weight by its spectral norm. Defaults to True.
        attention: The resolution at which self-attention follows a block, or None; the paper uses 64. Defaults to None.
        initializer: The Keras initializer of the kernels and the label embedding, a name or a config. Defaults to
            ``"orthogonal"``.
        wide: As in `ganlib.networks.resnet`. Defaults to True, as in the paper.
    """

    WIDTHS, STAGES, NAME = DISCRIMINATOR_WIDTHS, STAGES, "biggan"

    def __init__(
        self,
        image_shape=(128, 128, 3),
        width=96,
        num_classes=None,
        spectral_norm=True,
        attention=None,
        initializer="orthogonal",
        wide=True,
        **kwargs,
    ):
        super().__init__(image_shape, width, num_classes, spectral_norm, attention, initializer, wide, **kwargs)
