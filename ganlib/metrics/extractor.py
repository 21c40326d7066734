"""The base class of all feature networks, from images to features."""

import copy
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ganlib import versions
from ganlib.errors import UserError

LUMA = (0.299, 0.587, 0.114)


class Features(NamedTuple):
    """The outputs of a feature network.

    Attributes:
        features: ``(n, F)`` float32.
        probabilities: ``(n, num_classes)`` float32, or None if the network has no classes.
    """

    features: np.ndarray
    probabilities: np.ndarray | None


class FeatureExtractor:
    """A frozen network from uint8 images to `Features`.

    Args:
        name: The name in results.
        version: A hash of everything the network computes, including its architecture and weights, so that statistics of
            another network are never used in its place. The attribute of the same name is derived from it, ``channels``,
            ``size`` and the preprocessing code.
        network: A function from ``(n, height, width, channels)`` float32 tensors in ``[0, 255]`` to a dict with ``"features"``
            and optionally ``"probabilities"``.
        channels: 1 or 3, or None if the network accepts both. Defaults to None.
        size: The size that the network requires, an integer for a square or ``(height, width)``, or None if it resizes images
            itself or accepts any. Defaults to None.

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
        self._run = _CompiledByShape(lambda: tf.function(self._outputs, reduce_retracing=True, autograph=False))
        self._batch_size = 64

    def run_by(self, run, batch_size):
        """Returns a copy of this extractor whose network is run by other means, such as all replicas of a strategy.

        Args:
            run: A function that takes a function from ``(n, height, width, channels)`` uint8 to a dict of tensors with ``n``
                rows, and returns the equivalent function of numpy arrays.
            batch_size: The number of images in a batch.
        """
        extractor = copy.copy(self)
        extractor._run, extractor._batch_size = _CompiledByShape(lambda: run(self._outputs)), batch_size
        return extractor

    def __call__(self, images):
        """Computes features: ``(n, height, width, channels)`` uint8 -> `Features`.

        Raises:
            UserError: If images have another dtype or shape.
        """
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
            raise UserError(f"images must be uint8 of shape (n, height, width, 1 or 3), got {images.dtype} {images.shape}")
        return self._in_batches(images)

    def unrounded(self, images):
        """Computes features of images that are not rounded to integers: ``(n, height, width, channels)`` float32 in
        ``[0, 255]`` -> `Features`.
        """
        return self._in_batches(np.asarray(images, np.float32))

    def _in_batches(self, images):
        size = self._batch_size
        batches = [self._run(images[start : start + size]) for start in range(0, len(images), size)]
        outputs = {key: np.concatenate([np.asarray(batch[key]) for batch in batches]) for key in batches[0]}
        return Features(outputs["features"], outputs.get("probabilities"))

    def _outputs(self, images):
        return self._network(self._prepare(images))

    def _prepare(self, images):
        images = as_channels(tf.cast(images, tf.float32), self.channels)
        return images if self.size is None else resize(images, self.size)


class _CompiledByShape:
    """A function of ``(n, height, width, channels)`` images that is compiled once for each shape of an image.

    One graph for all shapes would not know whether it has to repeat a gray channel or to resize.

    Args:
        compile_function: A function without arguments that returns a newly compiled function.
    """

    def __init__(self, compile_function):
        self._compile_function, self._compiled = compile_function, {}

    def __call__(self, images):
        shape = images.shape[1:]
        if shape not in self._compiled:
            self._compiled[shape] = self._compile_function()
        return self._compiled[shape](images)


def resize(images, size):
    """Resizes ``(n, height, width, channels)`` images to a size with Pillow's bicubic filter. Returns float32.

    The size is an integer for a square, or ``(height, width)``. Images of another aspect ratio are stretched, so that no part
    is lost. The filter is widened when downsampling (antialiasing), and intermediate values are not rounded: the resizing of
    Parmar et al. 2022, "On aliased resizing and surprising subtleties in GAN evaluation" (arXiv:2104.11222).
    """
    size = (size, size) if isinstance(size, int) else tuple(size)
    if images.shape[1:3] == size:
        return tf.cast(images, tf.float32)
    return tf.image.resize(images, size, method="bicubic", antialias=True)


def as_channels(images, channels):
    """Converts ``(n, height, width, 1 or 3)`` images: gray to color by repetition, color to gray by luma; None changes
    nothing.
    """
    if channels is None or images.shape[-1] == channels:
        return images
    if channels == 3:
        return tf.repeat(images, 3, axis=-1)
    return tf.reduce_sum(images * tf.constant(LUMA), axis=-1, keepdims=True)
