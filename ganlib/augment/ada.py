"""Adaptive discriminator augmentation: Karras et al. 2020, "Training generative adversarial networks with limited data"
(arXiv:2006.06676).

Every transformation is applied with the same probability, which rises while the discriminator classifies too many real images
as real. The distributions are those of the paper's appendix B. Each transformation takes ``images``,
``(n, height, width, channels)`` float32 in ``[-1, 1]``, ``rng``, a `ganlib.training.RandomStream`, and ``probability``, the
probability of being applied to an image.
"""

import functools
import math

import keras
import tensorflow as tf

from ganlib.augment import filters, geometry
from ganlib.augment.chance import by_chance
from ganlib.errors import UserError, choose
from ganlib.training import schedules
from ganlib.training.state import State


@keras.saving.register_keras_serializable("ganlib.augment")
class ADA:
    """Augmentation with a probability that is adapted during training, or follows a schedule.

    Args:
        categories: Comma-separated names from `CATEGORIES`. Defaults to ``"blit,geometric,color"``, the categories that the
            paper uses in general.
        probability: The initial probability, from 0 to 1. Without a target, the probability: a number or a
            `ganlib.training.schedules.Schedule`, as in R3GAN. Defaults to 0.0.
        target: The target value of the mean sign of the discriminator's logits for real images. None disables the adaptation,
            so that ``probability`` alone sets the probability. Defaults to 0.6, as in the paper.
        adjustment: The number of images after which the probability can have changed from 0 to 1. Defaults to 500,000, as in
            the paper.
        interval: The number of steps between adjustments. Defaults to 4.
        strengths: Category -> the factor of its probability, such as ``{"color": 0.5}`` for R3GAN. It is 1 for the other
            categories. Defaults to None.

    Attributes:
        state: A `keras.layers.Layer` whose ``probability`` is the current probability.
        mixes_channels: True if the augmentation treats the channels as colors.

    Raises:
        UserError: If a category is unknown, or a factor is negative.

    Examples:
        >>> import numpy as np
        >>> from ganlib.augment import ADA
        >>> from ganlib.training import RandomStream
        >>> ADA(probability=0.5)(np.zeros((2, 8, 8, 3), "float32"), RandomStream(seed=0)).shape
        TensorShape([2, 8, 8, 3])
    """

    def __init__(
        self,
        categories="blit,geometric,color",
        probability=0.0,
        target=0.6,
        adjustment=500_000,
        interval=4,
        strengths=None,
    ):
        self.categories, self.target, self.adjustment, self.interval = categories, target, adjustment, interval
        self.strengths = dict(strengths or {})
        self.probability = schedules.restored(probability)
        names = [name.strip() for name in categories.split(",")]
        for name in (*names, *self.strengths):
            choose("category", name, CATEGORIES)
        for name, strength in self.strengths.items():
            is_number = isinstance(strength, (int, float)) and not isinstance(strength, bool)
            if name not in names or not is_number or not 0 <= strength < float("inf"):
                raise UserError(
                    f"strengths must be finite numbers of at least 0 for some of {categories}, got {name}={strength}"
                )
        self._names = names
        self.mixes_channels = "color" in names
        self.build()

    def build(self):
        """Creates a new ``state`` under the current strategy scope. Called by `ganlib.GAN.compile`."""
        self.state = State(probability=float(schedules.value_at(self.probability, 0)), signs=0.0)

    def __call__(self, images, rng):
        """Augments ``(n, height, width, 1 or 3)`` float32 images in ``[-1, 1]``. The result may exceed ``[-1, 1]``."""
        probabilities = {name: self.state.probability.value * self.strengths.get(name, 1.0) for name in self._names}
        geometric = {name: value for name, value in probabilities.items() if name in ("blit", "geometric")}
        if geometric:
            images = geometry.transformed(images, rng, geometric)
        for name, probability in probabilities.items():
            if name not in geometric:
                images = CATEGORIES[name](images, rng, probability)
        return images

    def adapt(self, real_signs, batch_size, step):
        """Sets the probability for the next step.

        Args:
            real_signs: The mean sign of the logits of real images, over all replicas.
            batch_size: The global batch size.
            step: The number of previous steps, a scalar integer tensor.
        """
        state = self.state
        if self.target is None:
            state.probability.assign(tf.cast(schedules.value_at(self.probability, step + 1), tf.float32))
            return
        signs = state.signs.value + real_signs / self.interval
        is_due = tf.cast((step + 1) % self.interval == 0, tf.float32)
        change = tf.sign(signs - self.target) * tf.cast(batch_size * self.interval, tf.float32) / self.adjustment
        # As in the authors' code, there is no upper limit. Beyond 1, every image is transformed, and p takes longer to fall.
        state.probability.assign(tf.maximum(state.probability.value + is_due * change, 0.0))
        state.signs.assign((1.0 - is_due) * signs)

    def get_config(self):
        """Returns the config, from which `from_config` recreates the augmentation."""
        return {
            "categories": self.categories,
            "probability": keras.saving.serialize_keras_object(self.probability),
            "target": self.target,
            "adjustment": self.adjustment,
            "interval": self.interval,
            "strengths": self.strengths,
        }

    @classmethod
    def from_config(cls, config):
        """Creates the augmentation from a config returned by `get_config`."""
        return cls(**config)


