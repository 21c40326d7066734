"""What all models with a generator share: making images, averaged weights, and augmentation before the discriminator."""

import numbers

import numpy as np
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib.errors import UserError, integer
from ganlib.models.critic import Critic
from ganlib.networks.base import Discriminator, Generator
from ganlib.seeds import check_seed
from ganlib.training import averaging
from ganlib.training.distributed import DistributedModel
from ganlib.training.random_stream import RandomStream
from ganlib.training.replicas import batch_mean, on_replicas


class AdversarialModel(DistributedModel):
    """A generator trained against a discriminator: the parent of `GAN`, `SemiSupervisedGAN` and `TripleGAN`.

    Args:
        generator: a `ganlib.networks.Generator`.
        discriminator: a `ganlib.networks.Discriminator` for images of the same shape and the same classes.

    Attributes:
        ema_generator: the moving average of the generator, from which `generate` makes images.
    """

    parts = ("generator", "discriminator")

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(**kwargs)
        _check_networks(generator, discriminator)
        self.generator = generator
        self.discriminator = discriminator
        with self.distribute_strategy.scope():
            self.ema_generator = averaging.clone_network(generator)
        self._generate_batch = self._traced_once()

    @property
    def averages(self):
        return [(self.ema_generator, self.generator)]

    def call(self, latents, labels=None, training=False, **truncation):
        """``(n, latent_dim)`` latents, and ``(n,)`` labels if conditional -> images from the averaged generator."""
        return self.ema_generator(*with_labels(latents, labels), training=training, **truncation)

    def generate(self, count, labels=None, seed=0, truncation=None, batch_size=64):
        """Makes images with the averaged generator.

        Args:
            count: how many.
            labels: for a conditional GAN ``(count,)`` integers, or one for all; None takes each class in turn.
            seed: an integer; image k is a function of (seed, k), whatever ``count`` and ``batch_size`` are.
            truncation: draw latents anew where their absolute value is above this (Brock et al. 2019,
                arXiv:1809.11096); for a generator with styles, bring styles nearer to their average by this factor (Karras et
                al. 2019, arXiv:1812.04948). Smaller gives better but less varied images. None does not truncate.
            batch_size: images that a replica makes at a time.

        Returns:
            ``(count, height, width, channels)`` float32 numpy array in ``[-1, 1]``.

        Raises:
            UserError: for labels that do not fit, or a truncation that is not positive.
        """
        of_latents = None if self.generator.truncates_styles else truncation
        latents = latents_for(count, self.generator.latent_dim, seed, of_latents)
        return self.generate_from(latents, self.labels_for(count, labels), batch_size, truncation)

    def generate_from(self, latents, labels=None, batch_size=64, truncation=None):
        """Makes the images of given latents with the averaged generator.

        Args:
            latents: ``(n, latent_dim)`` float32.
            labels: as in `generate`; of a GAN conditioned on features, ``(n, F)`` of them.
            batch_size: images that a replica makes at a time.
            truncation: of the styles, for a generator that has them, as in `generate`.

        Returns:
            ``(n, height, width, channels)`` float32 numpy array in ``[-1, 1]``.

        Raises:
            UserError: for latents of another shape, and labels that do not fit.
        """
        latents, batch_size = np.asarray(latents, np.float32), integer("batch_size", batch_size, 1)
        if latents.ndim != 2 or latents.shape[1] != self.generator.latent_dim:
            raise UserError(f"latents must have the shape (n, {self.generator.latent_dim}), got {latents.shape}")
        if self.generator.num_classes or not self.generator.condition_spec:
            labels = self.labels_for(len(latents), labels)
        images = [np.zeros((0, *self.generator.image_shape), np.float32)]
        if labels is not None:
            labels = np.asarray(labels, self.generator.condition_spec[1])
        inputs = with_labels(latents, labels)
        if self.generator.truncates_styles:
            inputs += (np.full(len(latents), 1.0 if truncation is None else truncation, np.float32),)
        batch_size *= self.distribute_strategy.num_replicas_in_sync
        for start in range(0, len(latents), batch_size):
            images.append(self._generate_batch(*(x[start : start + batch_size] for x in inputs)))
        return np.concatenate(images)

    def labels_for(self, count, labels=None):
        """What the generator takes as the ``labels`` of ``count`` images: see `ganlib.networks.Generator.labels_for`."""
        return self.generator.labels_for(count, labels)

    def _traced_once(self):
        """`call` as one graph for any number of images, which all replicas make together."""
        signature = {"latents": tf.TensorSpec((None, self.generator.latent_dim), tf.float32)}
        if self.generator.condition_spec:
            shape, dtype = self.generator.condition_spec
            signature["labels"] = tf.TensorSpec((None, *shape), dtype)
        if self.generator.truncates_styles:
            signature["truncation"] = tf.TensorSpec((None,), tf.float32)

        def images_from(*inputs):
            return self.call(**dict(zip(signature, inputs, strict=True)))

        return on_replicas(self.distribute_strategy, images_from, list(signature.values()))

    def sample_latents(self, images, rng):
        """``(n, latent_dim)`` standard normal latents, one row for each of ``images``."""
        return rng.normal((tf.shape(images)[0], self.generator.latent_dim))

    def generate_for_training(self, latents, labels, rng):
        """Images of the generator in training mode, from latents and, if it is conditional, labels."""
        noise = self.generator.sample_noise(tf.shape(latents)[0], rng)
        return self.generator(*with_labels(latents, labels), training=True, **noise)

    def critic(self, labels, rng):
        """The `Critic` of this step: the discriminator behind the augmentation, given the labels of a batch."""
        return Critic(self.discriminator, self.augment, labels, rng)

    def _set_augment(self, augment):
        self.augment = augmentations.get(augment)
        if self.generator.num_scales > 1 and getattr(self.augment, "mixes_channels", False):
            raise UserError("augmentation 'color' mixes the channels of an image, which of a network of several scales are its "
                            "resolutions: leave it out, or take scales=1")  # fmt: skip
        self.augment_state = None
        if hasattr(self.augment, "adapt"):
            with self.distribute_strategy.scope():
                self.augment.build()
            self.augment_state = self.augment.state

    def update_augmentation(self, real_signs, real):
        """Moves the probability of an adaptive augmentation (ADA); does nothing for others.

        Args:
            real_signs: a scalar, the mean sign of the discriminator's logits of real images in this step.
            real: ``(n, height, width, channels)``, the real images of this step.

        Returns:
            A dict of scalars for the logs; empty for an augmentation that does not adapt.
        """
        if self.augment_state is None:
            return {}
        real_signs = batch_mean(real_signs[None])
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        self.augment.adapt(real_signs, tf.shape(real)[0] * replicas, self.step.value)
        return {"real_signs": real_signs, "augment_probability": self.augment_state.probability.value}


