"""From images to features: what every feature network has in common."""

import copy
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ganlib import versions
from ganlib.errors import UserError

LUMA = (0.299, 0.587, 0.114)


class Features(NamedTuple):
    """What a network sees in images.

    Attributes:
        features: ``(n, F)`` float32.
        probabilities: ``(n, num_classes)`` float32, or None from a network without classes.
    """

    features: np.ndarray
    probabilities: np.ndarray | None


class FeatureExtractor:
    """A frozen network from uint8 images to `Features`.

    Args:
        name: what it is called in results.
        version: a hash of all that the network computes, its architecture as well as its weights, so that statistics of
            another network are never mistaken for its own. The attribute of this name follows from it, from ``channels``
            and ``size``, and from the code that prepares the images.
        network: from ``(n, height, width, channels)`` float32 tensors in ``[0, 255]`` to a dict with ``"features"``
            and perhaps ``"probabilities"``.
        channels: 1 or 3, or None when it takes both.
        size: height and width that it wants, or None when it resizes by itself or takes any.

    Examples:
        >>> import keras, numpy as np
        >>> from ganlib.metrics import features
        >>> model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten()])
        >>> extractor = features.from_model(model, name="pixels")
        >>> extractor(np.zeros((2, 16, 16, 3), np.uint8)).features.shape
        (2, 64)
    """

    def __init__(self, name, version, network, channels=None, size=None):
        self.name, self.channels, self.size = name, channels, size
        self.version = versions.of(version, channels, size, versions.of_code("metrics/extractor.py"))
        self._network = network
        self._run = tf.function(self._outputs, reduce_retracing=True, autograph=False)
        self._batch_size = 64

    def run_by(self, run, batch_size):
        """This extractor, its network run by other means, such as all replicas of a training together.

        Args:
            run: from a function, of ``(n, height, width, channels)`` uint8 to a dict of tensors of ``n`` rows, to a function of
                the same of numpy arrays.
            batch_size: images that it is given at a time.
        """
        other = copy.copy(self)
        other._run, other._batch_size = run(self._outputs), batch_size
        return other

    def __call__(self, images):
        """``(n, height, width, channels)`` uint8 -> `Features`.

        Raises:
            UserError: for images of another type or shape.
        """
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
            raise UserError(f"features are made of uint8 images (n, height, width, 1 or 3), got {images.dtype} {images.shape}")
        size = self._batch_size
        parts = [self._run(images[start : start + size]) for start in range(0, len(images), size)]
        joined = {key: np.concatenate([np.asarray(part[key]) for part in parts]) for key in parts[0]}
        return Features(joined["features"], joined.get("probabilities"))

    def _outputs(self, images):
        return self._network(self._prepare(images))

    def _prepare(self, images):
        images = as_channels(tf.cast(images, tf.float32), self.channels)
        return images if self.size is None else resize(images, self.size)


def resize(images, size):
    """``(n, height, width, channels)`` float -> ``(n, size, size, channels)`` float32, as Pillow's bicubic filter.

    The filter widens when it makes an image smaller (antialiasing), and nothing is rounded in between: the resizing
    of Parmar et al. 2022, "On aliased resizing and surprising subtleties in GAN evaluation" (arXiv:2104.11222).
    """
    if images.shape[1:3] == (size, size):
        return tf.cast(images, tf.float32)
    return tf.image.resize(images, (size, size), method="bicubic", antialias=True)


def as_channels(images, channels):
    """``(n, height, width, 1 or 3)`` images: gray to color by repeating, color to gray by luma; as they are if None."""
    if channels is None or images.shape[-1] == channels:
        return images
    if channels == 3:
        return tf.repeat(images, 3, axis=-1)
    return tf.reduce_sum(images * tf.constant(LUMA), axis=-1, keepdims=True)
