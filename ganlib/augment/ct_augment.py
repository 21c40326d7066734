"""CTAugment: Berthelot et al. 2020, "ReMixMatch" (arXiv:1911.09785), section 3.2.2, in the form of FixMatch's code (Sohn et al.
2020, arXiv:2001.07685, github.com/google-research/fixmatch)."""

import keras
import numpy as np
import tensorflow as tf

from ganlib.augment.functions import DiffAugment, none
from ganlib.augment.transformations import chosen, cut, to_images, to_pixels, transformed
from ganlib.augment.warps import KERNELS
from ganlib.errors import UserError, integer
from ganlib.training.replicas import whole_batch
from ganlib.training.state import State

BINS = {
    "autocontrast": (17,),
    "blur": (17,),
    "brightness": (17,),
    "color": (17,),
    "contrast": (17,),
    "cutout": (17,),
    "equalize": (17,),
    "invert": (17,),
    "identity": (),
    "posterize": (8,),
    "rescale": (17, 6),
    "rotate": (17,),
    "sharpness": (17,),
    "shear_x": (17,),
    "shear_y": (17,),
    "smooth": (17,),
    "solarize": (17,),
    "translate_x": (17,),
    "translate_y": (17,),
}
"""Transformation -> the number of bins of each of its magnitudes. The second magnitude of ``rescale`` selects the kernel."""
NAMES = list(BINS)
MAGNITUDES, MOST_BINS = 2, 17
COUNTS = np.array([[*bins, 0, 0][:MAGNITUDES] for bins in BINS.values()], np.int32)
"""The numbers of bins as a ``(transformations, magnitudes)`` array."""


