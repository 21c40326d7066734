"""Auxiliary tasks on the discriminator's features: predicting the class or the rotation of an image."""

import keras
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.losses import cross_entropy
from ganlib.penalties.base import Penalty

register = keras.saving.register_keras_serializable("ganlib.penalties")


@register
class AuxiliaryClassification(Penalty):
    """weight * (E -log p(y | x) + E -log p(y | G(z, y))) for the discriminator, and the second term for the generator.

    Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs" (arXiv:1610.09585), equation 3. The
    discriminator must have ``conditioning="auxiliary"``.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 1.0.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
        generator_weight: A further factor of the generator's term, multiplied with ``weight``. Later papers use 0.1. Defaults
            to 1.0.
        on_generated: Whether to train the discriminator on the class of generated images too, as in the paper. Defaults to
            True.
    """

    name = "auxiliary_classification"
    conditioning = "auxiliary"

    def __init__(
        self,
        weight=1.0,
        interval=1,
        generator_weight=1.0,
        on_generated=True,
    ):
        super().__init__(weight, interval)
        self.generator_weight, self.on_generated = generator_weight, on_generated

    def term(self, critic, real, fake, rng):
        loss = self._loss(critic, real)
        return loss + self._loss(critic, fake) if self.on_generated else loss

    def generator_term(self, critic, generator, fake, rng):
        return self.generator_weight * self._loss(critic, fake)

    def _loss(self, critic, images):
        logits = critic.discriminator.label_head.class_logits(critic.features(images))
        return cross_entropy(critic.labels, tf.cast(logits, tf.float32))

    def get_config(self):
        return {**super().get_config(), "generator_weight": self.generator_weight, "on_generated": self.on_generated}


@register
class ContrastiveClassification(Penalty):
    """ReACGAN's data-to-data cross-entropy, at real images for the discriminator and at generated images for the generator.

    Kang et al. 2021, "Rebooting ACGAN: auxiliary classifier GANs with stable training" (arXiv:2111.01118), equation 6. An
    image's embedding is pulled towards the proxy of its class and pushed away from the embeddings of images of other classes
    in the batch of its replica. The discriminator must have ``conditioning="contrastive"``.

    Args:
        weight: The factor that multiplies the term, or a schedule. The authors use 0.25 to 1. Defaults to 0.5.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
        temperature: The temperature of the softmax. The authors use 0.25 to 1. Defaults to 0.5.
        margin: The cosine to the proxy above which an embedding is not pulled closer. Defaults to 0.98, as in the paper.
        negative_margin: The cosine to images of other classes below which they are not pushed away. Defaults to 0.02.
    """

    name = "contrastive_classification"
    conditioning = "contrastive"

    def __init__(
        self,
        weight=0.5,
        interval=1,
        temperature=0.5,
        margin=0.98,
        negative_margin=0.02,
    ):
        super().__init__(weight, interval)
        self.temperature, self.margin, self.negative_margin = temperature, margin, negative_margin

    def term(self, critic, real, fake, rng):
        return self._loss(critic, real)

    def generator_term(self, critic, generator, fake, rng):
        return self._loss(critic, fake)

    def _loss(self, critic, images):
        head, labels = critic.discriminator.label_head, critic.labels
        embedded = tf.cast(head.embed(critic.features(images)), tf.float32)
        to_proxy = tf.reduce_sum(embedded * tf.cast(head.proxies(labels), tf.float32), axis=1)
        positive = tf.minimum(to_proxy - self.margin, 0.0) / self.temperature
        to_others = tf.maximum(tf.matmul(embedded, embedded, transpose_b=True) - self.negative_margin, 0.0) / self.temperature
        to_others = tf.where(labels[:, None] == labels[None, :], -float("inf"), to_others)
        all_terms = tf.concat([positive[:, None], to_others], axis=1)
        return tf.reduce_mean(tf.reduce_logsumexp(all_terms, axis=1) - positive)

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "margin": self.margin,
            "negative_margin": self.negative_margin,
        }


@register
class RotationPrediction(Penalty):
    """weight * E -log p(r | x rotated by 90 r degrees), at real images for the discriminator, generated ones for the generator.

    Chen et al. 2019, "Self-supervised GANs via auxiliary rotation loss" (arXiv:1811.11212), equations 5 and 6. The task needs
    no labels, and keeps the discriminator from forgetting what it learned from earlier generators. A quarter of the batch is
    rotated by each of 0, 90, 180 and 270 degrees. The discriminator must have ``rotations=True``.

    Args:
        weight: The factor that multiplies the term, or a schedule. Defaults to 1.0, as in the paper.
        interval: Compute the term every ``interval`` steps; see `Penalty`. Defaults to 1.
        generator_weight: A further factor of the generator's term, multiplied with ``weight``. Defaults to 0.2, as in the
            paper.
    """

    name = "rotation_prediction"

    def __init__(self, weight=1.0, interval=1, generator_weight=0.2):
        super().__init__(weight, interval)
        self.generator_weight = generator_weight

    def build(self, generator, discriminator):
        super().build(generator, discriminator)
        if not discriminator.rotations:
            raise UserError("penalty 'rotation_prediction' needs a discriminator with rotations=True")
        height, width, _ = discriminator.image_shape
        if height != width:
            raise UserError(f"penalty 'rotation_prediction' needs square images, got {height}x{width}: remove the penalty")

    def term(self, critic, real, fake, rng):
        return self._loss(critic, real)

    def generator_term(self, critic, generator, fake, rng):
        return self.generator_weight * self._loss(critic, fake)

    def _loss(self, critic, images):
        # A static size is used if the batch size is known: under XLA, a slice of dynamic size has no gradient in a condition.
        count = tf.maximum(tf.shape(images)[0] // 4, 1) if images.shape[0] is None else max(images.shape[0] // 4, 1)
        rotated = tf.concat([tf.image.rot90(images[:count], k) for k in range(4)], axis=0)
        labels = tf.range(4 * count) // count
        logits = critic.discriminator.rotation_logits(critic.discriminator.features(rotated, training=True))
        return cross_entropy(labels, tf.cast(logits, tf.float32))

    def get_config(self):
        return {**super().get_config(), "generator_weight": self.generator_weight}
