"""`SemiSupervisedGAN`: a classifier trained on few labeled and many unlabeled images, against a generator.

Salimans et al. 2016, "Improved techniques for training GANs" (arXiv:1606.03498), sections 3.1 and 5.
"""

import keras
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib import layers
from ganlib.errors import UserError, choose, integer
from ganlib.losses import GENERATOR_LOSSES, unlabeled_losses
from ganlib.models.adversarial import AdversarialModel, add_terms
from ganlib.models.supervised import WithClassifier, accuracy
from ganlib.networks import Classifier
from ganlib.networks.base import rescale
from ganlib.networks.keras_graph import text
from ganlib.regularizers import CLASSIFIER_TERMS, GENERATOR_TERMS, Outputs, classifier_terms, listed
from ganlib.training.distributed import split_arguments
from ganlib.training.draws import Draws, classify_generated
from ganlib.training.replicas import batch_mean


@keras.saving.register_keras_serializable("ganlib")
class SemiSupervisedGAN(WithClassifier, AdversarialModel):
    """A GAN whose discriminator is a classifier of K classes, with "generated" as class K + 1.

    The logit of "generated" is fixed at 0, so that D(x) = Z / (Z + 1), where Z is the sum of the exponentials of the K
    class logits. The generator is trained by feature matching. With `ganlib.regularizers` the model becomes manifold
    regularization (Lecouat et al. 2018, arXiv:1805.08957), or Bad GAN in its form for SVHN: see `BadGAN`.

    Args:
        generator: An unconditional `ganlib.networks.Generator`, or a Keras model, as for `ganlib.GAN`.
        discriminator: A `ganlib.networks.Discriminator` without classes, or a Sequential or functional Keras model. Its body is
            trained with a new class head; its original head is not trained.
        num_classes: The number of classes K, at least 2.
        shifts_priors: Whether the classifier's head ends with a `ganlib.layers.PriorShift`. Defaults to False.

    Raises:
        UserError: If the generator is conditional, the discriminator has no features, or there are fewer than 2 classes.

    Attributes:
        network: The `ganlib.Classifier` in training.
        classifier: The moving average of ``network``, a plain Keras model from images to ``(n, K)`` class logits.

    Examples:
        >>> from ganlib.networks import mlp
        >>> from ganlib import SemiSupervisedGAN
        >>> sgan = SemiSupervisedGAN(mlp.Generator((8, 8, 1), 16), mlp.Discriminator((8, 8, 1)), num_classes=10)
        >>> sgan.classifier.num_classes
        10
    """

    parts = ("generator", "discriminator", "num_classes")

    def __init__(self, generator, discriminator, num_classes, shifts_priors=False, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        if self.generator.condition_spec:
            raise UserError(
                "this generator is conditional, but a semi-supervised GAN needs an unconditional one: remove its num_classes"
            )
        self.num_classes, self.shifts_priors = integer("num_classes", num_classes, 2), shifts_priors
        body = _body_of(self.discriminator)
        with self.distribute_strategy.scope():
            head, dtype = self.discriminator.class_head(num_classes), self.discriminator.dtype_policy
            head = layers.with_prior_shift(head) if shifts_priors else head
            network = Classifier(body, self.generator.image_shape, num_classes, head, dtype=dtype)
        self.add_classifier(network)

    def get_config(self):
        return {**super().get_config(), "shifts_priors": self.shifts_priors}

    @property
    def networks(self):
        return [self.generator, self.network]

    @property
    def form(self):
        """The parts of a training batch, in the format of `ganlib.training.input_checks`."""
        form = super().form
        return form | ({"other unlabeled images": form["unlabeled images"]} if self.fresh_real_images else {})

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        augment=None,
        labeled_augment=None,
        unlabeled_weight=1.0,
        generator_loss="feature_matching",
        regularizers=(),
        generator_regularizers=(),
        update="alternating",
        class_weights=None,
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
            discriminator_optimizer: Another one, for the classifier, which includes the discriminator's body. Defaults to None,
                as for the generator.
            augment: The augmentation applied to unlabeled and generated images before the classifier. Defaults to None, which
                applies none.
            labeled_augment: The augmentation applied to labeled images. Defaults to None, which uses ``augment``.
            unlabeled_weight: The weight of the loss on unlabeled and generated images. Defaults to 1.0.
            generator_loss: A name from `ganlib.losses.GENERATOR_LOSSES`. Defaults to ``"feature_matching"``.
            regularizers: A list of terms of the classifier's loss, such as `ganlib.regularizers.ConditionalEntropy`, or of
                their names. Defaults to ``()``.
            generator_regularizers: A list of terms of the generator's loss, such as `ganlib.regularizers.PullAway`, or of
                their names. Defaults to ``()``.
            update: ``"alternating"`` updates the classifier and then, on new latents, the generator against the
                updated classifier. ``"simultaneous"`` computes both gradients from one pass and then updates both. Defaults
                to ``"alternating"``.
            class_weights: The factors of the loss of the labeled images of each class, a list of ``num_classes`` numbers.
                Defaults to None, which weights all images equally.
            fresh_real_images: Whether the update of the generator matches the features of other unlabeled images than those of
                the classifier's update, as in the code of Salimans et al. 2016. Batches then end with these images. Defaults to
                False.
            metrics: A list of names of metrics for `evaluate` and for ``validation_data`` of `fit`, such as ``["kid"]``: see
                `ganlib.metrics.evaluate.METRICS`. Defaults to ``()``.
            metric_features: The feature network of the metrics, as in `ganlib.metrics.features.get`. Defaults to
                ``"in_domain"``, a classifier that is trained on the labeled images to evaluate on and needs no download.
            metric_samples: The number of generated images in an evaluation. Defaults to 5000.
            ema_decay, seed, accumulation_steps, non_finite, jit_compile, steps_per_execution, run_eagerly: See
                `ganlib.training.DistributedModel.configure`.

        Raises:
            UserError: If the loss or the update is unknown, a simultaneous update should use other images for the generator,
                there are not as many class weights as classes, or one of them is negative or not a number.
        """
        own, shared = split_arguments(locals())
        self.class_weights = own["class_weights"] = self._checked_class_weights(class_weights)
        self.simultaneous = choose("update", update, {"alternating": False, "simultaneous": True})
        if self.simultaneous and fresh_real_images:
            raise UserError("update='simultaneous' needs fresh_real_images=False, got True: set it to False")
        self.fresh_real_images = fresh_real_images
        self._generator_loss = choose("generator loss", generator_loss, GENERATOR_LOSSES)
        self._set_augment(augment)
        self.labeled_augment = augmentations.get_fixed(labeled_augment) if labeled_augment else self.augment
        self.unlabeled_weight = unlabeled_weight
        self.regularizers = own["regularizers"] = listed("regularizers", regularizers, CLASSIFIER_TERMS)
        terms = listed("generator_regularizers", generator_regularizers, GENERATOR_TERMS)
        self.generator_regularizers = own["generator_regularizers"] = terms
        self._set_metrics(metrics, metric_features, metric_samples)
        optimizers = {
            "generator_optimizer": (generator_optimizer, self.generator),
            "discriminator_optimizer": (discriminator_optimizer, self.network),
        }
        self.configure(optimizers, own, **shared)

    def train_step(self, data):
        """Runs one train step on ``data``, a batch of ``(labeled_images, labels, unlabeled_images)``, and returns the logs.

        With ``fresh_real_images``, the batch ends with other unlabeled images, for the generator.
        """
        labeled, labels, unlabeled, *others = data
        labeled, unlabeled, rng = rescale(labeled), rescale(unlabeled), self.random_stream()
        if self.simultaneous:
            logs = self.simultaneous_step(labeled, labels, unlabeled, rng)
            logs |= self.update_augmentation(logs.pop("real_signs", None), unlabeled)
        else:
            logs = self.classifier_step(labeled, labels, unlabeled, rng)
            logs |= self.update_augmentation(logs.pop("real_signs", None), unlabeled)
            logs |= self.generator_step(rescale(others[0]) if self.fresh_real_images else unlabeled, rng)
        self.end_step()
        return logs

    def classifier_step(self, labeled, labels, unlabeled, rng):
        """Updates the classifier. The targets are the labels, "real" for unlabeled images, and "generated" for generated ones.

        Args:
            labeled: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, the labels of ``labeled``.
            unlabeled: ``(m, height, width, channels)``, other images.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the terms of the loss by name.
        """
        updates = [(self.network, self.discriminator_optimizer)]
        gradients, logs = self.compute_gradients(self.classifier_loss, updates, (labeled, labels, unlabeled), rng)
        self.apply_gradients(updates, gradients)
        return logs

    def classifier_loss(self, labeled, labels, unlabeled, rng):
        """Computes the classifier's loss; see `classifier_step`.

        Args:
            labeled: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, the labels of ``labeled``.
            unlabeled: ``(m, height, width, channels)``, other images.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A tuple ``(loss, logs)`` of a scalar and a dict of scalars.
        """
        latents = self.sample_latents(unlabeled, rng)
        of_generator = Draws(self.networks, rng)
        fake = tf.stop_gradient(self._generate(latents, rng))
        logits, real_logits = self._classify_labeled(labeled, rng), self._classify(unlabeled, rng)
        of_classifier = Draws(self.networks, rng)
        fake_logits = self._classify(fake, rng)
        repeated = classify_generated(self._generate, self._classify, of_generator, of_classifier)
        outputs = self._outputs(unlabeled, real_logits, fake_logits, latents, fake, repeated, rng)
        return self._classifier_terms(labels, logits, outputs, rng)

    def generator_step(self, unlabeled, rng):
        """Updates the generator to match the mean features of real images.

        Args:
            unlabeled: ``(m, height, width, channels)`` float32 images in ``[-1, 1]``.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the losses and terms by name.
        """
        updates = self.generator_updates
        gradients, logs = self.compute_gradients(self.generator_loss, updates, (unlabeled,), rng)
        self.apply_gradients(updates, gradients)
        return logs

    @property
    def generator_updates(self):
        """The networks that are trained on the generator's loss, each with its optimizer, as a list of pairs."""
        return [(self.generator, self.generator_optimizer)]

    def generator_loss(self, unlabeled, rng):
        """Computes the generator's loss, feature matching with its regularizers.

        Args:
            unlabeled: ``(m, height, width, channels)`` float32 images in ``[-1, 1]``.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A tuple ``(losses, logs)``: a list with the scalar for each of `generator_updates`, and a dict of scalars.
        """
        real_features, latents = self._features(unlabeled, rng), self.sample_latents(unlabeled, rng)
        fake = self._generate(latents, rng)
        loss, logs = self._generator_terms(real_features, self._features(fake, rng), fake, latents, rng)
        return [loss] * len(self.generator_updates), logs

    def simultaneous_step(self, labeled, labels, unlabeled, rng):
        """Updates classifier and generator with gradients from one pass over the same generated images.

        Args:
            labeled: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, the labels of ``labeled``.
            unlabeled: ``(m, height, width, channels)``, other images.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the losses and terms by name.
        """
        updates = [(self.network, self.discriminator_optimizer), *self.generator_updates]
        gradients, logs = self.compute_gradients(self.simultaneous_losses, updates, (labeled, labels, unlabeled), rng)
        self.apply_gradients(updates, gradients)
        return logs

    def simultaneous_losses(self, labeled, labels, unlabeled, rng):
        """Computes the losses of classifier and generator in one pass over the same generated images.

        Args:
            labeled: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, the labels of ``labeled``.
            unlabeled: ``(m, height, width, channels)``, other images.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A tuple ``(losses, logs)``: a list with the scalars for the classifier and for each of `generator_updates`, and a
            dict of scalars.
        """
        latents = self.sample_latents(unlabeled, rng)
        of_generator = Draws(self.networks, rng)
        fake = self._generate(latents, rng)
        logits, real_features = self._classify_labeled(labeled, rng), self._features(unlabeled, rng)
        real_logits = self.network.class_logits(real_features, training=True)
        of_classifier = Draws(self.networks, rng)
        fake_features = self._features(fake, rng)
        fake_logits = self.network.class_logits(fake_features, training=True)
        repeated = classify_generated(self._generate, self._classify, of_generator, of_classifier)
        outputs = self._outputs(unlabeled, real_logits, fake_logits, latents, fake, repeated, rng)
        loss, logs = self._classifier_terms(labels, logits, outputs, rng)
        generator_loss, generator_logs = self._generator_terms(real_features, fake_features, fake, latents, rng)
        return [loss, *[generator_loss] * len(self.generator_updates)], logs | generator_logs

    def _outputs(self, unlabeled, unlabeled_logits, fake_logits, latents, fake, repeated, rng):
        return Outputs(
            unlabeled_logits,
            fake_logits,
            latents,
            fake,
            classify_generated=repeated,
            classify_by_average=lambda: self.classifier(self.augment(unlabeled, rng)),
            step=self.step.value,
        )

    def _classifier_terms(self, labels, logits, outputs, rng):
        real, fake = (tf.reduce_logsumexp(x, axis=-1) for x in (outputs.unlabeled_logits, outputs.fake_logits))
        labeled_loss, unlabeled_loss = self.labeled_loss(labels, logits), unlabeled_losses(real, fake)
        terms = classifier_terms(self.regularizers, outputs, rng)
        logs = {
            "labeled_loss": labeled_loss,
            "unlabeled_loss": unlabeled_loss,
            "train_accuracy": accuracy(labels, logits),
            "real_logits": tf.reduce_mean(real),
            "fake_logits": tf.reduce_mean(fake),
            "real_signs": tf.reduce_mean(tf.sign(real)),
        }
        loss = labeled_loss + self.unlabeled_weight * unlabeled_loss
        return add_terms(loss, terms), logs | terms

    def _generator_terms(self, real_features, fake_features, fake, latents, rng):
        """Returns the generator's loss and logs, given features of real and of generated images, these, and their latents."""
        means = (batch_mean(tf.cast(features, tf.float32)) for features in (real_features, fake_features))
        loss = self._generator_loss(*means)
        for regularizer in self.generator_regularizers:
            loss = loss + regularizer(fake_features)
        return loss, {"generator_loss": loss}

    def _generate(self, latents, rng):
        return self.generate_for_training(latents, None, rng)

    def _classify_labeled(self, images, rng):
        return self.network(self.labeled_augment(images, rng), training=True)

    def _classify(self, images, rng):
        return self.network(self.augment(images, rng), training=True)

    def _features(self, images, rng):
        return self.network.features(self.augment(images, rng), training=True)


def _body_of(discriminator):
    """Returns the layer from images to features of a discriminator, and checks that it returns a vector for each image."""
    body = discriminator.body
    if body is None:
        raise UserError(
            "this discriminator has no layer before its logits that a classifier can use: pass one with a body, or a "
            "Sequential or functional Keras model of several layers"
        )
    shape = body.compute_output_spec(keras.KerasTensor((None, *discriminator.image_shape))).shape
    if len(shape) != 2:
        raise UserError(
            f"the last layer of the discriminator takes features of shape {text(shape)}, but a classifier needs a vector for "
            "each image: put keras.layers.Flatten() before it, and end with keras.layers.Dense(1)"
        )
    return body
