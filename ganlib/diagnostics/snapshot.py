"""`Snapshot`: what a GAN makes, and what its discriminator says of it, at one step."""

import dataclasses
import functools
import math

import numpy as np
import tensorflow as tf

from ganlib import plots
from ganlib.diagnostics import distances
from ganlib.evaluation.images import drawn_labels, real_batches
from ganlib.models.adversarial import with_labels
from ganlib.networks.base import rescale
from ganlib.training.latents import latents_for
from ganlib.training.replicas import on_replicas

COUNT = 256
"""The number of images of each kind in a snapshot."""
BYTES = 1 << 27
"""The largest size of these images, which is 256 images of 418x418 pixels."""
BATCH = 64
"""The number of images that each replica processes at a time."""
SIZE = 16
"""The height and width to which images are reduced for distances between them; smaller images keep theirs."""
IN_MEMORY_SAMPLES = 10_000
"""The largest number of real images of a set that generated ones are compared with, if they are in memory."""
READ_SAMPLES = 2_000
"""The same if they are read from files."""
JUDGED = 1_000
"""The number of real images on which the accuracy of the vote of nearest neighbors is measured."""
SEED = 2_718_281
"""The seed of the latents and of the real images. No sample grid shows these latents."""


@dataclasses.dataclass(frozen=True, eq=False)
class RealImages:
    """Real images to compare generated ones with.

    Attributes:
        images: The first `count_of` of them, ``(n, height, width, channels)`` uint8.
        pixels: ``(m, F)`` float32, all of them, reduced by `reduced`.
        labels: ``(m,)`` integers, or None.
    """

    images: np.ndarray
    pixels: np.ndarray
    labels: np.ndarray | None

    @classmethod
    def of(cls, source, seed=SEED):
        """Reads random images of a `ganlib.data.Source`. Returns `RealImages` unchanged, and None for None."""
        if source is None or isinstance(source, cls):
            return source
        limit, count = IN_MEMORY_SAMPLES if source.images is not None else READ_SAMPLES, count_of(source.image_shape)
        first, pixels, labels = [], [], []
        for images, some_labels in real_batches(source, seed):
            first.append(images[: count - sum(map(len, first))])
            pixels.append(reduced(images)[: limit - sum(map(len, pixels))])
            labels.append(None if some_labels is None else some_labels[: len(pixels[-1])])
            if sum(map(len, pixels)) == limit:
                break
        labels = None if labels[0] is None else np.concatenate(labels)
        if labels is not None and labels.min() < 0:  # a stream of which not all images have a label
            labels = None
        return cls(np.concatenate(first), np.concatenate(pixels), labels)

    @property
    def some_pixels(self):
        """``(n, F)`` float32, as many of ``pixels`` as there are generated images."""
        return self.pixels[: len(self.images)]

    @functools.cached_property
    def mean_distance(self):
        """The mean distance between two different images."""
        return distances.mean_distance(self.some_pixels)

    @functools.cached_property
    def neighbor_distance(self):
        """The median distance of an image to its nearest neighbor, among as many images as there are generated ones."""
        return distances.neighbor_distance(self.some_pixels)

    @functools.cached_property
    def judged(self):
        """``(n,)`` integers, the classes of the first images by a vote of their nearest neighbors."""
        return distances.vote(self.pixels[:JUDGED], self.pixels, self.labels, excludes_nearest=True)


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What a GAN makes, and what its discriminator says of it, at one step.

    Attributes:
        training: The `RealImages` of the training set.
        held_out: The `RealImages` of the test set or of images that are held out, or None.
        images: ``(n, height, width, channels)`` uint8 images of the averaged generator.
        generated: ``(n, F)`` float32, the same images reduced by `reduced`.
        current: ``(n, F)`` float32, those of the generator itself, from the same latents.
        labels: ``(n,)`` integers, the classes of the generated images, or None.
        logits: A dict with the ``(n,)`` float64 logits of the discriminator for ``"training"``, ``"held_out"`` and
            ``"generated"`` images; empty if it cannot be applied to them.
        kernels: What `kernels_of` returns.
        num_classes: The number of classes of the real images.
    """

    training: RealImages
    held_out: RealImages | None
    images: np.ndarray
    generated: np.ndarray
    current: np.ndarray
    labels: np.ndarray | None
    logits: dict
    kernels: dict
    num_classes: int

    @functools.cached_property
    def image_distance(self):
        """The energy distance of the averaged generator's images from real ones."""
        return self._distance_of(self.generated)

    @functools.cached_property
    def current_distance(self):
        """The same of the generator's own images."""
        return self._distance_of(self.current)

    def _distance_of(self, images):
        return distances.energy_distance(images, self.training.some_pixels, self.training.mean_distance)


