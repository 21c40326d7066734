"""`SemiSupervisedGAN`: a classifier learns from few labelled and many unlabelled images, against a generator.

Salimans et al. 2016, "Improved techniques for training GANs" (arXiv:1606.03498), sections 3.1 and 5.
"""

import keras
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib.gan import GAN
from ganlib.networks import Classifier
from ganlib.networks.base import rescale
from ganlib.supervised import accuracy, cross_entropy
from ganlib.training import averaging


@keras.saving.register_keras_serializable("ganlib")
class SemiSupervisedGAN(GAN):
    """A GAN whose discriminator is a classifier of K classes, with "generated" as class K + 1.

    The logit of "generated" is fixed at 0, so that D(x) = Z / (Z + 1) with Z the sum of the exponentials of the K
    class logits. The generator learns by feature matching.

    Args:
        generator: an unconditional `ganlib.networks.Generator`.
        discriminator: a `ganlib.networks.Discriminator` without classes. Its body is trained under a class head; its
            own head is left alone.
        num_classes: the number of classes K.

    Attributes:
        network: the `ganlib.Classifier` in training.
        classifier: its moving average, a plain Keras model from images to ``(n, K)`` class logits.

    Example:
        >>> from ganlib.networks import mlp
        >>> from ganlib import SemiSupervisedGAN
        >>> sgan = SemiSupervisedGAN(mlp.Generator((8, 8, 1), 16), mlp.Discriminator((8, 8, 1)), num_classes=10)
        >>> sgan.classifier.num_classes
        10
    """

    parts = ("generator", "discriminator", "num_classes")

    def __init__(self, generator, discriminator, num_classes, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.num_classes = num_classes
        with self.distribute_strategy.scope():
            self.network = Classifier(discriminator.body, generator.image_shape, num_classes)
            self.classifier = averaging.copy_of(self.network)

    def compile(self, generator_optimizer, discriminator_optimizer, augment=None, unlabeled_weight=1.0, ema_decay=0.999,
                seed=0, jit_compile="auto", steps_per_execution=1, run_eagerly=False):  # fmt: skip
        """Sets how the networks are trained.

        Args:
            generator_optimizer: a Keras optimizer.
            discriminator_optimizer: another one, for the classifier and the discriminator's features.
            augment: what labelled, unlabelled and generated images pass before the classifier; None for nothing.
            unlabeled_weight: what the loss on unlabelled and generated images is multiplied by.
            ema_decay: the decay of the moving averages of the generator and of the classifier.
            seed, jit_compile, steps_per_execution, run_eagerly: as in `ganlib.GAN.compile`.
        """
        self.augment = augmentations.get(augment)
        self.unlabeled_weight = unlabeled_weight
        self.configure(
            {
                "generator_optimizer": (generator_optimizer, self.generator),
                "discriminator_optimizer": (discriminator_optimizer, self.network),
            },
            {
                "augment": augment, "unlabeled_weight": unlabeled_weight, "ema_decay": ema_decay, "seed": seed,
                "jit_compile": jit_compile, "steps_per_execution": steps_per_execution, "run_eagerly": run_eagerly,
            },
        )  # fmt: skip

    def train_step(self, data):
        """One step on a batch of ``(labeled_images, labels, unlabeled_images)``; returns the logs."""
        labeled, labels, unlabeled = data
        labeled, unlabeled = rescale(labeled), rescale(unlabeled)
        random = self.random_stream(self.generator, self.network)
        logs = self.classifier_step(labeled, labels, unlabeled, random) | self.generator_step(unlabeled, None, random)
        averaging.update(self.ema_generator, self.generator, self.ema_decay, self.step.value)
        averaging.update(self.classifier, self.network, self.ema_decay, self.step.value)
        self.step.assign_add(1)
        return logs

    def classifier_step(self, labeled, labels, unlabeled, random):
        """Updates the classifier: the label of labelled images, "real" for unlabelled, "generated" for generated ones."""
        fake = self._generate_for(unlabeled, None, random)
        with tf.GradientTape() as tape:
            logits = self._classify(labeled, random)
            real_logits = tf.reduce_logsumexp(self._classify(unlabeled, random), axis=-1)
            fake_logits = tf.reduce_logsumexp(self._classify(fake, random), axis=-1)
            labeled_loss = cross_entropy(labels, logits)
            unlabeled_loss = unlabeled_losses(real_logits, fake_logits)
            loss = labeled_loss + self.unlabeled_weight * unlabeled_loss
            objective = self.objective(loss, self.discriminator_optimizer)
        self.minimize(tape, objective, self.network, self.discriminator_optimizer)
        return {
            "labeled_loss": labeled_loss,
            "unlabeled_loss": unlabeled_loss,
            "train_accuracy": accuracy(labels, logits),
            "real_logits": tf.reduce_mean(real_logits),
            "fake_logits": tf.reduce_mean(fake_logits),
        }

    def generator_step(self, real, labels, random):
        """Updates the generator to match the mean features of real images."""
        real_features = self.batch_mean(self._features(real, random))
        with tf.GradientTape() as tape:
            fake_features = self.batch_mean(self._features(self._generate_for(real, None, random), random))
            loss = feature_matching(real_features, fake_features)
            objective = self.objective(loss, self.generator_optimizer)
        self.minimize(tape, objective, self.generator, self.generator_optimizer)
        return {"generator_loss": loss}

    def classify(self, images, batch_size=256):
        """Images -> ``(n, num_classes)`` float32 probabilities, from the averaged classifier."""
        return self.classifier.classify(images, batch_size)

    def _classify(self, images, random):
        return self.network(self.augment(images, random), training=True)

    def _features(self, images, random):
        return self.network.features(self.augment(images, random), training=True)


def unlabeled_losses(real_logits, fake_logits):
    """-1/2 E log D(x) - 1/2 E log(1 - D(G(z))) with D = sigmoid(logit): ``(n,)``, ``(n,)`` -> scalar.

    The halves are those of the authors' code; section 5 of the paper has none.
    """
    return 0.5 * tf.reduce_mean(tf.nn.softplus(-real_logits)) + 0.5 * tf.reduce_mean(tf.nn.softplus(fake_logits))


def feature_matching(real_mean, fake_mean):
    """The squared distance of the mean features, divided by their number: ``(F,)``, ``(F,)`` -> scalar.

    The division is that of the authors' code; the paper (section 3.1) has the plain squared norm.
    """
    return tf.reduce_mean(tf.square(real_mean - fake_mean))
