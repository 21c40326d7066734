"""Sampling from a trained GAN beyond `ganlib.GAN.generate`: interpolation, semantic directions, samples refined by the
discriminator, and standing statistics.
"""

import keras
import numpy as np
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.models.adversarial import with_labels
from ganlib.training.latents import latents_for
from ganlib.training.random_stream import RandomStream


def slerp(first, second, shares):
    """Interpolates latents along great circles, on which all points are about equally likely: White 2016 (arXiv:1609.04468).

    Args:
        first: ``(n, latent_dim)``.
        second: ``(n, latent_dim)``.
        shares: ``(k,)`` numbers from 0 (the first) to 1 (the second).

    Returns:
        ``(n, k, latent_dim)`` float32.
    """
    first, second, shares = (np.asarray(x, np.float64) for x in (first, second, shares))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    angle = np.arccos(np.clip(np.sum(first * second, axis=1) / np.maximum(lengths, 1e-12), -1.0, 1.0))[:, None]
    sine = np.sin(angle)
    is_line = sine < 1e-6  # collinear latents are interpolated linearly
    weights = (np.where(is_line, x, np.sin(x * angle) / np.where(is_line, 1.0, sine)) for x in (1 - shares, shares))
    first_weight, second_weight = (weight[:, :, None] for weight in weights)
    return (first_weight * first[:, None] + second_weight * second[:, None]).astype(np.float32)


def interpolation(gan, rows, columns, labels=None, seed=0):
    """Generates images on paths between random latents.

    Args:
        gan: A `ganlib.GAN`.
        rows: The number of paths.
        columns: The number of images on each path.
        labels: ``(rows,)`` classes of a conditional GAN; None cycles through them. Defaults to None.
        seed: An integer. Defaults to 0.

    Returns:
        ``(rows * columns, height, width, channels)``, one path after the other.
    """
    ends = latents_for(2 * rows, gan.generator.latent_dim, seed)
    latents = slerp(ends[::2], ends[1::2], np.linspace(0.0, 1.0, columns)).reshape(rows * columns, -1)
    labels = gan.labels_for(rows, labels)
    return gan.generate_from(latents, None if labels is None else np.repeat(labels, columns, axis=0))


