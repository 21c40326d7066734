"""`GAN`: a generator and a discriminator, trained with one train step under any `tf.distribute` strategy."""

import numbers

import keras
import tensorflow as tf

from ganlib import losses
from ganlib.errors import UserError, choose, integer
from ganlib.losses.weighted import listed
from ganlib.models.adversarial import AdversarialModel, add_terms, discriminator_logs
from ganlib.models.batch_parts import check_divisible, part_of
from ganlib.models.penalized import Penalized
from ganlib.models.update_checks import UPDATES, check_updates
from ganlib.networks.base import rescale
from ganlib.penalties import PENALTIES
from ganlib.training import input_checks, schedules
from ganlib.training.distributed import split_arguments


@keras.saving.register_keras_serializable("ganlib")
class GAN(Penalized, AdversarialModel):
    """A generative adversarial network (Goodfellow et al. 2014, arXiv:1406.2661).

    Args:
        generator: A `ganlib.networks.Generator`, or any Keras model that `ganlib.networks.wrapped.Generator` accepts.
        discriminator: A `ganlib.networks.Discriminator` with the same image shape and classes as the generator, or any Keras
            model that `ganlib.networks.wrapped.Discriminator` accepts.

    Attributes:
        ema_generator: The moving average of the generator. `generate` uses it to make images.

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

    @property
    def networks(self):
        return [self.generator, self.discriminator]

    @property
    def states(self):
        return getattr(self, "penalty_states", [])

    @property
    def form(self):
        """The parts of a training batch, in the format of `ganlib.training.input_checks`."""
        form = {"images": (self.generator.image_shape, None)}
        if self.generator.num_classes:
            return form | {"labels": ((), self.generator.num_classes)}
        return form | ({"features": (self.generator.condition_spec[0], None)} if self.generator.condition_spec else {})

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        loss="non_saturating",
        penalties=(),
        augment=None,
        discriminator_steps=1,
        update="alternating",
        top_k=1.0,
        generator_batch_factor=1,
        fresh_real_images=False,
        metrics=(),
        metric_features="in_domain",
        metric_samples=5000,
        ema_decay=0.999,
        seed=0,
        accumulation_steps=1,
        non_finite="stop",
        jit_compile="auto",
        steps_per_execution=1,
        run_eagerly=False,
    ):
        """Configures the training.

        Args:
            generator_optimizer: A Keras optimizer, its name or its config, for the generator. Defaults to None, which is Adam
                with a learning rate of 2e-4 and ``beta_1=0.5``.
            discriminator_optimizer: Another one, for the discriminator. Defaults to None, as for the generator.
            loss: A name from `ganlib.losses.LOSSES`; an object with ``discriminator(real, fake)`` and
                ``generator(fake, real)``; or ``keras.losses.BinaryCrossentropy(from_logits=True)``, which is the same as
                ``"non_saturating"``. Defaults to ``"non_saturating"``.
            penalties: A list of `ganlib.penalties`, or of their names, which are added to the losses of the discriminator and
                of the generator. Defaults to ``()``.
            augment: The augmentation applied to real and generated images before the discriminator, such as
                `ganlib.augment.DiffAugment()` or `ganlib.augment.ADA()`. Defaults to None, which applies none.
            discriminator_steps: The number of discriminator updates for each generator update. Each batch is split into this
                many parts, one for each update, so pass `fit` batches that are larger by this factor. As everywhere in Keras, a
                learning-rate schedule counts the updates of its optimizer. To make the schedule of the discriminator's
                optimizer count train steps, wrap it in `ganlib.training.schedules.EachStep`. Defaults to 1.
            update: ``"alternating"`` updates the discriminator and then, on new latents, the generator against the
                updated discriminator (Goodfellow et al. 2014, algorithm 1). ``"generator_first"`` begins each step with the
                generator, as StyleGAN2's code does. ``"reuse"`` is like alternating, but the generator is updated on the
                images of the discriminator's update, as in most codes of DCGAN (Radford et al. 2016, arXiv:1511.06434). This
                saves one forward pass of the generator. ``"simultaneous"`` computes both gradients from one pass over the same
                generated images and then updates both. It needs a sixth fewer FLOPs for DCGAN, but the generator is trained
                against the discriminator of the previous step, and both updates use the same latents. Defaults to
                ``"alternating"``.
            top_k: The fraction of the generated images, those with the highest logits, that the generator learns from (Sinha
                et al. 2020, arXiv:2002.06224). A number in ``(0, 1]`` or a `ganlib.training.schedules` schedule. The paper
                decreases it from 1 to 0.5. Each replica selects from its own images. Defaults to 1.0.
            generator_batch_factor: The number of images in an update of the generator, as a multiple of that in an update of
                the discriminator, at most ``discriminator_steps``. SNGAN uses 2. Defaults to 1.
            fresh_real_images: Whether a loss that compares pairs uses other real images in the update of the generator than in
                that of the discriminator, as in R3GAN's code. Each batch is then split into one more part. Defaults to False.
            metrics: A list of names of metrics for `evaluate` and for ``validation_data`` of `fit`, such as ``["kid"]``: see
                `ganlib.metrics.evaluate.METRICS`. Defaults to ``()``.
            metric_features: The feature network of the metrics, as in `ganlib.metrics.features.get`. Defaults to
                ``"in_domain"``, a classifier that is trained on the labeled images to evaluate on and needs no download.
            metric_samples: The number of generated images in an evaluation. Defaults to 5000.
            ema_decay, seed, accumulation_steps, non_finite, jit_compile, steps_per_execution, run_eagerly: See
                `ganlib.training.DistributedModel.configure`.

        Raises:
            UserError: If the loss or the update is unknown, the penalties or the augmentation do not fit the networks, or the
                combination of arguments is invalid.
        """
        own, shared = split_arguments(locals())
        self.update = choose("update", update, {name: name for name in UPDATES})
        self._set_loss(loss, top_k)
        self.discriminator_steps = integer("discriminator_steps", discriminator_steps, 1)
        self.generator_batch_factor = integer("generator_batch_factor", generator_batch_factor, 1)
        self.fresh_real_images = fresh_real_images
        self.penalties = own["penalties"] = listed("penalties", penalties, PENALTIES)
        check_updates(self, accumulation_steps)
        self._build_penalties()
        self._set_augment(augment)
        self._set_metrics(metrics, metric_features, metric_samples)
        optimizers = {
            "generator_optimizer": (generator_optimizer, self.generator),
            "discriminator_optimizer": (discriminator_optimizer, self.discriminator),
        }
        self.configure(optimizers, own, **shared)

    @property
    def batch_parts(self):
        """The number of parts into which `train_step` splits a batch: its size is that of an update times this number."""
        return self.discriminator_steps + int(self.fresh_real_images)

    def train_step(self, data):
        """Runs one train step on ``data``, a batch of ``images`` or ``(images, labels)``, and returns the logs.

        Updates the discriminator ``discriminator_steps`` times, then the augmentation, the generator and the moving averages.
        With ``update="generator_first"``, ``"reuse"`` or ``"simultaneous"``, the augmentation is updated after both networks.
        """
        images, labels = self._unpack(data)
        rng = self.random_stream()
        if self.update == "simultaneous":
            logs = self.simultaneous_step(images, labels, rng)
            logs |= self.update_augmentation(logs.pop("real_signs"), images)
        else:
            check_divisible(images, self.batch_parts)
            signs, logs = [], {}
            steps = {"discriminator": self.discriminator_step, "generator": self.generator_step, "both": self.reusing_step}
            for networks, first, count in self._update_order():
                real, real_labels = (part_of(values, first, self.batch_parts, count) for values in (images, labels))
                update_logs = steps[networks](real, real_labels, rng)
                if "real_signs" in update_logs:
                    signs.append(update_logs.pop("real_signs"))
                    if len(signs) == self.discriminator_steps:
                        seen = part_of(images, 0, self.batch_parts, self.discriminator_steps)
                        logs |= self.update_augmentation(tf.reduce_mean(signs), seen)
                logs |= update_logs
        self.end_step()
        return logs

    def _update_order(self):
        """Returns the updates of a step in their order: ``"discriminator"``, ``"generator"`` or ``"both"``, and the first part
        and the number of parts of the batch that the update uses.
        """
        discriminator = [("discriminator", index, 1) for index in range(self.discriminator_steps)]
        if self.update == "reuse":
            return [*discriminator[:-1], ("both", self.discriminator_steps - 1, 1)]
        generator = [("generator", self.batch_parts - self.generator_batch_factor, self.generator_batch_factor)]
        return generator + discriminator if self.update == "generator_first" else discriminator + generator

    def discriminator_step(self, real, labels, rng):
        """Updates the discriminator to distinguish real images from generated images with the same labels.

        Args:
            real: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, or None.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the losses and penalties by name.
        """
        updates = [(self.discriminator, self.discriminator_optimizer)]
        computed, logs = self.compute_gradients(self.discriminator_loss, updates, (real, labels), rng)
        self.apply_gradients(updates, computed)
        logs |= self._penalty_steps("discriminator", updates, (real, labels), rng)
        return logs

    def discriminator_loss(self, real, labels, rng):
        """Computes the discriminator's loss on real images and as many generated images.

        Args:
            real: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, or None.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A tuple ``(loss, logs)`` of a scalar and a dict of scalars.
        """
        fake = tf.stop_gradient(self.generate_for_training(self.sample_latents(real, rng), labels, rng))
        return self._discriminator_loss_on(real, labels, fake, rng)

    def _discriminator_loss_on(self, real, labels, fake, rng):
        critic = self.critic(labels, rng)
        real_logits, fake_logits = critic.forward(real), critic.forward(fake)
        loss = self._loss.discriminator(real_logits, fake_logits)
        penalties = self._discriminator_penalties(critic, real, fake, rng)
        logs = discriminator_logs(loss, real_logits, fake_logits) | penalties
        return add_terms(loss, penalties), logs

    def generator_step(self, real, labels, rng):
        """Updates the generator to make images that the discriminator classifies as real.

        Args:
            real: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, or None.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the losses and penalties by name.
        """
        updates = [(self.generator, self.generator_optimizer)]
        computed, logs = self.compute_gradients(self.generator_loss, updates, (real, labels), rng)
        self.apply_gradients(updates, computed)
        logs |= self._penalty_steps("generator", updates, (real, labels), rng)
        return logs

    def generator_loss(self, real, labels, rng):
        """Computes the generator's loss. Only paired losses use the real images.

        Args:
            real: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, or None.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A tuple ``(loss, logs)`` of a scalar and a dict of scalars.
        """
        fake = self.generate_for_training(self.sample_latents(real, rng), labels, rng)
        return self._generator_loss_on(real, labels, fake, rng)

    def _generator_loss_on(self, real, labels, fake, rng):
        critic = self.critic(labels, rng)
        fake_logits = critic.forward(fake)
        real_logits = critic.forward(real) if self.is_paired else None
        loss = self._loss.generator(self._top_k_logits(fake_logits), real_logits)
        penalties = self._generator_penalties(critic, fake, rng)
        return add_terms(loss, penalties), {"generator_loss": loss} | penalties

    def reusing_step(self, real, labels, rng):
        """Updates the discriminator, and then the generator on the same generated images against the updated discriminator.

        Args:
            real: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, or None.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the losses and penalties by name.
        """
        discriminator_updates = [(self.discriminator, self.discriminator_optimizer)]
        generator_updates = [(self.generator, self.generator_optimizer)]

        def generator_loss(real, labels, rng):
            fake = self.generate_for_training(self.sample_latents(real, rng), labels, rng)
            batch = real, labels, tf.stop_gradient(fake)
            # The discriminator is updated inside the loss, because its tape holds the generator's forward pass.
            computed, logs = self.compute_gradients(self._discriminator_loss_on, discriminator_updates, batch, rng)
            self.apply_gradients(discriminator_updates, computed)
            logs |= self._penalty_steps("discriminator", discriminator_updates, (real, labels), rng)
            loss, generator_logs = self._generator_loss_on(real, labels, fake, rng)
            return loss, logs | generator_logs

        computed, logs = self.compute_gradients(generator_loss, generator_updates, (real, labels), rng)
        self.apply_gradients(generator_updates, computed)
        return logs | self._penalty_steps("generator", generator_updates, (real, labels), rng)

    def simultaneous_step(self, real, labels, rng):
        """Updates both networks with gradients from one pass over the same generated images.

        Args:
            real: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, or None.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the losses and terms by name.
        """
        updates = [(self.discriminator, self.discriminator_optimizer), (self.generator, self.generator_optimizer)]
        computed, logs = self.compute_gradients(self.simultaneous_losses, updates, (real, labels), rng)
        self.apply_gradients(updates, computed)
        return logs

    def simultaneous_losses(self, real, labels, rng):
        """Computes the losses of both networks in one pass over the same generated images.

        Args:
            real: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, or None.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A tuple ``([discriminator loss, generator loss], logs)`` of a list of scalars and a dict of scalars.
        """
        fake = self.generate_for_training(self.sample_latents(real, rng), labels, rng)
        critic = self.critic(labels, rng)
        real_logits, fake_logits = critic.forward(real), critic.forward(fake)
        loss = self._loss.discriminator(real_logits, fake_logits)
        generator_loss = self._loss.generator(self._top_k_logits(fake_logits), real_logits if self.is_paired else None)
        penalties = self._discriminator_penalties(critic, real, fake, rng)
        generator_penalties = self._generator_penalties(critic, fake, rng)
        logs = discriminator_logs(loss, real_logits, fake_logits) | penalties
        logs |= {"generator_loss": generator_loss} | generator_penalties
        return [add_terms(loss, penalties), add_terms(generator_loss, generator_penalties)], logs

    def _top_k_logits(self, fake_logits):
        """Returns the highest logits, a fraction ``top_k`` of them."""
        if not callable(self.top_k) and self.top_k == 1:
            return fake_logits
        count = tf.cast(tf.shape(fake_logits)[0], tf.float32)
        num_selected = tf.cast(tf.math.ceil(schedules.value_at(self.top_k, self.step.value) * count), tf.int32)
        return tf.sort(fake_logits, direction="DESCENDING")[:num_selected]

    @property
    def is_paired(self):
        """Whether the loss compares pairs of real and generated images."""
        return getattr(self._loss, "paired", False)

    def _set_loss(self, loss, top_k):
        self._loss, self.top_k = losses.get(loss), top_k
        if not callable(top_k) and not (isinstance(top_k, numbers.Real) and 0 < top_k <= 1):
            raise UserError(f"top_k must be in (0, 1], got {top_k}")
        if self.discriminator.patchwise and top_k != 1:
            raise UserError(
                "top_k selects the images with the highest logits, but this discriminator has logits for patches: set top_k=1.0"
            )
        if self.is_paired and top_k != 1:
            raise UserError(f"loss {loss!r} compares pairs of real and generated images: set top_k=1.0")

    def _unpack(self, data):
        images, labels, *_ = (*input_checks.parts_of(data), None)
        if self.generator.condition_spec and labels is None:
            raise UserError(self._missing_data_message())
        images = self.discriminator.prepare_real_images(rescale(images))
        return images, labels if self.generator.condition_spec else None

    def _missing_data_message(self):
        if not self.generator.num_classes:
            return "this GAN is conditioned on features: train it on (images, features), not on images alone"
        return f"this GAN has {self.generator.num_classes} classes: train it on (images, labels), not on images alone"
