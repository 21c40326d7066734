"""`TripleGAN`: a classifier, a conditional generator and a discriminator of pairs, trained together on few labels.

Li et al. 2017, "Triple generative adversarial nets" (arXiv:1703.02291).
"""

import types

import keras
import tensorflow as tf

from ganlib.errors import UserError, choose, integer
from ganlib.losses import TRIPLE_CLASSIFIER_LOSSES, cross_entropy, triple_discriminator_loss
from ganlib.models.adversarial import AdversarialModel, add_terms, discriminator_logs
from ganlib.models.supervised import WithClassifier, accuracy
from ganlib.networks.base import rescale
from ganlib.regularizers import CLASSIFIER_TERMS, Outputs, classifier_terms, listed
from ganlib.training import gradients
from ganlib.training.distributed import split_arguments
from ganlib.training.draws import Draws, classify_generated


@keras.saving.register_keras_serializable("ganlib")
class TripleGAN(WithClassifier, AdversarialModel):
    """A GAN whose discriminator distinguishes real pairs of an image and a label from two kinds of fake pairs.

    The fake pairs are generated images with the labels that they are conditioned on, and unlabeled images with the classes
    that the classifier predicts. The real pairs are labeled images with their labels, and, with another weight, the pairs of
    the classifier again: with a hundred labeled pairs alone, the discriminator would learn these by heart.

    Args:
        generator: A conditional `ganlib.networks.Generator`, or a Keras model, as for `ganlib.GAN`.
        discriminator: A conditional `ganlib.networks.Discriminator`, or a Keras model.
        network: A `ganlib.Classifier` with the same classes, or a Keras model that `ganlib.networks.wrapped.classifier`
            accepts. It shares no layers with the discriminator.

    Raises:
        UserError: If the numbers of classes differ.

    Attributes:
        classifier: The moving average of ``network``, a plain Keras model from images to class logits.
    """

    parts = ("generator", "discriminator", "network")
    earlier_arguments = types.MappingProxyType({"labeled_fraction": 1.0, "adversarial_loss": "saturating"})

    def __init__(self, generator, discriminator, network, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.add_classifier(network)
        if self.generator.num_classes != self.network.num_classes:
            raise UserError(
                f"the generator has {self.generator.num_classes} classes, but the classifier has {self.network.num_classes}: "
                "make them equal"
            )

    @property
    def networks(self):
        return [self.generator, self.discriminator, self.network]

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        classifier_optimizer=None,
        augment=None,
        alpha=0.5,
        adversarial_weight=0.5,
        generated_weight=0.1,
        regularizers=(),
        labeled_fraction=1 / 401,
        adversarial_loss="non_saturating",
        generated_from_step=0,
        pretraining_steps=0,
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
            classifier_optimizer: A third one, for the classifier. Defaults to None, as for the generator.
            augment: The augmentation applied to all images before the classifier and the discriminator. Defaults to None,
                which applies none.
            alpha: The weight of the classifier's pairs among the fake pairs. Defaults to 0.5, as in the paper.
            labeled_fraction: The weight of the labeled pairs among the real pairs, in ``[0, 1]``. The authors use 1/401 on
                MNIST with 100 labels, 0.2 on CIFAR-10 and 0.1 on SVHN. Defaults to 1/401.
            adversarial_loss: The classifier's adversarial loss: ``"non_saturating"``, -p log D as in the authors' code, or
                ``"saturating"``, p log(1 - D) as in algorithm 1 of the paper. Defaults to ``"non_saturating"``.
            adversarial_weight: The weight of this loss. The authors use 0.5 on MNIST and 0.005 on CIFAR-10. Defaults to 0.5.
            generated_weight: The weight of the cross-entropy of generated images (alpha_P in the paper). Defaults to 0.1, as
                in the paper.
            generated_from_step: The step from which generated images train the classifier. Defaults to 0.
            pretraining_steps: The number of first steps that train only the classifier, on the labels and the regularizers.
                Batch statistics of the other networks and the probability of ADA change from the first step on. Defaults to 0.
            regularizers: A list of terms of the classifier's loss, such as `ganlib.regularizers.ConditionalEntropy`, which the
                authors use too. Defaults to ``()``.
            metrics: A list of names of metrics for `evaluate` and for ``validation_data`` of `fit`, such as ``["kid"]``: see
                `ganlib.metrics.evaluate.METRICS`. Defaults to ``()``.
            metric_features: The feature network of the metrics, as in `ganlib.metrics.features.get`. Defaults to
                ``"in_domain"``, a classifier that is trained on the labeled images to evaluate on and needs no download.
            metric_samples: The number of generated images in an evaluation. Defaults to 5000.
            ema_decay, seed, accumulation_steps, non_finite, jit_compile, steps_per_execution, run_eagerly: See
                `ganlib.training.DistributedModel.configure`.

        Raises:
            UserError: If the adversarial loss is unknown, or a number of steps is negative.
        """
        own, shared = split_arguments(locals())
        self._set_augment(augment)
        self.alpha, self.labeled_fraction = alpha, labeled_fraction
        self._adversarial_loss = choose("adversarial loss", adversarial_loss, TRIPLE_CLASSIFIER_LOSSES)
        self.adversarial_weight, self.generated_weight = adversarial_weight, generated_weight
        self.generated_from_step = integer("generated_from_step", generated_from_step, 0)
        self.pretraining_steps = integer("pretraining_steps", pretraining_steps, 0)
        self.regularizers = own["regularizers"] = listed("regularizers", regularizers, CLASSIFIER_TERMS)
        self._set_metrics(metrics, metric_features, metric_samples)
        optimizers = {
            "generator_optimizer": (generator_optimizer, self.generator),
            "discriminator_optimizer": (discriminator_optimizer, self.discriminator),
            "classifier_optimizer": (classifier_optimizer, self.network),
        }
        self.configure(optimizers, own, **shared)

    def train_step(self, data):
        """Runs one train step on ``data``, a batch of ``(labeled_images, labels, unlabeled_images)``, and returns the logs."""
        labeled, labels, unlabeled = data
        labeled, unlabeled, rng = rescale(labeled), rescale(unlabeled), self.random_stream()
        logs = self.discriminator_step(labeled, labels, unlabeled, rng)
        logs |= self.update_augmentation(logs.pop("real_signs", None), labeled)
        logs |= self.classifier_step(labeled, labels, unlabeled, rng)
        logs |= self.generator_step(unlabeled, rng)
        self.end_step()
        return logs

    def discriminator_step(self, labeled, labels, unlabeled, rng):
        """Updates the discriminator to distinguish real pairs from pairs of the generator and of the classifier.

        Args:
            labeled: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, the labels of ``labeled``.
            unlabeled: ``(m, height, width, channels)``, other images.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the losses and terms by name.
        """
        updates = [(self.discriminator, self.discriminator_optimizer)]
        computed, logs = self.compute_gradients(self.discriminator_loss, updates, (labeled, labels, unlabeled), rng)
        self._apply_after_pretraining(updates, computed)
        return logs

    def discriminator_loss(self, labeled, labels, unlabeled, rng):
        """Computes the discriminator's loss on labeled, generated and pseudo-labeled pairs.

        Args:
            labeled: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, the labels of ``labeled``.
            unlabeled: ``(m, height, width, channels)``, other images.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A tuple ``(loss, logs)`` of a scalar and a dict of scalars.
        """
        fake, fake_labels = self._generate_pairs(unlabeled, rng)
        pseudo_labels = tf.argmax(self._classify(unlabeled, rng), axis=-1)
        real_logits = self.critic(labels, rng)(labeled)
        fake_logits = self.critic(fake_labels, rng)(tf.stop_gradient(fake))
        pseudo_logits = self.critic(pseudo_labels, rng)(unlabeled)
        loss = triple_discriminator_loss(real_logits, fake_logits, pseudo_logits, self.alpha, self.labeled_fraction)
        return loss, discriminator_logs(loss, real_logits, fake_logits)

    def classifier_step(self, labeled, labels, unlabeled, rng):
        """Updates the classifier with the labels of labeled and generated images, and against the discriminator.

        Args:
            labeled: ``(n, height, width, channels)`` float32 images in ``[-1, 1]``.
            labels: ``(n,)`` integers, the labels of ``labeled``.
            unlabeled: ``(m, height, width, channels)``, other images.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the terms of the loss by name.
        """
        updates = [(self.network, self.classifier_optimizer)]
        computed, logs = self.compute_gradients(self.classifier_loss, updates, (labeled, labels, unlabeled), rng)
        self.apply_gradients(updates, computed)
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
        fake_labels, latents = self._sample_inputs(unlabeled, rng)
        of_generator = Draws(self.networks, rng)
        fake = self.generate_for_training(latents, fake_labels, rng)
        logits, unlabeled_logits = self._classify(labeled, rng), self._classify(unlabeled, rng)
        of_classifier = Draws(self.networks, rng)
        fake_logits = self._classify(tf.stop_gradient(fake), rng)
        pseudo_labels = tf.argmax(unlabeled_logits, axis=-1)
        pseudo_logits = tf.stop_gradient(self.critic(pseudo_labels, rng)(unlabeled))
        labeled_loss, generated_loss = cross_entropy(labels, logits), cross_entropy(fake_labels, fake_logits)
        adversarial_loss = self._adversarial_loss(unlabeled_logits, pseudo_logits)
        outputs = Outputs(
            unlabeled_logits,
            fake_logits,
            latents,
            fake,
            classify_generated=classify_generated(
                lambda latents, rng: self.generate_for_training(latents, fake_labels, rng),
                self._classify,
                of_generator,
                of_classifier,
            ),
            classify_by_average=lambda: self.classifier(self.augment(unlabeled, rng)),
            step=self.step.value,
        )
        terms = classifier_terms(self.regularizers, outputs, rng)
        generated_weight = self._weight_from(self.generated_weight, max(self.generated_from_step, self.pretraining_steps))
        adversarial_weight = self._weight_from(self.adversarial_weight, self.pretraining_steps)
        loss = labeled_loss + generated_weight * generated_loss + adversarial_weight * adversarial_loss
        return add_terms(loss, terms), {
            "labeled_loss": labeled_loss,
            "generated_loss": generated_loss,
            "adversarial_loss": adversarial_loss,
            "train_accuracy": accuracy(labels, logits),
            **terms,
        }

    def generator_step(self, unlabeled, rng):
        """Updates the generator to make pairs that the discriminator classifies as labeled pairs.

        Args:
            unlabeled: ``(m, height, width, channels)`` float32 images in ``[-1, 1]``.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A dict of scalars, the losses and terms by name.
        """
        updates = [(self.generator, self.generator_optimizer)]
        computed, logs = self.compute_gradients(self.generator_loss, updates, (unlabeled,), rng)
        self._apply_after_pretraining(updates, computed)
        return logs

    def generator_loss(self, unlabeled, rng):
        """Computes the generator's loss on generated pairs.

        Args:
            unlabeled: ``(m, height, width, channels)`` float32 images in ``[-1, 1]``.
            rng: A `ganlib.training.RandomStream` for latents and augmentation.

        Returns:
            A tuple ``(loss, logs)`` of a scalar and a dict of scalars.
        """
        fake, fake_labels = self._generate_pairs(unlabeled, rng)
        logits = self.critic(fake_labels, rng)(fake)
        loss = (1.0 - self.alpha) * tf.reduce_mean(tf.nn.softplus(-logits))
        return loss, {"generator_loss": loss}

    def _generate_pairs(self, real, rng):
        """Generates ``(images, labels)``, as many as ``real``."""
        labels, latents = self._sample_inputs(real, rng)
        return self.generate_for_training(latents, labels, rng), labels

    def _sample_inputs(self, real, rng):
        """Draws ``(labels, latents)``, as many as ``real``. The labels are uniform."""
        return rng.integers((tf.shape(real)[0],), 0, self.generator.num_classes), self.sample_latents(real, rng)

    def _weight_from(self, weight, step):
        """Returns ``weight`` from a step on, and 0 before it."""
        return tf.where(self.step.value >= step, weight, 0.0) if step else weight

    def _apply_after_pretraining(self, updates, computed):
        """Updates networks and optimizers after the pretraining. During it, they keep their values."""
        if self.pretraining_steps == 0:
            self.apply_gradients(updates, computed)
            return
        variables = [v for network, optimizer in updates for v in (*network.trainable_variables, *optimizer.variables)]
        has_started = self.step.value >= self.pretraining_steps
        gradients.apply_if(has_started, variables, lambda: self.apply_gradients(updates, computed))

    def _classify(self, images, rng):
        return self.network(self.augment(images, rng), training=True)