@keras.saving.register_keras_serializable("ganlib.augment")
class CTAugment:
    """Random transformations of Pillow whose strengths are learned during training, followed by cutout.

    The range of each magnitude is divided into bins. The weight of a bin is a moving average of how well labeled images, after
    this transformation and others, are classified: the probability of their label. Bins whose weight is below a share of the
    largest one are not used. A transformation that destroys the classes is therefore not used at strengths at which it does.

    In each train step, `probe` transforms labeled images with magnitudes from all bins, and `update` changes the weights.

    Args:
        before: Comma-separated names from `ganlib.augment.POLICIES`, which are applied first. Defaults to ``""``.
        depth: The number of transformations of an image. Defaults to 2, as in the authors' code.
        threshold: The share of the largest weight that a bin must have to be used, in ``(0, 1]``. Defaults to 0.8, as in the
            authors' flags.
        decay: The factor of a weight in an update, in ``[0, 1)``. Defaults to 0.99, as in the authors' code.
        translation: The largest translation as a share of the image's size. The paper's table has 0.3. The authors' code
            translates by at most 0.3 pixels, which the nearest pixel rounds to none. Defaults to 0.0, as in their code.

    Attributes:
        state: A `keras.layers.Layer` with the ``bin_weights``, ``(transformations, magnitudes, bins)`` float32.

    Raises:
        UserError: If a number is out of range, or a name is unknown.

    Examples:
        >>> import numpy as np
        >>> from ganlib.augment import CTAugment
        >>> from ganlib.training import RandomStream
        >>> CTAugment("flip")(np.zeros((2, 8, 8, 3), "float32"), RandomStream(seed=0)).shape
        TensorShape([2, 8, 8, 3])
    """

    is_differentiable = False

    def __init__(self, before="", depth=2, threshold=0.8, decay=0.99, translation=0.0):
        self.before, self.depth = before, integer("depth", depth, 1)
        self.threshold, self.decay, self.translation = threshold, decay, translation
        if not 0 < threshold <= 1 or not 0 <= decay < 1 or not 0 <= translation < 1:
            raise UserError(
                "CTAugment takes a threshold in (0, 1], a decay in [0, 1) and a translation in [0, 1), "
                f"got {threshold}, {decay} and {translation}"
            )
        self._before = DiffAugment(before) if before else none
        self.build()

    def build(self):
        """Creates a new ``state`` under the current strategy scope. Called by `ganlib.PseudoLabelClassifier.compile`."""
        self.state = State(bin_weights=np.ones((len(NAMES), MAGNITUDES, MOST_BINS)))

    def __call__(self, images, rng):
        """Augments ``(n, height, width, 1 or 3)`` float32 images in ``[-1, 1]``, which are rounded to 256 levels."""
        images = self._before(images, rng)
        count, pixels, size = tf.shape(images)[0], to_pixels(images), min(images.shape[1:3])
        for _ in range(self.depth):
            number = rng.integers((count,), 0, len(NAMES))
            pixels = self._transformed(pixels, number, self._strong_levels(number, rng), rng)
        return to_images(cut(pixels, _half_side(tf.ones((count,)), size), rng.uniform((count, 2))))

    def probe(self, images, rng):
        """Transforms images at random magnitudes, to measure what they do to the classification.

        Args:
            images: ``(n, height, width, 1 or 3)`` float32 images in ``[-1, 1]``, weakly augmented.
            rng: A `ganlib.training.RandomStream`.

        Returns:
            A tuple of images of the same shape, the ``(n, depth)`` int32 numbers of their transformations, and the
            ``(n, depth, 2)`` float32 magnitudes in ``(0, 1)``.
        """
        count, pixels = tf.shape(images)[0], to_pixels(images)
        numbers, levels = rng.integers((count, self.depth), 0, len(NAMES)), rng.uniform((count, self.depth, MAGNITUDES))
        for index in range(self.depth):
            pixels = self._transformed(pixels, numbers[:, index], levels[:, index], rng)
        return to_images(pixels), numbers, levels

    def update(self, numbers, levels, matches):
        """Moves the weights of the bins of a probe towards its matches, image by image and over all replicas.

        Args:
            numbers: ``(n, depth)`` int32, from `probe`.
            levels: ``(n, depth, 2)`` float32, from `probe`.
            matches: ``(n,)`` float32, the probability of the label of each image in ``[0, 1]``.
        """
        weights = self.state.bin_weights
        bins = tf.gather(tf.constant(COUNTS), numbers)
        within = tf.cast(levels * tf.cast(bins, tf.float32) * 0.999, tf.int32)
        entries = (numbers[..., None] * MAGNITUDES + tf.range(MAGNITUDES)) * MOST_BINS + within
        entries = tf.reshape(tf.where(bins > 0, entries, -1), (-1, self.depth * MAGNITUDES))
        entries, matches = whole_batch(entries), whole_batch(matches)
        # A hit counts less by the decay for each later hit of its bin: the result of the authors' loop over all hits.
        hits = tf.one_hot(tf.reshape(entries, (-1,)), COUNTS.size * MOST_BINS)  # all zero for an entry of -1
        later = tf.cumsum(hits, axis=0, exclusive=True, reverse=True)
        matches = tf.repeat(matches, self.depth * MAGNITUDES)[:, None]
        gains = (1.0 - self.decay) * tf.reduce_sum(hits * matches * self.decay**later, axis=0)
        kept = self.decay ** tf.reduce_sum(hits, axis=0)
        weights.assign(tf.reshape(kept, weights.shape) * weights.value + tf.reshape(gains, weights.shape))

    def learned_weights(self):
        """Returns the weights: transformation -> a list with a numpy array of the weights of the bins of each magnitude."""
        weights = keras.ops.convert_to_numpy(self.state.bin_weights)
        return {
            name: [row[:count] for row, count in zip(weights[number], bins, strict=False)]
            for number, (name, bins) in enumerate(BINS.items())
        }

    def _strong_levels(self, number, rng):
        """Draws ``(n, 2)`` magnitudes from the bins in use, with probabilities proportional to their weights."""
        is_bin = tf.range(MOST_BINS) < COUNTS[..., None]
        weights = tf.where(is_bin, self.state.bin_weights.value + (1.0 - self.decay), 0.0)
        weights /= tf.maximum(tf.reduce_max(weights, axis=-1, keepdims=True), 1e-6)
        log_weights = tf.where(weights < self.threshold, -np.inf, tf.math.log(tf.maximum(weights, 1e-6)))
        count = tf.shape(number)[0]
        noise = -tf.math.log(-tf.math.log(rng.uniform((count, MAGNITUDES, MOST_BINS))))
        # The largest sum with Gumbel noise has the index k with a probability proportional to the weight k.
        index = tf.argmax(tf.gather(log_weights, number) + noise, axis=-1, output_type=tf.int32)
        bins = tf.cast(tf.maximum(tf.gather(tf.constant(COUNTS), number), 1), tf.float32)
        return (tf.cast(index, tf.float32) + rng.uniform((count, MAGNITUDES))) / bins

    def _transformed(self, pixels, number, levels, rng):
        """Applies the transformation with a ``(n,)`` number to each image, at ``(n, 2)`` magnitudes in ``(0, 1)``."""
        settings = chosen(NAMES, number, values(levels[:, 0], pixels.shape[1:3], self.translation))
        kernel = tf.cast((len(KERNELS) - 0.01) * levels[:, 1], tf.int32)
        return transformed(pixels, settings, kernel, center=rng.uniform((tf.shape(pixels)[0], 2)))

    def get_config(self):
        """Returns the config, from which `from_config` recreates the augmentation with new weights."""
        names = ("before", "depth", "threshold", "decay", "translation")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config):
        """Creates the augmentation from a config returned by `get_config`."""
        return cls(**config)


def values(level, size, translation=0.0):
    """Returns the settings of all transformations at a magnitude.

    Args:
        level: ``(n,)`` float32 in ``[0, 1]``.
        size: The height and the width of the images.
        translation: The largest translation as a share of the size. Defaults to 0.0.

    Returns:
        A dict from names of `ganlib.augment.transformations.IDENTITY` to ``(n,)`` float32.
    """
    signed, factor = 2.0 * level - 1.0, 0.1 + 1.9 * level
    settings = {
        "posterize": 1.0 + tf.floor(7.999 * level),
        "solarize": tf.floor(255.999 * level),
        "rotate": tf.round(45.0 * signed),
        "shear_x": 0.3 * signed,
        "shear_y": 0.3 * signed,
        "translate_x": translation * size[1] * signed,
        "translate_y": translation * size[0] * signed,
        "rescale": 0.25 * level,
        "cutout": _half_side(level, min(size)),
    }
    settings |= dict.fromkeys(("autocontrast", "equalize", "invert", "smooth", "blur"), level)
    return settings | dict.fromkeys(("brightness", "contrast", "color", "sharpness"), factor)


def _half_side(level, size):
    """Returns half of the side of a cutout, whole pixels, for images whose smaller side is ``size``."""
    return tf.floor((1.0 + tf.floor(level * size * 0.499)) * 0.5)