def loop(gan, stops, frames, labels=None):
    """Generates images along closed paths through latents, for moving pictures that can be repeated.

    Args:
        gan: A `ganlib.GAN`.
        stops: ``(n, k, latent_dim)`` float32, the latents that each of n paths visits in turn before it returns to the first.
        frames: The number of images on each path, rounded down to a multiple of k, at least k.
        labels: ``(n,)`` classes of a conditional GAN, one for each path; None cycles through them. Defaults to None.

    Returns:
        ``(frames, n, height, width, channels)`` float32, one image of each path in each frame.
    """
    count, num_stops, latent_dim = stops.shape
    shares = np.linspace(0.0, 1.0, max(frames // num_stops, 1), endpoint=False)
    shares = 0.5 - 0.5 * np.cos(np.pi * shares)  # slower at the stops
    next_stops = np.roll(stops, -1, axis=1)
    latents = slerp(stops.reshape(-1, latent_dim), next_stops.reshape(-1, latent_dim), shares)
    latents = latents.reshape(count, -1, latent_dim)
    labels = gan.labels_for(count, labels)
    repeated = None if labels is None else np.repeat(labels, latents.shape[1], axis=0)
    images = gan.generate_from(latents.reshape(-1, latent_dim), repeated)
    return np.swapaxes(images.reshape(count, -1, *images.shape[1:]), 0, 1)


def directions(generator, count):
    """Computes the directions along which latents or styles change a generator's layers the most, from its weights alone.

    Shen & Zhou 2021, "Closed-form factorization of latent semantics in GANs" (SeFa, arXiv:2007.06600), equation 5: the
    eigenvectors of A^T A, where A are the linear maps applied to the latents or styles.

    Args:
        generator: A generator with ``latent_maps``, such as those of `stylegan2` and `biggan`.
        count: The number of directions, strongest first.

    Returns:
        ``(count, latent_dim)`` float32, each of length 1.

    Raises:
        UserError: If the generator has no latent maps.
    """
    maps = generator.latent_maps()
    if not maps:
        raise UserError(f"{type(generator).__module__} has no latent_maps: use a generator of stylegan2 or biggan")
    kernels = np.concatenate([np.asarray(kernel, np.float64) / np.linalg.norm(kernel, axis=0) for kernel in maps], axis=1)
    _, vectors = np.linalg.eigh(kernels @ kernels.T)
    return vectors[:, ::-1].T[:count].astype(np.float32)


def moved(gan, latents, direction, amounts, labels=None):
    """Generates images of latents or styles moved along a direction.

    Args:
        gan: A `ganlib.GAN`.
        latents: ``(n, latent_dim)``.
        direction: ``(latent_dim,)``, such as a row from `directions`.
        amounts: ``(k,)`` distances.
        labels: ``(n,)`` classes of a conditional GAN. Defaults to None.

    Returns:
        ``(n * k, height, width, channels)``, ordered by latent.
    """
    steps = np.asarray(amounts, np.float32)[:, None] * direction
    labels = None if labels is None else np.repeat(labels, len(steps), axis=0)
    if not gan.generator.truncates_styles:
        return gan.generate_from((latents[:, None] + steps).reshape(-1, latents.shape[1]), labels)
    network, repeated = gan.ema_generator, np.repeat(np.asarray(latents, np.float32), len(steps), axis=0)
    styles = network.layer_styles(repeated, labels) + np.tile(steps, (len(latents), 1))[:, None]
    return np.clip(network.from_styles(styles), -1.0, 1.0)


def rejection_sample(gan, count, labels=None, seed=0, percentile=80.0, burn_in=1000, batch_size=256):
    """Generates images by discriminator rejection sampling, whose density is closer to that of the data.

    Azadi et al. 2019, "Discriminator rejection sampling" (arXiv:1810.06758), equation 8. The logit is interpreted as log p_data
    - log p_generator, to which the non-saturating loss without a penalty trains it.

    Args:
        gan: A `ganlib.GAN`.
        count: The number of images to accept.
        labels: One class of a conditional GAN for all images; None cycles through the classes. Defaults to None.
        seed: An integer. Defaults to 0.
        percentile: Gamma is this percentile of F, so that about the remaining share is accepted. None sets gamma to 0, which is
            exact but may accept almost nothing. Defaults to 80.0.
        burn_in: The number of images from which the largest logit and gamma are estimated. Defaults to 1000.
        batch_size: The number of candidates in a batch. Defaults to 256.

    Returns:
        ``(images, share)``: ``(count, height, width, channels)`` float32, and the share of candidates that were accepted.
    """
    _, logits = _candidates(gan, burn_in, labels, seed, 0)
    largest = np.max(logits)
    gamma = 0.0 if percentile is None else np.percentile(_acceptance(logits, largest), percentile)
    rng, accepted, num_candidates = np.random.default_rng(seed), [], 0
    while sum(map(len, accepted)) < count:
        num_candidates += batch_size
        images, logits = _candidates(gan, batch_size, labels, seed, num_candidates)
        largest = max(largest, np.max(logits))
        scores = _acceptance(logits, largest) - gamma
        accepted.append(images[rng.uniform(size=batch_size) < 1.0 / (1.0 + np.exp(-scores))])
    return np.concatenate(accepted)[:count], sum(map(len, accepted)) / num_candidates


def _candidates(gan, count, labels, seed, step):
    """Generates ``(images, logits)`` from new latents."""
    latents = RandomStream(seed, step).normal((count, gan.generator.latent_dim)).numpy()
    labels = gan.labels_for(count, labels)
    images = gan.generate_from(latents, labels)
    return images, np.asarray(gan.discriminator(*with_labels(images, labels)), np.float64)


def _acceptance(logits, largest, epsilon=1e-8):
    """Computes F of the paper without gamma: the logit of the probability exp(logit - largest)."""
    difference = np.minimum(logits - largest, 0.0)
    return difference - np.log1p(-np.exp(difference - epsilon))


def langevin_sample(gan, count, labels=None, seed=0, steps=100, step_size=0.01):
    """Generates images from latents moved by Langevin dynamics on |z|^2 / 2 - D(G(z)), toward high discriminator logits.

    Che et al. 2020, "Your GAN is secretly an energy-based model" (DDLS, arXiv:2003.06060), algorithm 1.

    Args:
        gan: A `ganlib.GAN`.
        count: The number of images.
        labels: ``(count,)`` classes of a conditional GAN, or one for all images; None cycles through the classes. Defaults to
            None.
        seed: An integer. Defaults to 0.
        steps: The number of Langevin steps. Defaults to 100.
        step_size: The step size epsilon. Defaults to 0.01.

    Returns:
        ``(images, latents)``: ``(count, height, width, channels)`` and ``(count, latent_dim)`` float32.
    """
    labels = gan.labels_for(count, labels)

    @tf.function(autograph=False)
    def gradient(latents):
        with tf.GradientTape() as tape:
            tape.watch(latents)
            logits = gan.discriminator(*with_labels(gan.ema_generator(*with_labels(latents, labels)), labels))
            energy = 0.5 * tf.reduce_sum(tf.square(latents), axis=1) - logits
        return tape.gradient(energy, latents)

    latents = RandomStream(seed).normal((count, gan.generator.latent_dim))
    for step in range(1, steps + 1):
        noise = RandomStream(seed, step).normal(tuple(latents.shape))
        latents = latents - 0.5 * step_size * gradient(latents) + step_size**0.5 * noise
    return gan.generate_from(latents.numpy(), labels), latents.numpy()


def standing_statistics(gan, batches=100, batch_size=64, seed=0):
    """Sets the batch statistics of the averaged generator to the mean statistics of its generated images.

    Brock et al. 2019 (arXiv:1809.11096), section 4.1. Images then do not depend on the batch, and the statistics match the
    weights.

    Args:
        gan: A `ganlib.GAN`; its ``ema_generator`` is modified.
        batches: The number of batches to average over; the paper uses 100. Defaults to 100.
        batch_size: The number of images in a batch. Defaults to 64.
        seed: An integer. Defaults to 0.

    Raises:
        UserError: If the generator has no batch normalization.
    """
    network = gan.ema_generator
    normalizations = [x for x in network._flatten_layers() if isinstance(x, keras.layers.BatchNormalization)]
    if not normalizations:
        raise UserError("this generator has no batch normalization: standing statistics do not apply")
    momenta = [layer.momentum for layer in normalizations]
    network.trainable = True  # a frozen batch normalization of Keras ignores the batch
    for index in range(batches):
        for layer in normalizations:
            layer.momentum = index / (index + 1.0)  # a plain mean over batches
        latents = RandomStream(seed, index + 1).normal((batch_size, network.latent_dim))
        network(*with_labels(latents, gan.labels_for(batch_size)), training=True)
    network.trainable = False
    for layer, momentum in zip(normalizations, momenta, strict=True):
        layer.momentum = momentum
