"""FastGAN's generator: Liu et al. 2021, "Towards faster and stabilized GAN training for high-fidelity few-shot image synthesis"
(arXiv:2101.04775), as used in Projected GAN (Sauer et al. 2021, arXiv:2111.01007).

Gated convolutions, and skip-layer excitation, in which coarse feature maps scale the channels of fine ones. It is conditioned
on labels by conditional batch normalization. The defaults are those of Projected GAN's code
(github.com/autonomousvision/projected-gan).
"""

import types

import keras
from keras import ops

from ganlib import layers
from ganlib.errors import UserError
from ganlib.layers.equalized import normal, pixel_norm
from ganlib.layers.gated import Block, Excitation, GatedNorm, Start, spectral_form
from ganlib.layers.spectral_norm import STORED
from ganlib.networks import base, shapes

register = keras.saving.register_keras_serializable("ganlib.fastgan")

STAGES = {8: 1, 16: 2, 28: 2, 32: 3, 64: 4, 128: 5, 256: 6, 512: 7, 1024: 8}
"""Image size -> the number of times the generator doubles the resolution, starting from 4x4 or (for 28) 7x7. Other shapes have
the layers of one of these sizes: see `ganlib.networks.shapes`."""
WIDTHS = (16, 8, 4, 2, 2, 1, 0.5, 0.25, 0.125)
"""The channels of each stage, from the coarsest, as multiples of the width."""
EXCITED = {4: 0, 5: 1, 6: 2, 7: 3}
"""Stage -> the stage whose feature maps scale its channels."""


@register
class Generator(base.Generator):
    """Latents, normalized to a sphere -> 4x4 feature maps -> blocks that double the resolution -> images.

    Projected GAN's code starts at 128x128; the smaller sizes follow the same rules.

    Args:
        image_shape: ``(height, width, channels)``, of which both sides are multiples of ``2**doublings``, as in 64x96: see
            `STAGES`. Defaults to ``(256, 256, 3)``.
        latent_dim: The dimension of the latents; Projected GAN uses 256. Defaults to 256.
        width: The number of channels at 128x128; the other stages follow `WIDTHS`. Projected GAN uses 128. Defaults to 128.
        num_classes: The number of classes, or None. Defaults to None.
        light: Whether to use one convolution per block instead of two, and no noise. Defaults to False.
        normalization: ``"batch"`` or ``"sync_batch"``. Defaults to ``"batch"``.
        tanh: Whether to apply a tanh to the images. Without it, images are clipped to ``[-1, 1]`` except during training, as in
            Projected GAN's code. Defaults to False.
        shared_embedding: Whether the conditional batch normalizations compute their gains and biases from one embedding of the
            labels, with ``latent_dim`` entries, by linear maps, as in Projected GAN's code. Otherwise each has a table of gains
            and biases. Defaults to True.
        pytorch: Whether weights are initialized as PyTorch does, spectral normalization has the form ``"stored"`` (see
            `ganlib.layers.SpectralNorm`), and the EMA network copies batch statistics and singular vectors, as in Projected
            GAN's code. Otherwise weights are initialized as Keras does, the form is ``"fresh"``, and the first layer is
            normalized as a dense layer. Defaults to True.

    Raises:
        UserError: If the image size or the normalization is not supported.
    """

    earlier_defaults = types.MappingProxyType({"tanh": True, "shared_embedding": False, "pytorch": False})

    def __init__(
        self,
        image_shape=(256, 256, 3),
        latent_dim=256,
        width=128,
        num_classes=None,
        light=False,
        normalization="batch",
        tanh=False,
        shared_embedding=True,
        pytorch=True,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, num_classes, **kwargs)
        doublings = STAGES[shapes.size_of(self.image_shape, STAGES, "fastgan")]
        if normalization not in ("batch", "sync_batch"):
            raise UserError(f"fastgan requires normalization='batch' or 'sync_batch', got {normalization!r}")
        self.width, self.light, self.normalization = width, light, normalization
        self.tanh, self.shared_embedding, self.pytorch = tanh, shared_embedding, pytorch
        first, *widths = (max(int(multiple * width), 1) for multiple in WIDTHS[: doublings + 1])
        if num_classes and shared_embedding:
            self.embedding = keras.layers.Embedding(num_classes, latent_dim, embeddings_initializer=normal())
        self._create_start(2 * first, *shapes.lowest(self.image_shape, doublings))
        self.gate = GatedNorm(None, normalization)
        arguments = (num_classes, normalization, light, shared_embedding, pytorch)
        self.blocks = [Block(filters, *arguments) for filters in widths]
        self.excitations = [Excitation(pytorch) if stage in EXCITED else None for stage in range(1, len(widths) + 1)]
        form, initial = spectral_form(9 * widths[-1] if pytorch else None, use_bias=True)
        self.conv = layers.conv(self.image_shape[2], 3, spectral_norm=form, **initial)
        self.build()

    def _create_start(self, filters, height, width):
        if self.pytorch:
            side = height if height == width else (height, width)
            self.start = layers.SpectralNorm(Start(filters, side), name="start", **STORED)
            return
        self.dense = layers.dense(height * width * filters, spectral_norm=True, use_bias=False)
        self.reshape = keras.layers.Reshape((height, width, filters))

    @property
    def weights_without_average(self):
        return self.non_trainable_weights if self.pytorch else []

    def sample_noise(self, count, rng):
        """Draws noise for both convolutions of each block."""
        if self.light:
            return {}
        return {"noise": [rng.normal((count, *block.noise.shape)) for block in self.blocks]}

    def call(self, latents, labels=None, training=False, noise=None):
        images = self.synthesize(latents, labels, training, noise)[-1]
        return images if training else ops.clip(images, -1.0, 1.0)

    def synthesize(self, latents, labels=None, training=False, noise=None):
        """Computes feature maps and images.

        Args:
            latents: ``(n, latent_dim)``.
            labels: ``(n,)`` integers, or None. Defaults to None.
            training: Whether to use the statistics of the batch. Defaults to False.
            noise: The noise drawn by `sample_noise`, or None for the blocks' fixed noise. Defaults to None.

        Returns:
            A list of the maps of each stage, from the coarsest, and at last the float32 images, not clipped.
        """
        if self.num_classes and self.shared_embedding:
            labels = self.embedding(labels)
        maps = [self.gate(self._first_maps(pixel_norm(latents), training), training=training)]
        noise = noise or [None] * len(self.blocks)
        for stage, (block, excitation, block_noise) in enumerate(
            zip(self.blocks, self.excitations, noise, strict=True), start=1
        ):
            x = block(maps[-1], labels, block_noise, training=training)
            maps.append(excitation(x, maps[EXCITED[stage]], training=training) if excitation else x)
        images = ops.cast(self.conv(maps[-1], training=training), "float32")
        return [*maps, ops.tanh(images) if self.tanh else images]

    def _first_maps(self, latents, training):
        if self.pytorch:
            return self.start(latents, training=training)
        return self.reshape(self.dense(latents, training=training))

    def get_config(self):
        config = {
            "width": self.width,
            "light": self.light,
            "normalization": self.normalization,
            "tanh": self.tanh,
            "shared_embedding": self.shared_embedding,
            "pytorch": self.pytorch,
        }
        return {**super().get_config(), **config}
