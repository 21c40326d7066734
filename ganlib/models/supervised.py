"""`SupervisedClassifier`: the baseline, a classifier trained on labeled images alone."""

import keras
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib.losses import cross_entropy
from ganlib.networks.base import rescale
from ganlib.training import averaging
from ganlib.training.distributed import DistributedModel


class WithClassifier:
    """What the models that train a `ganlib.Classifier` share, beside `DistributedModel`.

    Attributes:
        network: the classifier in training.
        classifier: its moving average, a plain Keras model from images to ``(n, num_classes)`` class logits. A train step
            sets its ``temperature`` back to 1: the one of `ganlib.evaluation.classification.calibrate` fits earlier weights.
        uses_unlabeled: whether it is trained on ``(labeled_images, labels, unlabeled_images)`` instead of ``(images, labels)``.
    """

    uses_unlabeled = True

    @property
    def form(self):
        """What a batch of training data is made of, as in `ganlib.training.input_checks`."""
        images, labels = (self.network.image_shape, None), ((), self.network.num_classes)
        form = {"labeled images": images, "labels": labels, "unlabeled images": images}
        return form if self.uses_unlabeled else {"images": images, "labels": labels}

    def _missing_part(self):
        return f"this classifier is trained on batches of ({', '.join(self.form)}), and not all of them are there"

    def add_classifier(self, network):
        """Sets ``network``, made under the model's strategy, and its average."""
        self.network = network
        with self.distribute_strategy.scope():
            self.classifier = averaging.clone_network(network)

    @property
    def averages(self):
        """Pairs of an averaged network and the one that it follows."""
        return [*super().averages, (self.classifier, self.network)]

    def end_step(self):
        """Ends a train step, after which the classifier is another one, not calibrated yet."""
        super().end_step()
        self.classifier.temperature.assign(1.0)

    def classify(self, images, batch_size=256):
        """Images -> ``(n, num_classes)`` float32 probabilities, from the averaged classifier."""
        return self.classifier.classify(images, batch_size)


@keras.saving.register_keras_serializable("ganlib")
class SupervisedClassifier(WithClassifier, DistributedModel):
    """Trains a `ganlib.Classifier` by cross-entropy, with the same moving average as `SemiSupervisedGAN`.

    Args:
        network: a `ganlib.Classifier`.

    Attributes:
        classifier: the moving average of ``network``, a plain Keras model from images to class logits.
    """

    parts = ("network",)
    uses_unlabeled = False

    def __init__(self, network, **kwargs):
        super().__init__(**kwargs)
        self.add_classifier(network)

    @property
    def networks(self):
        return [self.network]

    def compile(self, optimizer, augment=None, **shared):
        """Sets how the network is trained; the arguments are as in `ganlib.GAN.compile`."""
        self.augment = augmentations.get_fixed(augment)
        self.configure({"optimizer": (optimizer, self.network)}, {"augment": augment}, **shared)

    def train_step(self, data):
        """One step on a batch of ``(images, labels)``; returns the logs."""
        updates = [(self.network, self.optimizer)]
        gradients, logs = self.compute_gradients(self.classifier_loss, updates, data, self.random_stream())
        self.apply_gradients(updates, gradients)
        self.end_step()
        return logs

    def classifier_loss(self, images, labels, rng):
        """``(loss, logs)``: the cross-entropy of a batch of augmented images."""
        logits = self.network(self.augment(rescale(images), rng), training=True)
        loss = cross_entropy(labels, logits)
        return loss, {"loss": loss, "train_accuracy": accuracy(labels, logits)}

    def call(self, images, training=False):
        """Images -> ``(n, num_classes)`` logits of the averaged classifier."""
        return self.classifier(images, training=training)


def accuracy(labels, logits):
    """The share of the batch whose largest logit is the label's: a scalar in [0, 1]."""
    hits = tf.argmax(logits, axis=-1) == tf.cast(labels, tf.int64)
    return tf.reduce_mean(tf.cast(hits, tf.float32))
