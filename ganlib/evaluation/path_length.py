"""The perceptual path length of a generator: see `ganlib.metrics.path_length`."""

import numpy as np

from ganlib.evaluation.images import drawn_labels
from ganlib.metrics.path_length import EPSILON, path_length, slerp
from ganlib.training.latents import latents_for

PATHS = 10_000
"""The largest number of pairs of images."""

BATCH_SIZE = 128


def compute(model, extractor, samples, seed, real_labels=None):
    """Computes ``ppl`` in Z, at random positions of paths between random latents.

    Args:
        model: A `ganlib.GAN`, whose averaged generator is measured. Both images of a pair have the same label.
        extractor: A `ganlib.metrics.extractor.FeatureExtractor`. The distance of two images is that of their features, which
            are computed from images that are not rounded to integers.
        samples: The number of pairs, at most 10,000.
        seed: An integer that determines latents, positions and labels.
        real_labels: Labels whose frequencies a conditional model follows; None uses all classes equally. Defaults to None.

    Returns:
        A dict with ``"ppl"`` and ``"ppl_pairs"``, the number of pairs.
    """
    count, generator = min(samples, PATHS), model.generator
    ends = latents_for(2 * count, generator.latent_dim, seed)
    rng, first, second = np.random.default_rng(seed), ends[:count], ends[count:]
    positions = rng.uniform(size=count)
    labels = drawn_labels(generator, count, rng, real_labels)
    labels = None if labels is None else generator.labels_for(count, labels)
    scale = np.sqrt(generator.latent_dim)  # the length of a normal latent, which networks that do not normalize expect
    features = []
    for offset in (0.0, EPSILON):
        latents = (slerp(first, second, positions + offset) * scale).astype(np.float32)
        features.append(_features(model, extractor, latents, labels))
    return {"ppl": path_length(*features, EPSILON), "ppl_pairs": count}


def _features(model, extractor, latents, labels):
    parts = []
    for start in range(0, len(latents), BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        images = model.generate_from(latents[rows], None if labels is None else labels[rows], BATCH_SIZE)
        parts.append(extractor.unrounded((images + 1.0) * 127.5).features)
    return np.concatenate(parts)