def discriminator_logs(loss, real_logits, fake_logits):
    """What every discriminator logs: its loss, its mean logits, and the mean sign of those of real images."""
    real, fake = tf.reduce_mean(real_logits), tf.reduce_mean(fake_logits)
    signs = tf.reduce_mean(tf.sign(real_logits))
    return {"discriminator_loss": loss, "real_logits": real, "fake_logits": fake, "real_signs": signs}


def latents_for(count, latent_dim, seed, truncation=None):
    """``(count, latent_dim)`` float32 latents; the same seed gives the same first rows for any count.

    Raises:
        UserError: if ``truncation`` is not positive, or ``count`` or ``seed`` is out of range.
    """
    count, seed = integer("count", count, 0), check_seed(seed)
    if truncation is None:
        draw = RandomStream(seed).normal
    elif isinstance(truncation, numbers.Real) and truncation > 0:
        draw = lambda shape: RandomStream(seed).truncated_normal(shape, truncation)  # noqa: E731
    else:
        raise UserError(f"truncation must be positive, got {truncation}")
    return draw((count, latent_dim)).numpy()


def with_labels(first, labels):
    """The arguments of a network: ``(first, labels)``, or ``(first,)`` without labels; ``first`` are latents or images."""
    return (first,) if labels is None else (first, labels)


def _check_networks(generator, discriminator):
    for kind, network in ((Generator, generator), (Discriminator, discriminator)):
        if not isinstance(network, kind):
            what = f"a {network.__name__}, not called" if isinstance(network, type) else f"a {type(network).__name__}"
            raise UserError(
                f"the {kind.__name__.lower()} must be a ganlib.networks.{kind.__name__}, such as one of "
                f"ganlib.networks.dcgan, got {what}"
            )
    for name in ("image_shape", "num_classes", "condition_spec"):
        mine, other = getattr(generator, name), getattr(discriminator, name)
        if mine != other:
            raise UserError(f"the generator's {name} is {mine}, but the discriminator's is {other}: make them equal")
    if generator.num_scales != discriminator.num_scales:
        raise UserError(
            f"the generator has {generator.num_scales} scales, but the discriminator looks at {discriminator.num_scales}: "
            "give both the same"
        )
