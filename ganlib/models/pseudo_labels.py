"""`PseudoLabelClassifier`: a modern semi-supervised baseline without a GAN.

Lee 2013, "Pseudo-label". With a strong augmentation it is FixMatch, Sohn et al. 2020 (arXiv:2001.07685), which uses RandAugment
or CTAugment.
"""

import types

import keras
import tensorflow as tf

from ganlib import augment as augmentations
from ganlib.losses import pseudo_label_loss
from ganlib.models.supervised import SupervisedClassifier, accuracy
from ganlib.networks.base import rescale
from ganlib.training.distributed import split_arguments


@keras.saving.register_keras_serializable("ganlib")
class PseudoLabelClassifier(SupervisedClassifier):
    """A classifier trained on labels, and on its own confident predictions for unlabeled images.

    An unlabeled image is classified under the weak augmentation. If the largest probability reaches ``threshold``,
    that class becomes the label of the same image under the strong augmentation.

    Args:
        network: A `ganlib.Classifier`, or a Keras model that `ganlib.networks.wrapped.classifier` accepts.

    Attributes:
        classifier: The moving average of ``network``, a plain Keras model from images to class logits.
    """

    uses_unlabeled = True
    logs_loss = False
    earlier_arguments = types.MappingProxyType({"joint_pass": False})

    def compile(
        self,
        optimizer=None,
        augment=None,
        strong_augment=None,
        threshold=0.95,
        unlabeled_weight=1.0,
        class_weights=None,
        joint_pass=True,
        weight_decay=0.0,
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
            optimizer: A Keras optimizer, its name or its config. Defaults to None, which is Adam with a learning rate of 2e-4
                and ``beta_1=0.5``.
            augment: The weak augmentation, such as ``"translation"``. Defaults to None, which applies none.
            strong_augment: The strong augmentation, such as ``"flip,shift,randaugment"``, or a
                `ganlib.augment.CTAugment`, by name ``"flip,shift,ctaugment"``, which learns its strengths from the labeled
                images. Defaults to None, which uses the weak augmentation; this is Lee's method.
            threshold: The probability that a prediction must reach to become a label, in ``[0, 1]``. Defaults to 0.95.
            unlabeled_weight: The weight of the loss on unlabeled images. Defaults to 1.0.
            joint_pass: Whether labeled and unlabeled images are classified in one pass, so that batch normalization has the
                statistics of all of them, as in FixMatch's code. Otherwise each kind has a pass. Defaults to True.
            weight_decay: The weight of half the squared norm of all kernels in the loss; FixMatch's authors use 5e-4. Defaults
                to 0.0.
            class_weights: The factors of the loss of the labeled images of each class, a list of ``num_classes`` numbers.
                Defaults to None, which weights all images equally.
            ema_decay, seed, accumulation_steps, non_finite, jit_compile, steps_per_execution, run_eagerly: See
                `ganlib.training.DistributedModel.configure`.

        Raises:
            UserError: If there are not as many class weights as classes, or one of them is negative or not a number.
        """
        own, shared = split_arguments(locals())
        self.class_weights = own["class_weights"] = self._checked_class_weights(class_weights)
        self.augment = augmentations.get_fixed(augment)
        self.strong_augment = augmentations.get_strong(strong_augment or augment)
        self.augment_state = None
        if isinstance(self.strong_augment, augmentations.CTAugment):
            with self.distribute_strategy.scope():
                self.strong_augment.build()
            self.augment_state = self.strong_augment.state
        self.threshold, self.unlabeled_weight = threshold, unlabeled_weight
        self.joint_pass, self.weight_decay = joint_pass, weight_decay
        self.configure({"optimizer": (optimizer, self.network)}, own, **shared)

    def classifier_loss(self, labeled, labels, unlabeled, rng):
        """Computes the loss of a batch of labeled and unlabeled images; see the class.

        Args:
            labeled: ``(n, height, width, channels)`` images, as in `fit`.
            labels: ``(n,)`` integers, the labels of ``labeled``.
            unlabeled: ``(m, height, width, channels)``, other images.
            rng: A `ganlib.training.RandomStream` for the augmentation.

        Returns:
            A tuple ``(loss, logs)`` of a scalar and a dict of scalars.
        """
        labeled, unlabeled = rescale(labeled), rescale(unlabeled)
        weak, labeled, strong = self.augment(unlabeled, rng), self.augment(labeled, rng), self.strong_augment(unlabeled, rng)
        weak_logits, logits, strong_logits = self._classify(weak, labeled, strong)
        probabilities = tf.stop_gradient(tf.nn.softmax(weak_logits))
        pseudo_labels, mask = tf.argmax(probabilities, axis=-1), tf.reduce_max(probabilities, axis=-1) >= self.threshold
        labeled_loss = self.labeled_loss(labels, logits)
        unlabeled_loss = pseudo_label_loss(pseudo_labels, mask, strong_logits)
        loss = labeled_loss + self.unlabeled_weight * unlabeled_loss
        if self.weight_decay:
            loss = loss + self.weight_decay * _half_squared_norm(self.network)
        return loss, {
            "labeled_loss": labeled_loss,
            "unlabeled_loss": unlabeled_loss,
            "train_accuracy": accuracy(labels, logits),
            "sure": tf.reduce_mean(tf.cast(mask, tf.float32)),
        }

    def update_augmentation(self, data, rng):
        """Updates the weights of `ganlib.augment.CTAugment`. Does nothing for other augmentations.

        The averaged classifier classifies the labeled images under the weak augmentation and transformations at all strengths.

        Args:
            data: The batch of this step: labeled images, their labels, unlabeled images.
            rng: A `ganlib.training.RandomStream`.

        Returns:
            A dict of scalars for the logs: ``"probe_match"``, the mean probability of the labels of these images.
        """
        if self.augment_state is None:
            return {}
        images, labels, _ = data
        probes, numbers, levels = self.strong_augment.probe(self.augment(rescale(images), rng), rng)
        probabilities = tf.nn.softmax(self.classifier(probes, training=False))
        matches = tf.gather(probabilities, tf.cast(labels, tf.int32), axis=1, batch_dims=1)
        self.strong_augment.update(numbers, levels, matches)
        return {"probe_match": tf.reduce_mean(matches)}

    def _classify(self, *batches):
        """Returns the logits of each of several batches of images, as a list."""
        if not self.joint_pass:
            return [self.network(images, training=True) for images in batches]
        logits = self.network(tf.concat(batches, axis=0), training=True)
        return tf.split(logits, [tf.shape(images)[0] for images in batches])


def _half_squared_norm(network):
    """Returns half the sum of the squares of all trainable kernels of a network, a scalar."""
    kernels = [variable for variable in network.trainable_variables if "kernel" in variable.name]
    return sum((tf.nn.l2_loss(tf.convert_to_tensor(kernel)) for kernel in kernels), 0.0)
