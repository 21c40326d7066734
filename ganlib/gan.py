"""`GAN`: a generator and a discriminator, trained by one train step under any `tf.distribute` strategy."""

import keras
import numpy as np
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib import losses
from ganlib.errors import UserError, choose
from ganlib.networks.base import rescale
from ganlib.training import averaging
from ganlib.training.distributed import DistributedModel
from ganlib.training.random_stream import RandomStream
from ganlib.training.sharing import on_replicas


@keras.saving.register_keras_serializable("ganlib")
class GAN(DistributedModel):
    """A generative adversarial network (Goodfellow et al. 2014, arXiv:1406.2661).

    Args:
        generator: a `ganlib.networks.Generator`.
        discriminator: a `ganlib.networks.Discriminator` for images of the same shape and the same classes.

    Attributes:
        ema_generator: the moving average of the generator, from which `generate` makes images.

    Example:
        >>> import keras, ganlib
        >>> from ganlib.networks import mlp
        >>> gan = ganlib.GAN(mlp.Generator((8, 8, 1), latent_dim=16), mlp.Discriminator((8, 8, 1)))
        >>> gan.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), keras.optimizers.Adam(2e-4, beta_1=0.5))
        >>> images = ganlib.data.open("digits").images
        >>> history = gan.fit(ganlib.data.batches(ganlib.data.open("digits"), 64, with_labels=False),
        ...                   steps_per_epoch=2, verbose=0)
        >>> gan.generate(4, seed=0).shape
        (4, 8, 8, 1)
    """

    parts = ("generator", "discriminator")

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(**kwargs)
        self._check(generator, discriminator)
        self.generator = generator
        self.discriminator = discriminator
        with self.distribute_strategy.scope():
            self.ema_generator = averaging.copy_of(generator)
        self._generate_batch = self._traced_once()

    @property
    def networks(self):
        return [self.generator, self.discriminator]

    @property
    def averages(self):
        return [(self.ema_generator, self.generator)]

    def compile(
        self,
        generator_optimizer,
        discriminator_optimizer,
        loss="non_saturating",
        penalties=(),
        augment=None,
        discriminator_steps=1,
        update="alternating",
        **shared,
    ):
        """Sets how the networks are trained.

        Args:
            generator_optimizer: a Keras optimizer.
            discriminator_optimizer: another one.
            loss: a name out of `ganlib.losses.LOSSES`, or an object with ``discriminator(real, fake)`` and
                ``generator(fake, real)``.
            penalties: `ganlib.penalties`, added to the discriminator's loss.
            augment: what real and generated images pass before the discriminator, such as
                `ganlib.augment.DiffAugment()`; None for nothing.
            discriminator_steps: updates of the discriminator for each of the generator. A batch is cut into as many
                parts, one for each update, so give `fit` batches that are so many times larger.
            update: ``"alternating"`` updates the discriminator and then, on new latents, the generator against the
                updated discriminator (Goodfellow et al. 2014, algorithm 1). ``"simultaneous"`` computes both
                gradients from one pass over the same generated images and then updates both: a sixth fewer FLOPs for
                DCGAN, but the generator answers the discriminator of a step ago and both see the same latents.
            shared: ``ema_decay``, ``seed``, ``accumulation_steps``, ``non_finite``, ``jit_compile``, ``steps_per_execution``
                and ``run_eagerly``: see `ganlib.training.DistributedModel.configure`.

        Raises:
            UserError: for an unknown loss or update, or a combination that makes no sense.
        """
        updates = {"alternating": self._alternating_update, "simultaneous": self._simultaneous_update}
        self._update = choose("update", update, updates)
        if discriminator_steps < 1:
            raise UserError(f"discriminator_steps must be at least 1, got {discriminator_steps}")
        if update == "simultaneous" and discriminator_steps != 1:
            raise UserError(f"update='simultaneous' makes one discriminator step, not {discriminator_steps}")
        self._loss = losses.get(loss)
        self.penalties = list(penalties)
        self.augment = augmentations.get(augment)
        self.discriminator_steps = discriminator_steps
        self.configure(
            {
                "generator_optimizer": (generator_optimizer, self.generator),
                "discriminator_optimizer": (discriminator_optimizer, self.discriminator),
            },
            {
                "loss": loss, "penalties": self.penalties, "augment": augment, "update": update,
                "discriminator_steps": discriminator_steps,
            },
            **shared,
        )  # fmt: skip

    def train_step(self, data):
        """One step of the algorithm on a batch of ``images`` or ``(images, labels)``; returns the logs."""
        images, labels = self._unpack(data)
        logs = self._update(images, labels, self.random_stream())
        self.end_step()
        return logs

    def _alternating_update(self, images, labels, random):
        for real, real_labels in self._parts(images, labels):
            logs = self.discriminator_step(real, real_labels, random)
        return logs | self.generator_step(real, real_labels, random)

    def discriminator_step(self, real, labels, random):
        """Updates the discriminator to tell ``real`` images from generated ones of the same labels."""

        def losses_of(real, labels, random):
            fake = tf.stop_gradient(self._generate_for(real, labels, random))
            real_logits = self._discriminate(real, labels, random)
            fake_logits = self._discriminate(fake, labels, random)
            loss = self._loss.discriminator(real_logits, fake_logits)
            terms = self._penalty_terms(real, fake, labels, random)
            return [sum(terms.values(), loss)], self._discriminator_logs(loss, real_logits, fake_logits) | terms

        return self.descend(losses_of, [(self.discriminator, self.discriminator_optimizer)], (real, labels), random)

    def generator_step(self, real, labels, random):
        """Updates the generator to make images that the discriminator takes for real."""

        def losses_of(real, labels, random):
            fake_logits = self._discriminate(self._generate_for(real, labels, random), labels, random)
            real_logits = self._discriminate(real, labels, random) if self._is_paired else None
            loss = self._loss.generator(fake_logits, real_logits)
            return [loss], {"generator_loss": loss}

        return self.descend(losses_of, [(self.generator, self.generator_optimizer)], (real, labels), random)

    def _simultaneous_update(self, real, labels, random):
        def losses_of(real, labels, random):
            fake = self._generate_for(real, labels, random)
            real_logits = self._discriminate(real, labels, random)
            fake_logits = self._discriminate(fake, labels, random)
            loss = self._loss.discriminator(real_logits, fake_logits)
            generator_loss = self._loss.generator(fake_logits, real_logits if self._is_paired else None)
            terms = self._penalty_terms(real, fake, labels, random)
            logs = self._discriminator_logs(loss, real_logits, fake_logits) | terms | {"generator_loss": generator_loss}
            return [sum(terms.values(), loss), generator_loss], logs

        updates = [(self.discriminator, self.discriminator_optimizer), (self.generator, self.generator_optimizer)]
        return self.descend(losses_of, updates, (real, labels), random)

    def call(self, latents, labels=None, training=False):
        """``(n, latent_dim)`` latents, and ``(n,)`` labels if conditional -> images from the averaged generator."""
        return self.ema_generator(*_inputs(latents, labels), training=training)

    def generate(self, count, labels=None, seed=0, truncation=None, batch_size=64):
        """Makes images with the averaged generator.

        Args:
            count: how many.
            labels: for a conditional GAN ``(count,)`` integers, or one for all; None takes each class in turn.
            seed: an integer; image k is a function of (seed, k), whatever ``count`` and ``batch_size`` are.
            truncation: draw latents anew where their absolute value is above this (Brock et al. 2019,
                arXiv:1809.11096): smaller gives better but less varied images. None does not truncate.
            batch_size: images that a replica makes at a time.

        Returns:
            ``(count, height, width, channels)`` float32 numpy array in ``[-1, 1]``.

        Raises:
            UserError: for labels that do not fit, or a truncation that is not positive.
        """
        latents = latents_for(count, self.generator.latent_dim, seed, truncation)
        return self.generate_from(latents, self._labels_for(count, labels), batch_size)

    def generate_from(self, latents, labels=None, batch_size=64):
        """Makes the images of given latents with the averaged generator.

        Args:
            latents: ``(n, latent_dim)`` float32.
            labels: ``(n,)`` integers for a conditional GAN, otherwise None.
            batch_size: images that a replica makes at a time.

        Returns:
            ``(n, height, width, channels)`` float32 numpy array in ``[-1, 1]``.
        """
        images = [np.zeros((0, *self.generator.image_shape), np.float32)]
        inputs = _inputs(np.asarray(latents, np.float32), None if labels is None else np.asarray(labels, np.int64))
        batch_size *= self.distribute_strategy.num_replicas_in_sync
        for start in range(0, len(latents), batch_size):
            images.append(self._generate_batch(*(x[start : start + batch_size] for x in inputs)))
        return np.concatenate(images)

    def _traced_once(self):
        """`call` as one graph for any number of images, which all replicas make together."""
        latents = tf.TensorSpec((None, self.generator.latent_dim), tf.float32)
        labels = [tf.TensorSpec((None,), tf.int64)] if self.generator.num_classes else []
        return on_replicas(self.distribute_strategy, self.call, [latents, *labels])

    def _generate_for(self, real, labels, random):
        """Images from new latents, as many as ``real`` and with the same labels."""
        return self.generator(*_inputs(self._latents_for(real, random), labels), training=True)

    def _latents_for(self, real, random):
        return random.normal((tf.shape(real)[0], self.generator.latent_dim))

    def _discriminate(self, images, labels, random):
        return self.discriminator(*_inputs(self.augment(images, random), labels), training=True)

    @property
    def _is_paired(self):
        return getattr(self._loss, "paired", False)

    def _penalty_terms(self, real, fake, labels, random):
        def critic(images):
            return self._discriminate(images, labels, random)

        return {p.name: p(critic, real, fake, random, self.step.value) for p in self.penalties}

    def _discriminator_logs(self, loss, real_logits, fake_logits):
        real, fake = tf.reduce_mean(real_logits), tf.reduce_mean(fake_logits)
        return {"discriminator_loss": loss, "real_logits": real, "fake_logits": fake}

    def _unpack(self, data):
        images, labels = data[:2] if isinstance(data, (tuple, list)) else (data, None)
        if self.generator.num_classes and labels is None:
            raise UserError(
                f"this GAN has {self.generator.num_classes} classes: train it on (images, labels), not on images alone"
            )
        return rescale(images), labels if self.generator.num_classes else None

    def _parts(self, images, labels):
        """The batch in ``discriminator_steps`` parts of one size, the same parts on any number of replicas."""
        steps, batch_size = self.discriminator_steps, images.shape[0]
        if batch_size is not None and batch_size % steps:
            raise UserError(f"a batch of {batch_size} images cannot be cut into discriminator_steps={steps} equal parts")
        for first in range(steps):
            yield images[first::steps], None if labels is None else labels[first::steps]

    def _labels_for(self, count, labels):
        if not self.generator.num_classes:
            if labels is not None:
                raise UserError("this GAN is not conditional: leave out the labels")
            return None
        labels = np.arange(count) % self.generator.num_classes if labels is None else np.broadcast_to(labels, (count,))
        if count and not (0 <= labels.min() and labels.max() < self.generator.num_classes):
            raise UserError(f"labels must be from 0 to {self.generator.num_classes - 1}, got {labels.min()} to {labels.max()}")
        return labels.astype(np.int64)

    def _check(self, generator, discriminator):
        for name in ("image_shape", "num_classes"):
            mine, other = getattr(generator, name), getattr(discriminator, name)
            if mine != other:
                raise UserError(f"the generator's {name} is {mine}, but the discriminator's is {other}: make them equal")


def latents_for(count, latent_dim, seed, truncation=None):
    """``(count, latent_dim)`` float32 latents; the same seed gives the same first rows for any count.

    Raises:
        UserError: if ``truncation`` is not positive.
    """
    if truncation is None:
        draw = RandomStream(seed).normal
    elif truncation > 0:
        draw = lambda shape: RandomStream(seed).truncated_normal(shape, truncation)  # noqa: E731
    else:
        raise UserError(f"truncation must be positive, got {truncation}")
    return draw((count, latent_dim)).numpy()


def _inputs(first, labels):
    return (first,) if labels is None else (first, labels)
