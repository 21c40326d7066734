"""`TripleGAN`: a classifier, a conditional generator and a discriminator of pairs learn from few labels together.

Li et al. 2017, "Triple generative adversarial nets" (arXiv:1703.02291).
"""

import keras
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.losses import cross_entropy, triple_classifier_loss, triple_discriminator_loss
from ganlib.models.gan import GAN
from ganlib.models.supervised import WithClassifier, accuracy
from ganlib.networks.base import rescale
from ganlib.regularizers import Outputs, classifier_terms, listed


@keras.saving.register_keras_serializable("ganlib")
class TripleGAN(WithClassifier, GAN):
    """The discriminator tells labelled images with their labels from two kinds of false pairs: generated images with
    the labels they were made of, and unlabelled images with the classes that the classifier gives them.

    Args:
        generator: a conditional `ganlib.networks.Generator`.
        discriminator: a conditional `ganlib.networks.Discriminator`.
        network: a `ganlib.Classifier` of the same classes, on a body of its own.

    Raises:
        UserError: if the classes are not as many.

    Attributes:
        classifier: the moving average of ``network``, a plain Keras model from images to class logits.
    """

    parts = ("generator", "discriminator", "network")

    def __init__(self, generator, discriminator, network, **kwargs):
        if generator.num_classes != network.num_classes:
            raise UserError(
                f"the generator has {generator.num_classes} classes, the classifier {network.num_classes}: make them equal"
            )
        super().__init__(generator, discriminator, **kwargs)
        self.add_classifier(network)

    @property
    def networks(self):
        return [self.generator, self.discriminator, self.network]

    def compile(self, generator_optimizer, discriminator_optimizer, classifier_optimizer, augment=None, alpha=0.5,
                adversarial_weight=0.01, generated_weight=0.1, regularizers=(), **shared):  # fmt: skip
        """Sets how the networks are trained.

        Args:
            generator_optimizer: a Keras optimizer.
            discriminator_optimizer: another one.
            classifier_optimizer: a third one.
            augment: what all images pass before the classifier and the discriminator; None for nothing.
            alpha: the share of the classifier's pairs among the false ones; the paper has 0.5.
            adversarial_weight: of the classifier's loss against the discriminator; the authors' code has 0.01.
            generated_weight: of the cross-entropy of generated images (alpha_P in the paper, where it is 0.1).
            regularizers: terms of the classifier's loss, such as `ganlib.regularizers.ConditionalEntropy`, which the
                authors use too.
            shared: as in `ganlib.GAN.compile`.
        """
        self._set_augment(augment)
        self.alpha, self.adversarial_weight, self.generated_weight = alpha, adversarial_weight, generated_weight
        self.regularizers = listed("regularizers", regularizers)
        self.configure(
            {
                "generator_optimizer": (generator_optimizer, self.generator),
                "discriminator_optimizer": (discriminator_optimizer, self.discriminator),
                "classifier_optimizer": (classifier_optimizer, self.network),
            },
            {
                "augment": augment, "alpha": alpha, "adversarial_weight": adversarial_weight,
                "generated_weight": generated_weight, "regularizers": self.regularizers,
            },
            **shared,
        )  # fmt: skip

    def train_step(self, data):
        """One step on ``data``, a batch of ``(labeled_images, labels, unlabeled_images)``; returns the logs."""
        labeled, labels, unlabeled = data
        labeled, unlabeled, random = rescale(labeled), rescale(unlabeled), self.random_stream()
        logs = self.discriminator_step(labeled, labels, unlabeled, random)
        logs |= self.classifier_step(labeled, labels, unlabeled, random)
        logs |= self.generator_step(unlabeled, None, random)
        self.end_step()
        return logs

    def discriminator_step(self, labeled, labels, unlabeled, random):
        """Updates the discriminator to tell labelled pairs from those of the generator and of the classifier."""

        def losses_of(labeled, labels, unlabeled, random):
            fake, fake_labels, _ = self._generated(unlabeled, random)
            guessed_labels = tf.argmax(self._classify(unlabeled, random), axis=-1)
            real_logits = self._critic(labels, random)(labeled)
            fake_logits = self._critic(fake_labels, random)(tf.stop_gradient(fake))
            guessed_logits = self._critic(guessed_labels, random)(unlabeled)
            loss = triple_discriminator_loss(real_logits, fake_logits, guessed_logits, self.alpha)
            return [loss], self._discriminator_logs(loss, real_logits, fake_logits)

        updates = [(self.discriminator, self.discriminator_optimizer)]
        return self._adapted(self.descend(losses_of, updates, (labeled, labels, unlabeled), random), labeled)

    def classifier_step(self, labeled, labels, unlabeled, random):
        """Updates the classifier: labels of labelled and of generated images, and classes that the discriminator believes.

        Args:
            labeled: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, theirs.
            unlabeled: ``(m, height, width, channels)``, other images.
            random: a `ganlib.training.RandomStream`, for latents and augmentation.

        Returns:
            A dict of scalars, the terms of the loss by name.
        """

        def losses_of(labeled, labels, unlabeled, random):
            fake, fake_labels, latents = self._generated(unlabeled, random)
            logits, unlabeled_logits = self._classify(labeled, random), self._classify(unlabeled, random)
            fake_logits = self._classify(tf.stop_gradient(fake), random)
            guessed_labels = tf.argmax(unlabeled_logits, axis=-1)
            judged = tf.stop_gradient(self._critic(guessed_labels, random)(unlabeled))
            labeled_loss, generated_loss = cross_entropy(labels, logits), cross_entropy(fake_labels, fake_logits)
            adversarial_loss = triple_classifier_loss(unlabeled_logits, judged)
            outputs = Outputs(
                unlabeled_logits,
                fake_logits,
                latents,
                classify_generated=lambda z: self._classify(self._generate_from(z, fake_labels, random), random),
                classify_by_average=lambda: self.classifier(self.augment(unlabeled, random)),
                step=self.step.value,
            )
            terms = classifier_terms(self.regularizers, outputs, random)
            loss = labeled_loss + self.generated_weight * generated_loss + self.adversarial_weight * adversarial_loss
            return [sum(terms.values(), loss)], {
                "labeled_loss": labeled_loss, "generated_loss": generated_loss, "adversarial_loss": adversarial_loss,
                "train_accuracy": accuracy(labels, logits), **terms,
            }  # fmt: skip

        return self.descend(losses_of, [(self.network, self.classifier_optimizer)], (labeled, labels, unlabeled), random)

    def generator_step(self, real, labels, random):
        """Updates the generator to make pairs that the discriminator takes for labelled ones."""

        def losses_of(real, random):
            fake, fake_labels, _ = self._generated(real, random)
            loss = (1.0 - self.alpha) * tf.reduce_mean(tf.nn.softplus(-self._critic(fake_labels, random)(fake)))
            return [loss], {"generator_loss": loss}

        return self.descend(losses_of, [(self.generator, self.generator_optimizer)], (real,), random)

    def _generated(self, real, random):
        """``(images, labels, latents)``, as many as ``real``, of labels that are drawn alike."""
        labels = random.integers((tf.shape(real)[0],), 0, self.generator.num_classes)
        latents = self._latents_for(real, random)
        return self._generate_from(latents, labels, random), labels, latents

    def _classify(self, images, random):
        return self.network(self.augment(images, random), training=True)
