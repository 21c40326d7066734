"""Ways to draw from a trained GAN beyond `ganlib.GAN.generate`: paths between latents, directions that mean something, samples
that the discriminator has chosen, batch statistics of the generator's own images."""

import keras
import numpy as np
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.models.adversarial import latents_for, with_labels
from ganlib.training.random_stream import RandomStream


def slerp(first, second, shares):
    """Points on the great circle between latents, which are as probable as they are: White 2016 (arXiv:1609.04468).

    Args:
        first: ``(n, latent_dim)``.
        second: ``(n, latent_dim)``.
        shares: ``(k,)`` numbers from 0, the first, to 1, the second.

    Returns:
        ``(n, k, latent_dim)`` float32.
    """
    first, second, shares = (np.asarray(x, np.float64) for x in (first, second, shares))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    angle = np.arccos(np.clip(np.sum(first * second, axis=1) / np.maximum(lengths, 1e-12), -1.0, 1.0))[:, None]
    sine = np.sin(angle)
    straight = sine < 1e-6  # along a line there is no circle
    before, after = (np.where(straight, x, np.sin(x * angle) / np.where(straight, 1.0, sine)) for x in (1 - shares, shares))
    return (before[:, :, None] * first[:, None] + after[:, :, None] * second[:, None]).astype(np.float32)


def interpolation(gan, rows, columns, labels=None, seed=0):
    """Images on paths between random latents: ``(rows * columns, height, width, channels)``, a path for each row.

    Args:
        gan: a `ganlib.GAN`.
        rows: how many paths.
        columns: images on each.
        labels: ``(rows,)`` classes of a conditional GAN; None takes each in turn.
        seed: an integer.
    """
    ends = latents_for(2 * rows, gan.generator.latent_dim, seed)
    latents = slerp(ends[::2], ends[1::2], np.linspace(0.0, 1.0, columns)).reshape(rows * columns, -1)
    labels = gan.labels_for(rows, labels)
    return gan.generate_from(latents, None if labels is None else np.repeat(labels, columns, axis=0))


def directions(generator, count):
    """The directions along which latents, or styles, change a generator's layers the most, by its weights alone.

    Shen & Zhou 2021, "Closed-form factorization of latent semantics in GANs" (SeFa, arXiv:2007.06600), equation 5: the
    eigenvectors of A^T A with A the linear maps that take them in.

    Args:
        generator: a generator with ``latent_maps``, such as those of `stylegan2` and `biggan`.
        count: how many, the strongest first.

    Returns:
        ``(count, latent_dim)`` float32, of length 1 each.

    Raises:
        UserError: for a generator without them.
    """
    maps = generator.latent_maps()
    if not maps:
        raise UserError(f"{type(generator).__module__} has no latent_maps: directions are those of stylegan2 and biggan")
    kernels = np.concatenate([np.asarray(kernel, np.float64) / np.linalg.norm(kernel, axis=0) for kernel in maps], axis=1)
    _, vectors = np.linalg.eigh(kernels @ kernels.T)
    return vectors[:, ::-1].T[:count].astype(np.float32)


def moved(gan, latents, direction, amounts, labels=None):
    """Images of latents, or styles, moved along a direction: ``(n * k, height, width, channels)``, image by image.

    Args:
        gan: a `ganlib.GAN`.
        latents: ``(n, latent_dim)``.
        direction: ``(latent_dim,)``, as from `directions`.
        amounts: ``(k,)``, how far.
        labels: ``(n,)`` classes of a conditional GAN.
    """
    steps = np.asarray(amounts, np.float32)[:, None] * direction
    labels = None if labels is None else np.repeat(labels, len(steps), axis=0)
    if not gan.generator.truncates_styles:
        return gan.generate_from((latents[:, None] + steps).reshape(-1, latents.shape[1]), labels)
    network, repeated = gan.ema_generator, np.repeat(np.asarray(latents, np.float32), len(steps), axis=0)
    styles = network.layer_styles(repeated, labels) + np.tile(steps, (len(latents), 1))[:, None]
    return np.clip(network.from_styles(styles), -1.0, 1.0)


