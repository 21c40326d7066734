"""`SemiSupervisedGAN`: a classifier learns from few labelled and many unlabelled images, against a generator.

Salimans et al. 2016, "Improved techniques for training GANs" (arXiv:1606.03498), sections 3.1 and 5.
"""

import keras
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib.errors import UserError, choose, integer
from ganlib.losses import GENERATOR_LOSSES, cross_entropy, unlabeled_losses
from ganlib.models.gan import GAN
from ganlib.models.supervised import WithClassifier, accuracy
from ganlib.networks import Classifier
from ganlib.networks.base import rescale
from ganlib.regularizers import Outputs, classifier_terms, listed
from ganlib.training.replicas import batch_mean


@keras.saving.register_keras_serializable("ganlib")
class SemiSupervisedGAN(WithClassifier, GAN):
    """A GAN whose discriminator is a classifier of K classes, with "generated" as class K + 1.

    The logit of "generated" is fixed at 0, so that D(x) = Z / (Z + 1) with Z the sum of the exponentials of the K
    class logits. The generator learns by feature matching. With `ganlib.regularizers` it is Bad GAN (Dai et al. 2017,
    arXiv:1705.09783) or manifold regularisation (Lecouat et al. 2018, arXiv:1805.08957).

    Args:
        generator: an unconditional `ganlib.networks.Generator`.
        discriminator: a `ganlib.networks.Discriminator` without classes. Its body is trained under a class head; its
            own head is left alone.
        num_classes: the number of classes K, at least 2.

    Raises:
        UserError: for a conditional generator, and fewer classes.

    Attributes:
        network: the `ganlib.Classifier` in training.
        classifier: its moving average, a plain Keras model from images to ``(n, K)`` class logits.

    Examples:
        >>> from ganlib.networks import mlp
        >>> from ganlib import SemiSupervisedGAN
        >>> sgan = SemiSupervisedGAN(mlp.Generator((8, 8, 1), 16), mlp.Discriminator((8, 8, 1)), num_classes=10)
        >>> sgan.classifier.num_classes
        10
    """

    parts = ("generator", "discriminator", "num_classes")

    def __init__(self, generator, discriminator, num_classes, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        if generator.conditions:
            raise UserError("this generator is conditional, and a semi-supervised GAN's is not: leave out its num_classes")
        self.num_classes = integer("num_classes", num_classes, 2)
        with self.distribute_strategy.scope():
            head = discriminator.class_head(num_classes)
            dtype = discriminator.dtype_policy
            network = Classifier(discriminator.body, generator.image_shape, num_classes, head, dtype=dtype)
        self.add_classifier(network)

    @property
    def networks(self):
        return [self.generator, self.network]

    def compile(self, generator_optimizer, discriminator_optimizer, augment=None, labeled_augment=None,
                unlabeled_weight=1.0, generator_loss="feature_matching", regularizers=(), generator_regularizers=(),
                update="alternating", **shared):  # fmt: skip
        """Sets how the networks are trained.

        Args:
            generator_optimizer: a Keras optimizer.
            discriminator_optimizer: another one, for the classifier and the discriminator's features.
            augment: what unlabelled and generated images pass before the classifier; None for nothing.
            labeled_augment: what labelled images pass; None takes ``augment``.
            unlabeled_weight: what the loss on unlabelled and generated images is multiplied by.
            generator_loss: a name out of `ganlib.losses.GENERATOR_LOSSES`.
            regularizers: terms of the classifier's loss, such as `ganlib.regularizers.ConditionalEntropy`.
            generator_regularizers: terms of the generator's loss, such as `ganlib.regularizers.PullAway`.
            update: ``"alternating"`` updates the classifier and then, on new latents, the generator against the
                updated classifier; ``"simultaneous"`` computes both gradients from one pass and then updates both.
            shared: as in `ganlib.GAN.compile`.

        Raises:
            UserError: for an unknown loss or update.
        """
        updates = {"alternating": self._alternating_update, "simultaneous": self._simultaneous_update}
        self._update = choose("update", update, updates)
        self._generator_loss = choose("generator loss", generator_loss, GENERATOR_LOSSES)
        self._set_augment(augment)
        self.labeled_augment = augmentations.get(labeled_augment or augment)
        self.unlabeled_weight = unlabeled_weight
        self.regularizers = listed("regularizers", regularizers)
        self.generator_regularizers = listed("generator_regularizers", generator_regularizers)
        self.configure(
            {
                "generator_optimizer": (generator_optimizer, self.generator),
                "discriminator_optimizer": (discriminator_optimizer, self.network),
            },
            {
                "augment": augment, "labeled_augment": labeled_augment, "unlabeled_weight": unlabeled_weight,
                "generator_loss": generator_loss, "regularizers": self.regularizers,
                "generator_regularizers": self.generator_regularizers, "update": update,
            },
            **shared,
        )  # fmt: skip

    def train_step(self, data):
        """One step on ``data``, a batch of ``(labeled_images, labels, unlabeled_images)``; returns the logs."""
        labeled, labels, unlabeled = data
        logs = self._update(rescale(labeled), labels, rescale(unlabeled), self.random_stream())
        self.end_step()
        return logs

    def _alternating_update(self, labeled, labels, unlabeled, random):
        return self.classifier_step(labeled, labels, unlabeled, random) | self.generator_step(unlabeled, None, random)

    def classifier_step(self, labeled, labels, unlabeled, random):
        """Updates the classifier: the label of labelled images, "real" for unlabelled, "generated" for generated ones.

        Args:
            labeled: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, theirs.
            unlabeled: ``(m, height, width, channels)``, other images.
            random: a `ganlib.training.RandomStream`, for latents and augmentation.

        Returns:
            A dict of scalars, the terms of the loss by name.
        """

        def losses_of(labeled, labels, unlabeled, random):
            latents = self._latents_for(unlabeled, random)
            fake = tf.stop_gradient(self._generate_from(latents, None, random))
            logits = self._classify_labeled(labeled, random)
            real, fake = self._classify(unlabeled, random), self._classify(fake, random)
            loss, logs = self._classifier_loss(labels, logits, self._outputs(unlabeled, real, fake, latents, random), random)
            return [loss], logs

        updates = [(self.network, self.discriminator_optimizer)]
        return self._adapted(self.descend(losses_of, updates, (labeled, labels, unlabeled), random), unlabeled)

    def generator_step(self, real, labels, random):
        """Updates the generator to match the mean features of real images."""

        def losses_of(real, random):
            real_features = self._features(real, random)
            fake = self._generate_for(real, None, random)
            loss = self._loss_of_generator(real_features, self._features(fake, random))
            return [loss], {"generator_loss": loss}

        return self.descend(losses_of, [(self.generator, self.generator_optimizer)], (real,), random)

    def _simultaneous_update(self, labeled, labels, unlabeled, random):
        def losses_of(labeled, labels, unlabeled, random):
            latents = self._latents_for(unlabeled, random)
            fake = self._generate_from(latents, None, random)
            logits = self._classify_labeled(labeled, random)
            real_features, fake_features = self._features(unlabeled, random), self._features(fake, random)
            real, fake = (self.network.class_logits(x, training=True) for x in (real_features, fake_features))
            loss, logs = self._classifier_loss(labels, logits, self._outputs(unlabeled, real, fake, latents, random), random)
            generator_loss = self._loss_of_generator(real_features, fake_features)
            return [loss, generator_loss], logs | {"generator_loss": generator_loss}

        updates = [(self.network, self.discriminator_optimizer), (self.generator, self.generator_optimizer)]
        return self._adapted(self.descend(losses_of, updates, (labeled, labels, unlabeled), random), unlabeled)

    def _outputs(self, unlabeled, unlabeled_logits, fake_logits, latents, random):
        return Outputs(
            unlabeled_logits,
            fake_logits,
            latents,
            classify_generated=lambda latents: self._classify(self._generate_from(latents, None, random), random),
            classify_by_average=lambda: self.classifier(self.augment(unlabeled, random)),
            step=self.step.value,
        )

    def _classifier_loss(self, labels, logits, outputs, random):
        real, fake = (tf.reduce_logsumexp(x, axis=-1) for x in (outputs.unlabeled_logits, outputs.fake_logits))
        labeled_loss, unlabeled_loss = cross_entropy(labels, logits), unlabeled_losses(real, fake)
        terms = classifier_terms(self.regularizers, outputs, random)
        logs = {
            "labeled_loss": labeled_loss, "unlabeled_loss": unlabeled_loss, "train_accuracy": accuracy(labels, logits),
            "real_logits": tf.reduce_mean(real), "fake_logits": tf.reduce_mean(fake),
            "real_signs": tf.reduce_mean(tf.sign(real)),
        }  # fmt: skip
        return sum(terms.values(), labeled_loss + self.unlabeled_weight * unlabeled_loss), logs | terms

    def _loss_of_generator(self, real_features, fake_features):
        means = (batch_mean(tf.cast(features, tf.float32)) for features in (real_features, fake_features))
        loss = self._generator_loss(*means)
        return sum((r(fake_features) for r in self.generator_regularizers), loss)

    def _classify_labeled(self, images, random):
        return self.network(self.labeled_augment(images, random), training=True)

    def _classify(self, images, random):
        return self.network(self.augment(images, random), training=True)

    def _features(self, images, random):
        return self.network.features(self.augment(images, random), training=True)
