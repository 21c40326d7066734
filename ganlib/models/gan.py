"""`GAN`: a generator and a discriminator, trained by one train step under any `tf.distribute` strategy."""

import numbers

import keras
import numpy as np
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib import losses
from ganlib.errors import UserError, choose, integer
from ganlib.models.critic import Critic
from ganlib.networks.base import Discriminator, Generator, rescale
from ganlib.penalties import KINDS as PENALTY_KINDS
from ganlib.regularizers import listed
from ganlib.seeds import check_seed
from ganlib.training import averaging, input_checks, schedules
from ganlib.training.distributed import DistributedModel
from ganlib.training.random_stream import RandomStream
from ganlib.training.replicas import batch_mean, on_replicas


@keras.saving.register_keras_serializable("ganlib")
class GAN(DistributedModel):
    """A generative adversarial network (Goodfellow et al. 2014, arXiv:1406.2661).

    Args:
        generator: a `ganlib.networks.Generator`.
        discriminator: a `ganlib.networks.Discriminator` for images of the same shape and the same classes.

    Attributes:
        ema_generator: the moving average of the generator, from which `generate` makes images.

    Examples:
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

    @property
    def states(self):
        return getattr(self, "penalty_states", [])

    @property
    def form(self):
        """What a batch of training data is made of, as in `ganlib.training.input_checks`."""
        form = {"images": (self.generator.image_shape, None)}
        if self.generator.num_classes:
            return form | {"labels": ((), self.generator.num_classes)}
        return form | ({"features": (self.generator.conditions[0], None)} if self.generator.conditions else {})

    def compile(
        self,
        generator_optimizer,
        discriminator_optimizer,
        loss="non_saturating",
        penalties=(),
        augment=None,
        discriminator_steps=1,
        update="alternating",
        top_k=1.0,
        **shared,
    ):
        """Sets how the networks are trained.

        Args:
            generator_optimizer: a Keras optimizer.
            discriminator_optimizer: another one.
            loss: a name out of `ganlib.losses.LOSSES`, or an object with ``discriminator(real, fake)`` and
                ``generator(fake, real)``.
            penalties: `ganlib.penalties`, added to the losses of the discriminator and of the generator.
            augment: what real and generated images pass before the discriminator, such as
                `ganlib.augment.DiffAugment()` or `ganlib.augment.ADA()`; None for nothing.
            discriminator_steps: updates of the discriminator for each of the generator. A batch is cut into as many
                parts, one for each update, so give `fit` batches that are so many times larger. As everywhere in Keras, a
                learning-rate schedule counts the updates of its optimizer: for the discriminator's,
                `ganlib.training.schedules.EachStep` makes it count train steps.
            update: ``"alternating"`` updates the discriminator and then, on new latents, the generator against the
                updated discriminator (Goodfellow et al. 2014, algorithm 1). ``"simultaneous"`` computes both
                gradients from one pass over the same generated images and then updates both: a sixth fewer FLOPs for
                DCGAN, but the generator answers the discriminator of a step ago and both see the same latents.
            top_k: the share of the generated images from which the generator learns, those with the highest logits (Sinha et
                al. 2020, arXiv:2002.06224): a number in ``(0, 1]``, or a `ganlib.training.schedules` of it; the paper goes
                from 1 to 0.5. Of several replicas each takes its own.
            shared: ``ema_decay``, ``seed``, ``accumulation_steps``, ``non_finite``, ``jit_compile``, ``steps_per_execution``
                and ``run_eagerly``: see `ganlib.training.DistributedModel.configure`.

        Raises:
            UserError: for an unknown loss or update, penalties or an augmentation that do not fit the networks, or a
                combination that makes no sense.
        """
        updates = {"alternating": self._alternating_update, "simultaneous": self._simultaneous_update}
        self._update = choose("update", update, updates)
        discriminator_steps = integer("discriminator_steps", discriminator_steps, 1)
        if update == "simultaneous" and discriminator_steps != 1:
            raise UserError(f"update='simultaneous' makes one discriminator step, not {discriminator_steps}")
        self._set_loss(loss, top_k)
        self.penalties = listed("penalties", penalties)
        self._build_penalties()
        self._set_augment(augment)
        self.discriminator_steps = discriminator_steps
        self.configure(
            {
                "generator_optimizer": (generator_optimizer, self.generator),
                "discriminator_optimizer": (discriminator_optimizer, self.discriminator),
            },
            {
                "loss": loss, "penalties": self.penalties, "augment": augment, "update": update,
                "discriminator_steps": discriminator_steps, "top_k": top_k,
            },
            **shared,
        )  # fmt: skip

    def train_step(self, data):
        """One step of the algorithm on ``data``, a batch of ``images`` or ``(images, labels)``; returns the logs."""
        images, labels = self._unpack(data)
        logs = self._update(images, labels, self.random_stream())
        self.end_step()
        return logs

    def _alternating_update(self, images, labels, random):
        signs = []
        for real, real_labels in self._parts(images, labels):
            logs = self.discriminator_step(real, real_labels, random)
            signs.append(logs["real_signs"])
        logs = self._adapted(logs | {"real_signs": tf.reduce_mean(signs)}, images)
        return logs | self.generator_step(real, real_labels, random)

    def discriminator_step(self, real, labels, random):
        """Updates the discriminator to tell real images from generated ones of the same labels.

        Args:
            real: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, or None.
            random: a `ganlib.training.RandomStream`, for latents and augmentation.

        Returns:
            A dict of scalars, the losses and penalties by name.
        """

        def losses_of(real, labels, random):
            fake = tf.stop_gradient(self._generate_for(real, labels, random))
            critic = self._critic(labels, random)
            real_logits, fake_logits = critic.see(real), critic.see(fake)
            loss = self._loss.discriminator(real_logits, fake_logits)
            terms = self._discriminator_terms(critic, real, fake, random)
            return [sum(terms.values(), loss)], self._discriminator_logs(loss, real_logits, fake_logits) | terms

        return self.descend(losses_of, [(self.discriminator, self.discriminator_optimizer)], (real, labels), random)

    def generator_step(self, real, labels, random):
        """Updates the generator to make images that the discriminator takes for real.

        Args:
            real: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, or None.
            random: a `ganlib.training.RandomStream`, for latents and augmentation.

        Returns:
            A dict of scalars, the losses and penalties by name.
        """

        def losses_of(real, labels, random):
            fake = self._generate_for(real, labels, random)
            critic = self._critic(labels, random)
            fake_logits = critic.see(fake)
            real_logits = critic.see(real) if self._is_paired else None
            loss = self._loss.generator(self._best(fake_logits), real_logits)
            terms = self._generator_terms(critic, fake, random)
            return [sum(terms.values(), loss)], {"generator_loss": loss} | terms

        return self.descend(losses_of, [(self.generator, self.generator_optimizer)], (real, labels), random)

    def _simultaneous_update(self, real, labels, random):
        def losses_of(real, labels, random):
            fake = self._generate_for(real, labels, random)
            critic = self._critic(labels, random)
            real_logits, fake_logits = critic.see(real), critic.see(fake)
            loss = self._loss.discriminator(real_logits, fake_logits)
            generator_loss = self._loss.generator(self._best(fake_logits), real_logits if self._is_paired else None)
            terms = self._discriminator_terms(critic, real, fake, random)
            generator_terms = self._generator_terms(critic, fake, random)
            logs = self._discriminator_logs(loss, real_logits, fake_logits) | terms
            logs |= {"generator_loss": generator_loss} | generator_terms
            return [sum(terms.values(), loss), sum(generator_terms.values(), generator_loss)], logs

        updates = [(self.discriminator, self.discriminator_optimizer), (self.generator, self.generator_optimizer)]
        return self._adapted(self.descend(losses_of, updates, (real, labels), random), real)

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
        if self.generator.num_classes or not self.generator.conditions:
            labels = self.labels_for(len(latents), labels)
        images = [np.zeros((0, *self.generator.image_shape), np.float32)]
        if labels is not None:
            labels = np.asarray(labels, self.generator.conditions[1])
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
        if self.generator.conditions:
            shape, dtype = self.generator.conditions
            signature["labels"] = tf.TensorSpec((None, *shape), dtype)
        if self.generator.truncates_styles:
            signature["truncation"] = tf.TensorSpec((None,), tf.float32)

        def images_from(*inputs):
            return self.call(**dict(zip(signature, inputs, strict=True)))

        return on_replicas(self.distribute_strategy, images_from, list(signature.values()))

    def _generate_for(self, real, labels, random):
        """Images from new latents, as many as ``real`` and with the same labels."""
        return self._generate_from(self._latents_for(real, random), labels, random)

    def _generate_from(self, latents, labels, random):
        draws = self.generator.draws(tf.shape(latents)[0], random)
        return self.generator(*with_labels(latents, labels), training=True, **draws)

    def _latents_for(self, real, random):
        return random.normal((tf.shape(real)[0], self.generator.latent_dim))

    def _critic(self, labels, random):
        return Critic(self.discriminator, self.augment, labels, random)

    def _best(self, fake_logits):
        """The highest logits, as many as ``top_k`` says."""
        if not callable(self.top_k) and self.top_k == 1:
            return fake_logits
        count = tf.cast(tf.shape(fake_logits)[0], tf.float32)
        kept = tf.cast(tf.math.ceil(schedules.at(self.top_k, self.step.value) * count), tf.int32)
        return tf.sort(fake_logits, direction="DESCENDING")[:kept]

    @property
    def _is_paired(self):
        return getattr(self._loss, "paired", False)

    def _set_loss(self, loss, top_k):
        self._loss, self.top_k = losses.get(loss), top_k
        if not callable(top_k) and not (isinstance(top_k, numbers.Real) and 0 < top_k <= 1):
            raise UserError(f"top_k is a share in (0, 1], got {top_k}")
        if self.discriminator.patchwise and top_k != 1:
            raise UserError(
                "top_k takes the images with the highest logits, and this discriminator judges patches: leave top_k=1.0"
            )
        if self._is_paired and top_k != 1:
            raise UserError(f"loss {loss!r} compares pairs of real and generated images: leave top_k=1.0")

    def _build_penalties(self):
        names = [penalty.name for penalty in self.penalties]
        if len(set(names)) < len(names):
            raise UserError(f"every penalty may be there once, got {', '.join(names)}")
        own = self.discriminator.conditioning if self.discriminator.num_classes else None
        teachers = {kind.conditioning: kind.name for kind in PENALTY_KINDS if kind.conditioning}
        if own in teachers and own not in [penalty.conditioning for penalty in self.penalties]:
            raise UserError(
                f"a discriminator with conditioning={own!r} learns labels by penalty {teachers[own]!r} alone: add it"
            )
        with self.distribute_strategy.scope():
            for penalty in self.penalties:
                penalty.build(self.generator, self.discriminator)
        self.penalty_states = [penalty.state for penalty in self.penalties if penalty.state]

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

    def _adapted(self, logs, real):
        """The logs of a step's discriminator updates on ``real``, after the augmentation has adapted itself, if it does."""
        signs = logs.pop("real_signs")
        if self.augment_state is None:
            return logs
        signs = batch_mean(signs[None])
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        self.augment.adapt(signs, tf.shape(real)[0] * replicas, self.step.value)
        return logs | {"real_signs": signs, "augment_probability": self.augment_state.probability.value}

    def _discriminator_terms(self, critic, real, fake, random):
        own = [penalty for penalty in self.penalties if penalty.on_discriminator]
        return {penalty.name: penalty(critic, real, fake, random, self.step.value) for penalty in own}

    def _generator_terms(self, critic, fake, random):
        own = [penalty for penalty in self.penalties if penalty.on_generator]
        arguments = critic, self.generator, fake, random, self.step.value
        return {f"generator_{penalty.name}": penalty.of_generator(*arguments) for penalty in own}

    def _discriminator_logs(self, loss, real_logits, fake_logits):
        real, fake = tf.reduce_mean(real_logits), tf.reduce_mean(fake_logits)
        signs = tf.reduce_mean(tf.sign(real_logits))
        return {"discriminator_loss": loss, "real_logits": real, "fake_logits": fake, "real_signs": signs}

    def _unpack(self, data):
        images, labels, *_ = (*input_checks.parts_of(data), None)
        if self.generator.conditions and labels is None:
            raise UserError(self._missing_part())
        images = self.discriminator.as_in_training(rescale(images))
        return images, labels if self.generator.conditions else None

    def _missing_part(self):
        if not self.generator.num_classes:
            return "this GAN is told features of its images: train it on (images, features), not on images alone"
        return f"this GAN has {self.generator.num_classes} classes: train it on (images, labels), not on images alone"

    def _parts(self, images, labels):
        """The batch in ``discriminator_steps`` parts of one size, the same parts on any number of replicas."""
        steps, batch_size = self.discriminator_steps, images.shape[0]
        if batch_size is not None and batch_size % steps:
            raise UserError(f"a batch of {batch_size} images cannot be cut into discriminator_steps={steps} equal parts")
        for first in range(steps):
            yield images[first::steps], None if labels is None else labels[first::steps]

    def _check(self, generator, discriminator):
        for kind, network in ((Generator, generator), (Discriminator, discriminator)):
            if not isinstance(network, kind):
                what = f"a {network.__name__}, not called" if isinstance(network, type) else f"a {type(network).__name__}"
                raise UserError(
                    f"the {kind.__name__.lower()} must be a ganlib.networks.{kind.__name__}, such as one of "
                    f"ganlib.networks.dcgan, got {what}"
                )
        for name in ("image_shape", "num_classes", "conditions"):
            mine, other = getattr(generator, name), getattr(discriminator, name)
            if mine != other:
                raise UserError(f"the generator's {name} is {mine}, but the discriminator's is {other}: make them equal")
        if generator.num_scales != discriminator.num_scales:
            raise UserError(
                f"the generator has {generator.num_scales} scales, but the discriminator looks at {discriminator.num_scales}: "
                "give both the same"
            )


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
