"""`AdversarialModel`, the base class of models with a generator: image generation, moving averages and augmentation."""

import numpy as np
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib import layers
from ganlib.errors import UserError, integer
from ganlib.models.critic import Critic
from ganlib.models.evaluated import Evaluated
from ganlib.models.metric_settings import MetricSettings
from ganlib.networks import wrapped
from ganlib.networks.base import Discriminator, Generator
from ganlib.seeds import Purpose, derive
from ganlib.training import averaging, draws
from ganlib.training import strategy as strategies
from ganlib.training.distributed import DistributedModel
from ganlib.training.latents import latents_for
from ganlib.training.random_stream import RandomStream
from ganlib.training.replicas import batch_mean, on_replicas


class AdversarialModel(Evaluated, DistributedModel):
    """A generator trained against a discriminator: the parent of `GAN`, `SemiSupervisedGAN` and `TripleGAN`.

    Args:
        generator: A `ganlib.networks.Generator`, or any Keras model that `ganlib.networks.wrapped.Generator` accepts.
        discriminator: A `ganlib.networks.Discriminator` with the same image shape and classes as the generator, or any Keras
            model that `ganlib.networks.wrapped.Discriminator` accepts.

    Attributes:
        ema_generator: The moving average of the generator. `generate` uses it to make images.
    """

    parts = ("generator", "discriminator")

    _metric_settings = MetricSettings((), "in_domain", 5000)
    """The metrics of a model that is not compiled."""

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(**kwargs)
        with self.distribute_strategy.scope():
            generator, discriminator = wrapped.pair(generator, discriminator)
        _check_networks(generator, discriminator)
        for network in (generator, discriminator):
            strategies.check_created_in(self.distribute_strategy, network)
        self.generator = generator
        self.discriminator = discriminator
        with self.distribute_strategy.scope():
            self.ema_generator = averaging.clone_network(generator)
        self._generate_batch = self._compile_generation()

    @property
    def averages(self):
        return [(self.ema_generator, self.generator)]

    def call(self, latents, labels=None, training=False, **truncation):
        """Maps ``(n, latent_dim)`` latents, and ``(n,)`` labels if conditional, to images with the EMA generator."""
        return self.ema_generator(*with_labels(latents, labels), training=training, **truncation)

    def generate(self, count, labels=None, seed=0, truncation=None, batch_size=64):
        """Generates images with the EMA generator.

        Args:
            count: The number of images.
            labels: For a conditional GAN, ``(count,)`` integers, or one integer for all images. Defaults to None, which cycles
                through the classes.
            seed: An integer. Image k depends only on (seed, k), not on ``count`` or ``batch_size``. Defaults to 0.
            truncation: Redraw latents whose absolute value exceeds this number (Brock et al. 2019,
                arXiv:1809.11096). For a generator with styles, move the styles towards their average by this factor (Karras
                et al. 2019, arXiv:1812.04948). Smaller values give better but less varied images. Defaults to None, which does
                not truncate.
            batch_size: The number of images that each replica generates at a time. Defaults to 64.

        Returns:
            ``(count, height, width, channels)`` float32 numpy array in ``[-1, 1]``.

        Raises:
            UserError: If the labels do not fit the generator, or the truncation is not positive.
        """
        latent_truncation = None if self.generator.truncates_styles else truncation
        latents = latents_for(count, self.generator.latent_dim, seed, latent_truncation)
        return self.generate_from(latents, self.labels_for(count, labels), batch_size, truncation)

    def generate_from(self, latents, labels=None, batch_size=64, truncation=None):
        """Generates images from given latents with the EMA generator.

        Args:
            latents: ``(n, latent_dim)`` float32.
            labels: As in `generate`. For a GAN conditioned on features, ``(n, num_features)`` features. Defaults to None.
            batch_size: The number of images that each replica generates at a time. Defaults to 64.
            truncation: Truncation of the styles, for a generator that has styles; see `generate`. Defaults to None.

        Returns:
            ``(n, height, width, channels)`` float32 numpy array in ``[-1, 1]``.

        Raises:
            UserError: If the generator makes features, the latents have another shape, the labels do not fit the generator,
                or its images do not have its ``image_shape``.
        """
        if not self.generator.makes_images:
            raise UserError("this generator makes features, not images: train a GAN on images, as with the config photos_gan")
        latents, batch_size = np.asarray(latents, np.float32), integer("batch_size", batch_size, 1)
        if latents.ndim != 2 or latents.shape[1] != self.generator.latent_dim:
            raise UserError(f"latents must have the shape (n, {self.generator.latent_dim}), got {latents.shape}")
        if self.generator.num_classes or not self.generator.condition_spec:
            labels = self.labels_for(len(latents), labels)
        images = np.empty((len(latents), *self.generator.image_shape), np.float32)
        if labels is not None:
            labels = np.asarray(labels, self.generator.condition_spec[1])
        inputs = with_labels(latents, labels)
        if self.generator.truncates_styles:
            inputs += (np.full(len(latents), 1.0 if truncation is None else truncation, np.float32),)
        batch_size *= self.distribute_strategy.num_replicas_in_sync
        for start in range(0, len(latents), batch_size):
            rows = slice(start, start + batch_size)
            batch = self._generate_batch(*(x[rows] for x in inputs))
            if batch.shape[1:] != images.shape[1:]:
                raise UserError(f"the generator returns images of {batch.shape[1:]}, but its image_shape is {images.shape[1:]}")
            images[rows] = batch
        return images

    def labels_for(self, count, labels=None):
        """Returns the generator's ``labels`` input for ``count`` images; see `ganlib.networks.Generator.labels_for`."""
        return self.generator.labels_for(count, labels)

    def _compile_generation(self):
        """Returns `call` compiled as one graph for any number of images, which are shared among the replicas."""
        signature = {spec.name: spec for spec in self._generation_signature()}
        if self.generator.truncates_styles:
            signature["truncation"] = tf.TensorSpec((None,), tf.float32)

        def images_from(*inputs):
            return self.call(**dict(zip(signature, inputs, strict=True)))

        return on_replicas(self.distribute_strategy, images_from, list(signature.values()))

    def _generation_signature(self):
        """Returns the `tf.TensorSpec` of each input of the generator: latents, and labels if it is conditional."""
        signature = [tf.TensorSpec((None, self.generator.latent_dim), tf.float32, "latents")]
        if self.generator.condition_spec:
            shape, dtype = self.generator.condition_spec
            signature.append(tf.TensorSpec((None, *shape), dtype, "labels"))
        return signature

    def sample_latents(self, images, rng):
        """Draws ``(n, latent_dim)`` standard normal latents, one row for each of ``images``."""
        return rng.normal((tf.shape(images)[0], self.generator.latent_dim))

    def generate_for_training(self, latents, labels, rng):
        """Generates images with the generator in training mode, from latents and, if it is conditional, labels."""
        noise = self.generator.sample_noise(tf.shape(latents)[0], rng)
        return self.generator(*with_labels(latents, labels), training=True, **noise)

    def initialize_generator(self, count):
        """Initializes the weight-normalized layers of the generator on latents that the seed determines, and then its moving
        average. Does nothing if there are no such layers.

        Args:
            count: The number of latents, as in a batch.
        """
        generator = self.generator
        if generator.body is None or not layers.has_weight_norm(generator.body):
            return
        latents = RandomStream(self.seed, purpose=Purpose.INITIALIZATION).normal((count, generator.latent_dim))
        draws.seed([generator], derive(self.seed, Purpose.INITIALIZATION, 2))
        generator.initialize(latents, generator.labels_for(count))
        self.ema_generator.set_weights(generator.get_weights())

    def critic(self, labels, rng):
        """Returns the `Critic` of this step: the augmentation followed by the discriminator, with the labels of a batch."""
        return Critic(self.discriminator, self.augment, labels, rng)

    @property
    def evaluation_form(self):
        """The parts of a batch to evaluate on, in the format of `ganlib.training.input_checks`."""
        form = {"images": (self.generator.image_shape, None)}
        return form | ({"labels": ((), self.generator.num_classes)} if self.generator.num_classes else {})

    def prepare_evaluation(self, source):
        """Raises a `UserError` if a metric of ``compile`` cannot be computed on a `ganlib.data.Source`."""
        super().prepare_evaluation(source)
        self._metric_settings.prepare(self, source)

    def results_on(self, source):
        """Returns the metrics of ``compile`` on a `ganlib.data.Source`, a dict of floats."""
        return super().results_on(source) | self._metric_settings.results(self, source)

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Generates images with the EMA generator.

        Args:
            x: ``(n, latent_dim)`` latents, or a tuple of latents and ``(n,)`` integer labels.
            batch_size: The number of images that each replica generates at a time. Defaults to None, which is 64.
            verbose: Not used.
            steps: Not used.
            callbacks: Not used.

        Returns:
            ``(n, height, width, channels)`` float32 numpy array in ``[-1, 1]``, as from `generate_from`.

        Raises:
            UserError: As in `generate_from`.
        """
        latents, labels = (*x, None)[:2] if isinstance(x, (tuple, list)) else (x, None)
        if not hasattr(latents, "shape"):
            raise UserError(f"predict takes latents of shape (n, {self.generator.latent_dim}), got a {type(latents).__name__}")
        return self.generate_from(latents, labels, 64 if batch_size is None else batch_size)

    def export(self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **kwargs):
        """Exports the EMA generator as `keras.Model.export` does: ``serve`` takes latents, and labels if it is conditional.

        Args:
            filepath: The folder or file to write.
            format: As in Keras. Defaults to ``"tf_saved_model"``.
            verbose: As in Keras. Defaults to None.
            input_signature: As in Keras. Defaults to None, which accepts any number of latents.
            **kwargs: As in Keras.
        """
        if input_signature is None:
            input_signature = self._generation_signature()
        return self.ema_generator.export(filepath, format, verbose, input_signature, **kwargs)

    def _set_metrics(self, metrics, features, samples):
        self._metric_settings = MetricSettings(metrics, features, samples)

    def _set_augment(self, augment):
        self.augment = augmentations.get(augment)
        if self.generator.num_scales > 1 and getattr(self.augment, "mixes_channels", False):
            raise UserError(
                "augmentation 'color' mixes the channels of an image, but the channels of a multiscale network are its "
                "resolutions: remove 'color', or set scales=1"
            )
        self.augment_state = None
        if hasattr(self.augment, "adapt"):
            with self.distribute_strategy.scope():
                self.augment.build()
            self.augment_state = self.augment.state

    def update_augmentation(self, real_signs, real):
        """Updates the probability of an adaptive augmentation (ADA). Does nothing for other augmentations.

        Args:
            real_signs: A scalar, the mean sign of the discriminator's logits for the real images of this step.
            real: ``(n, height, width, channels)``, the real images of this step.

        Returns:
            A dict of scalars for the logs. It is empty for an augmentation that does not adapt.
        """
        if self.augment_state is None or real_signs is None:
            return {}
        real_signs = batch_mean(real_signs[None])
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        self.augment.adapt(real_signs, tf.shape(real)[0] * replicas, self.step.value)
        return {"real_signs": real_signs, "augment_probability": self.augment_state.probability.value}


def add_terms(loss, terms):
    """Returns the loss plus all scalars in a dict of terms."""
    for term in terms.values():
        loss = loss + term
    return loss


def discriminator_logs(loss, real_logits, fake_logits):
    """Returns the logs of a discriminator: its loss, its mean logits, and the mean sign of the logits of real images."""
    real, fake = tf.reduce_mean(real_logits), tf.reduce_mean(fake_logits)
    signs = tf.reduce_mean(tf.sign(real_logits))
    return {"discriminator_loss": loss, "real_logits": real, "fake_logits": fake, "real_signs": signs}


def with_labels(first, labels):
    """Returns the inputs of a network: ``(first, labels)``, or ``(first,)`` without labels. ``first`` is latents or images."""
    return (first,) if labels is None else (first, labels)


def _check_networks(generator, discriminator):
    for kind, network in ((Generator, generator), (Discriminator, discriminator)):
        if not isinstance(network, kind):
            raise UserError(
                f"the {kind.__name__.lower()} must be a Keras model or a ganlib.networks.{kind.__name__}, such as one of "
                f"ganlib.networks.dcgan, got {wrapped.described(network)}"
            )
    for name in ("image_shape", "num_classes", "condition_spec"):
        values = getattr(generator, name), getattr(discriminator, name)
        if values[0] != values[1]:
            raise UserError(f"the generator's {name} is {values[0]}, but the discriminator's is {values[1]}: make them equal")
    if generator.num_scales != discriminator.num_scales:
        raise UserError(
            f"the generator has {generator.num_scales} scales, but the discriminator has {discriminator.num_scales}: "
            "make them equal"
        )