@dataclasses.dataclass(frozen=True)
class Kernel:
    """What is kept of a kernel, to see how it changes.

    Attributes:
        scale: The root mean square of its values.
        projections: ``(units,)`` float64, the product of the values of each output unit with the same random vector. It stays
            equal if no value of the unit changes.
    """

    scale: float
    projections: np.ndarray


class Camera:
    """Takes a `Snapshot` of a GAN at any step. Nothing of the GAN is changed.

    Args:
        model: A `ganlib.GAN` that generates images.
        source: The `ganlib.data.Source` of its training images.
        held_out: The source of images that it is not trained on, or `RealImages`. Defaults to None.
    """

    def __init__(self, model, source, held_out=None):
        self.model, self.num_classes = model, source.num_classes or 0
        self.training, self.held_out = RealImages.of(source), RealImages.of(held_out)
        generator, count = model.generator, count_of(source.image_shape)
        labels = drawn_labels(generator, count, np.random.default_rng(SEED), self.training.labels)
        self._labels = None if labels is None else generator.labels_for(count, labels)
        self._latents = latents_for(count, generator.latent_dim, SEED)
        self._current, self._logits = self._in_batches(self._generate), self._in_batches(self._discriminate)

    def snapshot(self):
        """Returns a `Snapshot`."""
        generated = self._images(self.model.generate_from(self._latents, self._labels))
        return Snapshot(
            training=self.training,
            held_out=self.held_out,
            images=generated,
            generated=reduced(generated),
            current=reduced(self._images(self._current(*with_labels(self._latents, self._labels)))),
            labels=self._labels if self.model.generator.num_classes else None,
            logits=self._all_logits(generated),
            kernels=kernels_of(self.model),
            num_classes=self.num_classes,
        )

    def _all_logits(self, generated):
        """Returns the logits of each set of images. A discriminator that is conditioned on features has none."""
        network = self.model.discriminator
        if network.condition_spec and not network.num_classes:
            return {}
        sets = {"training": (self.training.images, self.training.labels), "generated": (generated, self._labels)}
        if self.held_out is not None and (self.held_out.labels is not None or not network.num_classes):
            sets["held_out"] = self.held_out.images, self.held_out.labels
        logits = {}
        for name, (images, labels) in sets.items():
            labels = labels[: len(images)] if network.num_classes else None
            values = self._logits(*with_labels(images, labels))
            logits[name] = values.reshape(len(values), -1).mean(axis=1).astype(np.float64)
        return logits

    def _in_batches(self, function):
        """Returns a function of arrays that applies a function of tensors to a batch of rows at a time, on all replicas."""
        strategy = self.model.distribute_strategy
        run, size = on_replicas(strategy, function), BATCH * strategy.num_replicas_in_sync

        def run_all(*arrays):
            starts = range(0, len(arrays[0]), size)
            return np.concatenate([run(*(array[start : start + size] for array in arrays)) for start in starts])

        return run_all

    def _generate(self, latents, labels=None):
        return self.model.generator(*with_labels(latents, labels), training=False)

    def _discriminate(self, images, labels=None):
        images = self.model.discriminator.prepare_real_images(rescale(images))
        return self.model.discriminator(*with_labels(images, labels), training=False)

    @staticmethod
    def _images(images):
        """Returns uint8 images. Values that are not finite become 0; the loss tells that they are there."""
        return plots.to_uint8(np.nan_to_num(images, posinf=1.0, neginf=-1.0))


def count_of(image_shape):
    """Returns the number of images of each kind in a snapshot, by their shape ``(height, width, channels)``."""
    return max(min(COUNT, BYTES // math.prod(image_shape)), 2)


def reduced(images):
    """Reduces images to a size of at most 16x16: ``(n, height, width, channels)`` uint8 -> ``(n, F)`` float32 in [0, 1]."""
    size = [min(SIZE, side) for side in images.shape[1:3]]
    values = tf.image.resize(tf.cast(images, tf.float32) / 255.0, size, method="area").numpy()
    return values.reshape(len(images), -1)


def kernel_of(variable):
    """Returns the `Kernel` of a variable whose last axis are its units."""
    values = np.asarray(variable, np.float64)
    values = values.reshape(-1, values.shape[-1])
    direction = np.random.default_rng(len(values)).standard_normal(len(values))
    return Kernel(float(np.sqrt(np.mean(np.square(values)))), direction @ values)


def kernels_of(model):
    """Returns the `Kernel` of each trained kernel of both networks of a GAN, a dict from names such as ``"kernel 2 of the
    generator, 3x3x64x64"``, which are the same in every process.
    """
    kernels = {}
    for network, layers in (("generator", model.generator), ("discriminator", model.discriminator)):
        variables = [variable for variable in layers.trainable_variables if len(variable.shape) > 1]
        for index, variable in enumerate(variables):
            kernels[f"kernel {index} of the {network}, {'x'.join(map(str, variable.shape))}"] = kernel_of(variable)
    return kernels
