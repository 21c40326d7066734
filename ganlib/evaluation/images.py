"""Batches of real and of generated images, to evaluate or to train a classifier on."""

import numpy as np

from ganlib import data, plots
from ganlib.errors import UserError
from ganlib.training.latents import latents_for

BATCH_SIZE = 256
"""The number of images in a batch, a multiple of 64, with which `ganlib.metrics.extractor.FeatureExtractor` divides it."""


def real_batches(source, seed=0):
    """Yields all images of a source once, in random order: ``(images, labels)``, uint8 and integers or None.

    Args:
        source: A `ganlib.data.Source`.
        seed: An integer that determines the order. Defaults to 0.
    """
    if source.fetch is None:
        for images, labels in source.stream(seed, 0).batch(BATCH_SIZE).as_numpy_iterator():
            yield images, labels if source.class_names else None
        return
    order = np.random.default_rng(seed).permutation(source.num_examples)
    for start in range(0, len(order), BATCH_SIZE):
        indices = order[start : start + BATCH_SIZE]
        yield source.pick(indices), None if source.labels is None else source.labels[indices]


def some_images(source, count, seed=0):
    """Returns random images of a source: ``(n, height, width, channels)`` uint8, ``count`` of them or all if there are fewer.

    Args:
        source: A `ganlib.data.Source`, possibly streamed.
        count: The largest number of images.
        seed: An integer that determines the images and their order. Defaults to 0.
    """
    found, missing = [], count
    for images, _ in real_batches(source, seed):
        found.append(images[:missing])
        missing -= len(found[-1])
        if not missing:
            break
    return np.concatenate(found)


def generated_batches(model, count, seed=0, real_labels=None):
    """Yields images of a model's averaged generator: ``(images, labels)``, uint8 and integers or None.

    An instance-conditioned model is conditioned on randomly chosen stored instances, which are not labels.

    Args:
        model: A `ganlib.GAN`.
        count: The total number of images.
        seed: An integer that determines latents and labels. Defaults to 0.
        real_labels: Labels whose frequencies a conditional model follows; None uses all classes equally. Defaults to None.

    Raises:
        UserError: If images are not finite.
    """
    generator = model.generator
    latents = latents_for(count, generator.latent_dim, seed)
    labels = drawn_labels(generator, count, np.random.default_rng(seed), real_labels)
    conditioning = None if labels is None else generator.labels_for(count, labels)
    for start in range(0, count, BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        images = model.generate_from(latents[rows], None if conditioning is None else conditioning[rows], BATCH_SIZE)
        yield plots.to_uint8(images), labels[rows] if generator.num_classes else None


def drawn_labels(generator, count, rng, real_labels=None):
    """Draws ``(count,)`` integer labels, or indices of stored instances. Returns None for an unconditional generator.

    Args:
        generator: A `ganlib.networks.Generator`.
        count: The number of images.
        rng: A `numpy.random.Generator`.
        real_labels: Labels whose frequencies are followed if there are classes; None uses all equally. Defaults to None.
    """
    if not generator.condition_spec:
        return None
    use_real = generator.num_classes and real_labels is not None
    return rng.choice(real_labels if use_real else np.arange(generator.num_conditions), count)


def generated_source(model, count, seed=0, class_names=()):
    """Returns images of a conditional model's averaged generator as a labeled `ganlib.data.Source` with equally frequent
    classes.

    Args:
        model: A `ganlib.GAN` with classes.
        count: The total number of images.
        seed: An integer that determines latents and labels. Defaults to 0.
        class_names: The names of the classes; if empty, they are named by their indices. Defaults to ``()``.

    Raises:
        UserError: If the model has no classes.
    """
    if not model.generator.num_classes:
        raise UserError("images for a classifier require labels: train the GAN with --config.conditional=True")
    batches = generated_batches(model, count, seed)
    images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    names = class_names or tuple(str(k) for k in range(model.generator.num_classes))
    return data.from_arrays("generated", images, labels, names)
