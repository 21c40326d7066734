"""The base class of encoders, from images to the latents that they were generated from."""

from keras import ops

from ganlib.errors import integer
from ganlib.networks import base


class Encoder(base.Network):
    """A network from images to the parameters of a normal distribution of the latents.

    Bad GAN (Dai et al. 2017, arXiv:1705.09783) trains it together with a generator, whose images then remain different for
    different latents. A subclass sets ``self.body``, a layer from images to ``(n, 2 * latent_dim)``, in ``__init__`` and calls
    ``self.build()`` at the end.

    Args:
        image_shape: ``(height, width, channels)``.
        latent_dim: The dimension of the latents.
    """

    def __init__(self, image_shape, latent_dim, **kwargs):
        super().__init__(image_shape, None, **kwargs)
        self.latent_dim = integer("latent_dim", latent_dim, 1)
        self.body = None

    def call(self, images, training=False):
        """Computes means and logarithms of standard deviations: ``(n, *image_shape)`` float images in ``[-1, 1]`` -> two
        ``(n, latent_dim)`` float32 tensors.
        """
        return ops.split(ops.cast(self.body(images, training=training), "float32"), 2, axis=-1)

    def initialize(self, images):
        """Runs a data-dependent initialization, given ``(n, *image_shape)`` generated images."""

    def _example_shape(self):
        return self.image_shape

    def get_config(self):
        config = {**super().get_config(), "latent_dim": self.latent_dim}
        del config["num_classes"]
        return config
