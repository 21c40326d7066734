"""Adaptive discriminator augmentation: Karras et al. 2020, "Training generative adversarial networks with limited data"
(arXiv:2006.06676).

Every transformation is made with one probability, which rises while the discriminator takes too many of the real images for
real. The distributions are those of the paper's appendix B. Each takes ``images``, ``(n, height, width, channels)`` float32 in
``[-1, 1]``, ``rng``, a `ganlib.training.RandomStream`, and the ``probability`` with which an image undergoes it.
"""

import functools
import math

import keras
import tensorflow as tf

from ganlib.augment import filters, geometry
from ganlib.augment.chance import by_chance
from ganlib.errors import choose
from ganlib.training import schedules
from ganlib.training.state import State


@keras.saving.register_keras_serializable("ganlib.augment")
class ADA:
    """Augments with a probability that adapts itself, or follows a schedule.

    Args:
        categories: names out of `CATEGORIES`, joined by commas; by default those that the paper takes for everything.
        probability: at first, from 0 to 1; without a target a number or a `ganlib.training.schedules.Schedule`, as R3GAN has.
        target: what the mean sign of the discriminator's logits of real images is held at; the paper's is 0.6. None leaves
            the probability to ``probability`` alone.
        adjustment: images in which it may go from 0 to 1; the paper's is 500,000.
        interval: in steps, how often it is adjusted.

    Attributes:
        state: a `keras.layers.Layer` whose ``probability`` is the present one.
        mixes_channels: whether it takes the channels for colors.

    Raises:
        UserError: for an unknown category.

    Examples:
        >>> import numpy as np
        >>> from ganlib.augment import ADA
        >>> from ganlib.training import RandomStream
        >>> ADA(probability=0.5)(np.zeros((2, 8, 8, 3), "float32"), RandomStream(seed=0)).shape
        TensorShape([2, 8, 8, 3])
    """

    def __init__(self, categories="blit,geometric,color", probability=0.0, target=0.6, adjustment=500_000, interval=4):
        self.categories, self.target, self.adjustment, self.interval = categories, target, adjustment, interval
        self.probability = schedules.restored(probability)
        names = [name.strip() for name in categories.split(",")]
        for name in names:
            choose("category", name, CATEGORIES)
        self._names = names
        self.mixes_channels = "color" in names
        self.build()

    def build(self):
        """Begins anew, with weights under the strategy in scope; called by `ganlib.GAN.compile`."""
        self.state = State(probability=float(schedules.value_at(self.probability, 0)), signs=0.0)

    def __call__(self, images, rng):
        """``(n, height, width, 1 or 3)`` float32 images in ``[-1, 1]`` -> as many, which may leave ``[-1, 1]``."""
        probability = self.state.probability.value
        moves = [name for name in self._names if name in ("blit", "geometric")]
        if moves:
            images = geometry.transformed(images, rng, probability, moves)
        for name in self._names:
            if name not in moves:
                images = CATEGORIES[name](images, rng, probability)
        return images

    def adapt(self, real_signs, batch_size, step):
        """Sets the probability for the next step.

        Args:
            real_signs: the mean sign of the logits of real images, over all replicas.
            batch_size: of all replicas.
            step: how many steps were made before, a scalar integer tensor.
        """
        state = self.state
        if self.target is None:
            state.probability.assign(tf.cast(schedules.value_at(self.probability, step + 1), tf.float32))
            return
        signs = state.signs.value + real_signs / self.interval
        ends = tf.cast((step + 1) % self.interval == 0, tf.float32)
        change = tf.sign(signs - self.target) * tf.cast(batch_size * self.interval, tf.float32) / self.adjustment
        state.probability.assign(tf.clip_by_value(state.probability.value + ends * change, 0.0, 1.0))
        state.signs.assign((1.0 - ends) * signs)

    def get_config(self):
        """What `from_config` makes an equal one of."""
        return {
            "categories": self.categories, "probability": keras.saving.serialize_keras_object(self.probability),
            "target": self.target, "adjustment": self.adjustment, "interval": self.interval,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config):
        """The augmentation that `get_config` describes."""
        return cls(**config)


