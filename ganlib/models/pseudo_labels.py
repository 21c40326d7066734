"""`PseudoLabelClassifier`: the baseline without a GAN that a practitioner would use today.

Lee 2013, "Pseudo-label"; with a strong augmentation it is FixMatch: Sohn et al. 2020 (arXiv:2001.07685).
"""

import keras
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib.losses import cross_entropy, pseudo_label_loss
from ganlib.models.supervised import SupervisedClassifier, accuracy
from ganlib.networks.base import rescale


@keras.saving.register_keras_serializable("ganlib")
class PseudoLabelClassifier(SupervisedClassifier):
    """Learns from labels, and from its own where it is sure of them.

    An unlabeled image is classified under the weak augmentation. If the largest probability reaches ``threshold``,
    that class is its label under the strong one.

    Args:
        network: a `ganlib.Classifier`.

    Attributes:
        classifier: the moving average of ``network``, a plain Keras model from images to class logits.
    """

    uses_unlabeled = True

    def compile(self, optimizer, augment=None, strong_augment=None, threshold=0.95, unlabeled_weight=1.0, **shared):
        """Sets how the network is trained.

        Args:
            optimizer: a Keras optimizer.
            augment: the weak augmentation, such as ``"translation"``; None for nothing.
            strong_augment: the strong one, such as ``"color,translation,cutout"``; None takes the weak one, and then
                it is Lee's method.
            threshold: of the probability, in ``[0, 1]``.
            unlabeled_weight: what the loss on unlabeled images is multiplied by.
            shared: as in `ganlib.GAN.compile`.
        """
        self.augment = augmentations.get_fixed(augment)
        self.strong_augment = augmentations.get_fixed(strong_augment or augment)
        self.threshold, self.unlabeled_weight = threshold, unlabeled_weight
        self.configure(
            {"optimizer": (optimizer, self.network)},
            {
                "augment": augment, "strong_augment": strong_augment, "threshold": threshold,
                "unlabeled_weight": unlabeled_weight,
            },
            **shared,
        )  # fmt: skip

    def classifier_loss(self, labeled, labels, unlabeled, rng):
        """``(loss, logs)`` of a batch of ``(labeled_images, labels, unlabeled_images)``; see the class."""
        labeled, unlabeled = rescale(labeled), rescale(unlabeled)
        probabilities = tf.stop_gradient(tf.nn.softmax(self.network(self.augment(unlabeled, rng), training=True)))
        pseudo_labels, mask = tf.argmax(probabilities, axis=-1), tf.reduce_max(probabilities, axis=-1) >= self.threshold
        logits = self.network(self.augment(labeled, rng), training=True)
        strong_logits = self.network(self.strong_augment(unlabeled, rng), training=True)
        labeled_loss = cross_entropy(labels, logits)
        unlabeled_loss = pseudo_label_loss(pseudo_labels, mask, strong_logits)
        return labeled_loss + self.unlabeled_weight * unlabeled_loss, {
            "labeled_loss": labeled_loss, "unlabeled_loss": unlabeled_loss, "train_accuracy": accuracy(labels, logits),
            "sure": tf.reduce_mean(tf.cast(mask, tf.float32)),
        }  # fmt: skip