def rejection_sample(gan, count, labels=None, seed=0, percentile=80.0, burn_in=1000, batch_size=256):
    """Images that the discriminator has chosen: those of a density that is nearer to the data's.

    Azadi et al. 2019, "Discriminator rejection sampling" (arXiv:1810.06758), equation 8. It takes the logit for
    log p_data - log p_generator, as the non-saturating loss without a penalty makes it.

    Args:
        gan: a `ganlib.GAN`.
        count: how many images to accept.
        labels: one class of a conditional GAN for all; None takes each in turn.
        seed: an integer.
        percentile: gamma is this percentile of F, so that about the rest is accepted; None sets gamma to 0, which is exact,
            and may accept next to none.
        burn_in: images from which the largest logit and gamma are estimated.
        batch_size: candidates at a time.

    Returns:
        ``(images, share)``: ``(count, height, width, channels)`` float32, and the share of candidates that were accepted.
    """
    _, logits = _candidates(gan, burn_in, labels, seed, 0)
    largest = np.max(logits)
    gamma = 0.0 if percentile is None else np.percentile(_acceptance(logits, largest), percentile)
    rng, accepted, tried = np.random.default_rng(seed), [], 0
    while sum(map(len, accepted)) < count:
        tried += batch_size
        images, logits = _candidates(gan, batch_size, labels, seed, tried)
        largest = max(largest, np.max(logits))
        scores = _acceptance(logits, largest) - gamma
        accepted.append(images[rng.uniform(size=batch_size) < 1.0 / (1.0 + np.exp(-scores))])
    return np.concatenate(accepted)[:count], sum(map(len, accepted)) / tried


def _candidates(gan, count, labels, seed, step):
    """``(images, logits)`` of new latents."""
    latents = RandomStream(seed, step).normal((count, gan.generator.latent_dim)).numpy()
    labels = gan.labels_for(count, labels)
    images = gan.generate_from(latents, labels)
    return images, np.asarray(gan.discriminator(*with_labels(images, labels)), np.float64)


def _acceptance(logits, largest, epsilon=1e-8):
    """F of the paper, without gamma: the logit of the probability exp(logit - largest)."""
    difference = np.minimum(logits - largest, 0.0)
    return difference - np.log1p(-np.exp(difference - epsilon))


def langevin_sample(gan, count, labels=None, seed=0, steps=100, step_size=0.01):
    """Images whose latents were moved to where the discriminator believes them: Langevin dynamics on |z|^2 / 2 - D(G(z)).

    Che et al. 2020, "Your GAN is secretly an energy-based model" (DDLS, arXiv:2003.06060), algorithm 1.

    Args:
        gan: a `ganlib.GAN`.
        count: how many images.
        labels: ``(count,)`` classes of a conditional GAN, or one for all; None takes each in turn.
        seed: an integer.
        steps: of the dynamics.
        step_size: epsilon.

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
    """Gives the averaged generator's batch normalization the mean statistics of images that it makes itself.

    Brock et al. 2019 (arXiv:1809.11096), section 4.1: so that images do not depend on a batch, and statistics belong to these
    weights.

    Args:
        gan: a `ganlib.GAN`; its ``ema_generator`` is changed.
        batches: how many are averaged; the paper has 100.
        batch_size: of each.
        seed: an integer.

    Raises:
        UserError: if the generator has no batch normalization.
    """
    network = gan.ema_generator
    normalizations = [x for x in network._flatten_layers() if isinstance(x, keras.layers.BatchNormalization)]
    if not normalizations:
        raise UserError("this generator has no batch normalization, so there are no statistics to set")
    momenta = [layer.momentum for layer in normalizations]
    network.trainable = True  # frozen, Keras's batch normalization would not look at the batch
    for index in range(batches):
        for layer in normalizations:
            layer.momentum = index / (index + 1.0)  # a plain mean over batches
        latents = RandomStream(seed, index + 1).normal((batch_size, network.latent_dim))
        network(*with_labels(latents, gan.labels_for(batch_size)), training=True)
    network.trainable = False
    for layer, momentum in zip(normalizations, momenta, strict=True):
        layer.momentum = momentum