def color(images, rng, probability):
    """Brightness, contrast, a flip of luminance, hue and saturation, as one affine map of a pixel's channels.

    Of images with one channel, brightness, contrast and the flip.
    """
    count, channels = tf.shape(images)[0], images.shape[-1]
    draw = functools.partial(by_chance, rng, probability)
    brightness = draw(rng.normal((count, 1, 1)) * 0.2, 0.0)
    contrast = draw(2.0 ** (rng.normal((count, 1, 1)) * 0.5), 1.0)
    gray = tf.fill((3, 3), 1.0 / 3.0)  # what projects a color on its luminance
    flip = draw(tf.floor(rng.uniform((count, 1, 1), 0.0, 2.0)), 0.0)
    matrix = contrast * (tf.eye(3) - 2.0 * flip * gray)
    if channels == 1:
        matrix = tf.reduce_sum(matrix, axis=[1, 2], keepdims=True) / 3.0
        return images * matrix[:, :, :, None] + (brightness * matrix)[:, :, :, None]
    angle = draw(rng.uniform((count, 1, 1), -math.pi, math.pi), 0.0)
    saturation = draw(2.0 ** rng.normal((count, 1, 1)), 1.0)
    cross = tf.constant([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3.0)
    hue = gray + tf.cos(angle) * (tf.eye(3) - gray) + tf.sin(angle) * cross  # a turn about the gray axis
    matrix = tf.matmul(gray + saturation * (tf.eye(3) - gray), tf.matmul(hue, matrix))
    return tf.einsum("nhwc,ndc->nhwd", images + brightness[..., None], matrix)


def band_filter(images, rng, probability):
    """Amplifies or weakens each of four octaves of spatial frequencies, so that their power stays the same on average."""
    count, bands = tf.shape(images)[0], 4
    expected = tf.constant([10.0, 1.0, 1.0, 1.0]) / 13.0  # the power of natural images, from the lowest band on
    gains = tf.ones((count, bands))
    for band in range(bands):
        gain = by_chance(rng, probability, 2.0 ** rng.normal((count, 1)), 1.0)
        own = tf.ones((count, bands)) + (gain - 1.0) * tf.one_hot(band, bands)
        gains *= own / tf.sqrt(tf.reduce_sum(expected * tf.square(own), axis=1, keepdims=True))
    _, height, width, _ = images.shape
    rows, columns = (tf.einsum("nb,bij->nij", gains, tf.constant(filters.bands(size))) for size in (height, width))
    return tf.einsum("nij,njkc,nlk->nilc", rows, images, columns)


def noise(images, rng, probability):
    """Adds normal noise, whose deviation is drawn from a half-normal distribution of deviation 0.1."""
    count = tf.shape(images)[0]
    deviation = by_chance(rng, probability, tf.abs(rng.normal((count, 1, 1, 1))) * 0.1, 0.0)
    return images + deviation * rng.normal(tf.unstack(tf.shape(images)))


def cutout(images, rng, probability):
    """Sets a rectangle of half the image's sides to zero, about a center that is drawn anywhere."""
    count, height, width = tf.unstack(tf.shape(images)[:3])
    size = by_chance(rng, probability, tf.fill((count, 1, 1), 0.5), 0.0)
    center = rng.uniform((count, 2, 1))
    rows, columns = (
        tf.cast(tf.abs((tf.range(tf.cast(n, tf.float32)) + 0.5) / tf.cast(n, tf.float32) - center[:, axis]) < size[:, 0] / 2.0,
                tf.float32)
        for axis, n in enumerate((height, width))
    )  # fmt: skip
    return images * (1.0 - rows[:, :, None, None] * columns[:, None, :, None])


CATEGORIES = {"blit": None, "geometric": None, "color": color, "filter": band_filter, "noise": noise, "cutout": cutout}
"""Name -> function of images, random numbers and a probability; the first two are made together by `geometry.transformed`."""
