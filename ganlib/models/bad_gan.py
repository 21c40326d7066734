"""`BadGAN`: a semi-supervised GAN whose generator makes images that the training images are not like.

Dai et al. 2017, "Good semi-supervised learning that requires a bad GAN" (arXiv:1705.09783).
"""

import keras
import numpy as np
import tensorflow as tf

from ganlib.errors import UserError, integer
from ganlib.losses import encoder_loss, low_density_loss
from ganlib.models.adversarial import add_terms
from ganlib.models.semi_supervised_gan import SemiSupervisedGAN
from ganlib.networks.base import rescale
from ganlib.training import strategy as strategies
from ganlib.training.latents import latents_for

INITIALIZATION_LATENTS = 500
NO_THRESHOLD = np.finfo(np.float32).max
"""A density that no image exceeds."""


@keras.saving.register_keras_serializable("ganlib")
class BadGAN(SemiSupervisedGAN):
    """A `SemiSupervisedGAN` whose generator also raises the entropy of its images, or lowers their density, or both.

    The authors' forms are:

    - on MNIST, a density model, and squared feature matching;
    - on CIFAR-10, an encoder, and L1 feature matching;
    - on SVHN, `SemiSupervisedGAN` with `ganlib.regularizers.ConditionalEntropy` of weight 0.1 and
      `ganlib.regularizers.PullAway` of weight 0.8, and L1 feature matching.

    Args:
        generator: A `ganlib.networks.Generator`, as for `SemiSupervisedGAN`.
        discriminator: A `ganlib.networks.Discriminator`, as for `SemiSupervisedGAN`.
        num_classes: The number of classes, at least 2.
        encoder: A network with the shapes of the generator, such as `ganlib.networks.improved_conv.Encoder`, that is trained
            together with it to predict the latents. None trains without this term. Defaults to None.
        density: A trained density model of the training images, such as a `ganlib.networks.pixel_cnn.PixelCNN` trained by
            `DensityModel`. It is not changed. Call `set_threshold` before the training. None trains without this term. Defaults
            to None.
        shifts_priors: As in `SemiSupervisedGAN`. Defaults to False.

    Raises:
        UserError: If there is neither an encoder nor a density model, one of them has other shapes than the generator, or the
            generator makes features.

    Attributes:
        threshold: A float32 variable, the log-density that generated images should not exceed.

    Examples:
        >>> from ganlib import BadGAN
        >>> from ganlib.networks import improved_mlp
        >>> shape = (8, 8, 1)
        >>> pair = improved_mlp.Generator(shape, 16, 32), improved_mlp.Discriminator(shape, 32)
        >>> model = BadGAN(*pair, num_classes=10, encoder=improved_mlp.Encoder(shape, 16, 32))
        >>> model.compile(encoder_weight=0.01)
        >>> [type(network).__name__ for network, _ in model.generator_updates]
        ['Generator', 'Encoder']
    """

    parts = ("generator", "discriminator", "num_classes", "encoder", "density")

    def __init__(self, generator, discriminator, num_classes, encoder=None, density=None, shifts_priors=False, **kwargs):
        super().__init__(generator, discriminator, num_classes, shifts_priors, **kwargs)
        self.encoder, self.density = encoder, density
        if encoder is None and density is None:
            raise UserError(
                "a BadGAN has an encoder or a density model: pass one of them, or create a ganlib.SemiSupervisedGAN instead"
            )
        if not self.generator.makes_images:
            raise UserError("the encoder and the density model of a BadGAN take images, but this generator makes features")
        self._check_shapes("encoder", ("image_shape", "latent_dim"))
        self._check_shapes("density", ("image_shape",))
        if density is not None:
            initial = keras.initializers.Constant(NO_THRESHOLD)
            self.threshold = self.add_weight(name="threshold", shape=(), initializer=initial, dtype="float32", trainable=False)

    def _check_shapes(self, part, names):
        network = getattr(self, part)
        if network is None:
            return
        strategies.check_created_in(self.distribute_strategy, network)
        for name in names:
            values = getattr(self.generator, name), getattr(network, name)
            if values[0] != values[1]:
                raise UserError(f"the generator's {name} is {values[0]}, but the {part}'s is {values[1]}: make them equal")

    @property
    def networks(self):
        return [*super().networks, *([self.encoder] if self.encoder is not None else [])]

    @property
    def generator_updates(self):
        """The generator and the encoder, if there is one, each with its optimizer, as a list of pairs."""
        encoder = [] if self.encoder is None else [(self.encoder, self.encoder_optimizer)]
        return [*super().generator_updates, *encoder]

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        encoder_optimizer=None,
        encoder_weight=1e-2,
        low_density_weight=1e-4,
        low_density_probability=0.1,
        low_density_share=0.3,
        low_density_from_step=9001,
        **arguments,
    ):
        """Configures the training. The defaults are those of the authors' code.

        Args:
            generator_optimizer: As in `SemiSupervisedGAN`.
            discriminator_optimizer: As in `SemiSupervisedGAN`.
            encoder_optimizer: A Keras optimizer, its name or its config, for the encoder, if there is one. Defaults to None, as
                for the generator.
            encoder_weight: The weight of `ganlib.losses.encoder_loss`. Defaults to 1e-2.
            low_density_weight: The weight of `ganlib.losses.low_density_loss`. Defaults to 1e-4.
            low_density_probability: The probability with which a step has this loss, in ``[0, 1]``. Defaults to 0.1.
            low_density_share: The share of the generated images that it is computed from, in ``(0, 1]``. Defaults to 0.3.
            low_density_from_step: The step from which on it counts. Defaults to 9001.
            **arguments: The other arguments of `SemiSupervisedGAN.compile`.

        Raises:
            UserError: If a probability or a share is out of range, or a step is negative, and as in `SemiSupervisedGAN`.
        """
        if not 0 <= low_density_probability <= 1:
            raise UserError(f"low_density_probability must be in [0, 1], got {low_density_probability}")
        if not 0 < low_density_share <= 1:
            raise UserError(f"low_density_share must be in (0, 1], got {low_density_share}")
        self.encoder_weight, self.low_density_weight = encoder_weight, low_density_weight
        self.low_density_probability, self.low_density_share = low_density_probability, low_density_share
        self.low_density_from_step = integer("low_density_from_step", low_density_from_step, 0)
        self._of_encoder = {} if self.encoder is None else {"encoder_optimizer": (encoder_optimizer, self.encoder)}
        super().compile(generator_optimizer, discriminator_optimizer, **arguments)

    def configure(self, optimizers, arguments, **shared):
        names = ("encoder_weight", *(f"low_density_{name}" for name in ("weight", "probability", "share", "from_step")))
        own = {name: getattr(self, name) for name in names}
        super().configure(optimizers | self._of_encoder, arguments | own, **shared)

    def set_threshold(self, images, quantile=0.1, batch_size=64):
        """Sets the threshold to a quantile of the log-densities of images.

        The authors take the lower tenth of the test images. Take training images instead, which need no labels.

        Args:
            images: ``(n, height, width, channels)`` uint8, or float in ``[-1, 1]``.
            quantile: The share of the images with a lower density, in ``[0, 1)``. Defaults to 0.1.
            batch_size: The number of images in a forward pass. Defaults to 64.

        Raises:
            UserError: If there is no density model, or the quantile is out of range.
        """
        if self.density is None:
            raise UserError("this BadGAN has no density model, and therefore no threshold: pass density to its constructor")
        if not 0 <= quantile < 1:
            raise UserError(f"the quantile must be in [0, 1), got {quantile}")
        compute = tf.function(lambda x: self.density.log_likelihood(rescale(x)), reduce_retracing=True)
        parts = [compute(images[start : start + batch_size]).numpy() for start in range(0, len(images), batch_size)]
        self.threshold.assign(np.sort(np.concatenate(parts))[int(quantile * len(images))])

    def make_train_function(self, force=False):
        """Creates the train function as in `ganlib.training.DistributedModel`.

        Raises:
            UserError: If there is a density model and its threshold is not set.
        """
        if self.density is not None and float(self.threshold.numpy()) == NO_THRESHOLD:
            raise UserError(
                "no image has a density above the threshold, since it is not set: call set_threshold with training images "
                "once the density model is trained"
            )
        super().make_train_function(force)

    def initialize_generator(self, count):
        """Initializes the generator and the encoder as in the authors' code, on at least 500 latents."""
        count = max(count, INITIALIZATION_LATENTS)
        super().initialize_generator(count)
        if self.encoder is not None:
            latents = latents_for(count, self.generator.latent_dim, self.seed)
            self.encoder.initialize(self.generator(latents, training=True))

    def _generator_terms(self, real_features, fake_features, fake, latents, rng):
        loss, logs = super()._generator_terms(real_features, fake_features, fake, latents, rng)
        terms = {}
        if self.encoder is not None:
            means, log_stds = self.encoder(fake, training=True)
            terms["encoder_loss"] = self.encoder_weight * encoder_loss(means, log_stds, self.generator.prior(latents))
        if self.density is not None:
            terms["low_density_loss"] = self.low_density_weight * self._low_density_loss(fake, rng)
        return add_terms(loss, terms), logs | terms

    def _low_density_loss(self, fake, rng):
        """Returns the loss of the first generated images, or 0 if this step does not have it."""
        count = tf.cast(tf.math.ceil(self.low_density_share * tf.cast(tf.shape(fake)[0], tf.float32)), tf.int32)
        images, is_drawn = fake[:count], rng.shared_uniform() < self.low_density_probability
        log_densities = tf.cond(
            is_drawn & (self.step.value >= self.low_density_from_step),
            lambda: tf.cast(self.density.log_likelihood(images), tf.float32),
            lambda: tf.fill([count], -NO_THRESHOLD),
        )
        return low_density_loss(log_densities, self.threshold.value)