def color(images, rng, probability):
    """Changes brightness, contrast, the sign of the luminance, hue and saturation, as one affine map of a pixel's channels.

    For images with one channel, it changes only brightness, contrast and the sign of the luminance.
    """
    channels = images.shape[-1]
    matrices = color_maps(tf.shape(images)[0], channels, rng, probability)
    if channels == 1:
        matrices = tf.reduce_mean(matrices, axis=1)
        return images * tf.reduce_sum(matrices[:, :3], axis=1)[:, None, None, None] + matrices[:, 3, None, None, None]
    return tf.einsum("nhwc,ndc->nhwd", images, matrices[:, :, :3]) + matrices[:, None, None, :, 3]


def color_maps(count, channels, rng, probability):
    """Draws ``(count, 3, 4)`` random affine maps of colors."""
    draw = functools.partial(by_chance, rng, probability)
    brightness = draw(rng.normal((count, 1, 1)) * 0.2, 0.0)
    contrast = draw(2.0 ** (rng.normal((count, 1, 1)) * 0.5), 1.0)
    gray = tf.fill((3, 3), 1.0 / 3.0)  # projects a color onto its luminance
    flip = draw(tf.floor(rng.uniform((count, 1, 1), 0.0, 2.0)), 0.0)
    matrix = contrast * (tf.eye(3) - 2.0 * flip * gray)
    if channels > 1:
        angle = draw(rng.uniform((count, 1, 1), -math.pi, math.pi), 0.0)
        saturation = draw(2.0 ** rng.normal((count, 1, 1)), 1.0)
        cross = tf.constant([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3.0)
        hue = gray + tf.cos(angle) * (tf.eye(3) - gray) + tf.sin(angle) * cross  # a rotation about the gray axis
        matrix = tf.matmul(gray + saturation * (tf.eye(3) - gray), tf.matmul(hue, matrix))
    return tf.concat([matrix, brightness * tf.reduce_sum(matrix, axis=2, keepdims=True)], axis=2)


def band_filter(images, rng, probability):
    """Amplifies or attenuates each of four octaves of spatial frequencies, preserving their average power."""
    count, bands = tf.shape(images)[0], 4
    expected = tf.constant([10.0, 1.0, 1.0, 1.0]) / 13.0  # the power of natural images, from the lowest band to the highest
    gains = tf.ones((count, bands))
    for band in range(bands):
        gain = by_chance(rng, probability, 2.0 ** rng.normal((count, 1)), 1.0)
        band_gains = tf.ones((count, bands)) + (gain - 1.0) * tf.one_hot(band, bands)
        gains *= band_gains / tf.sqrt(tf.reduce_sum(expected * tf.square(band_gains), axis=1, keepdims=True))
    _, height, width, _ = images.shape
    rows, columns = (tf.einsum("nb,bij->nij", gains, tf.constant(filters.bands(size))) for size in (height, width))
    return tf.einsum("nij,njkc,nlk->nilc", rows, images, columns)


def noise(images, rng, probability):
    """Adds normal noise with a standard deviation drawn from a half-normal distribution with standard deviation 0.1."""
    count = tf.shape(images)[0]
    deviation = by_chance(rng, probability, tf.abs(rng.normal((count, 1, 1, 1))) * 0.1, 0.0)
    return images + deviation * rng.normal(tf.unstack(tf.shape(images)))


def cutout(images, rng, probability):
    """Sets a rectangle with half the height and width of the image to zero, around a uniformly drawn center."""
    count, height, width = tf.unstack(tf.shape(images)[:3])
    size = by_chance(rng, probability, tf.fill((count, 1, 1), 0.5), 0.0)
    center = rng.uniform((count, 2, 1))

    def mask(axis, length):
        length = tf.cast(length, tf.float32)
        positions = (tf.range(length) + 0.5) / length
        return tf.cast(tf.abs(positions - center[:, axis]) < size[:, 0] / 2.0, tf.float32)

    rows, columns = mask(0, height), mask(1, width)
    return images * (1.0 - rows[:, :, None, None] * columns[:, None, :, None])


CATEGORIES = {"blit": None, "geometric": None, "color": color, "filter": band_filter, "noise": noise, "cutout": cutout}
"""Name -> function of ``(images, rng, probability)``. `geometry.transformed` applies the first two together."""
