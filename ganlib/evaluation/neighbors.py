"""A picture of generated images next to their nearest training images."""

import numpy as np

from ganlib import plots
from ganlib.evaluation.images import real_batches

NEIGHBORS = 3


def nearest_neighbors(model, source, extractor, rows=10, seed=0):
    """Draws a picture that shows whether images are memorized: each row holds a generated image and its nearest real images in
    feature space.

    Args:
        model: A `ganlib.GAN`.
        source: The real training images.
        extractor: A `ganlib.metrics.extractor.FeatureExtractor`.
        rows: The number of generated images. Defaults to 10.
        seed: The seed of their latents. Defaults to 0.

    Returns:
        A `PIL.Image.Image`.
    """
    generated = plots.to_uint8(model.generate(rows, seed=seed))
    generated_features = extractor(generated).features
    nearest = [[] for _ in range(rows)]  # pairs of distance and image, nearest first
    for images, _ in real_batches(source):
        real_features = extractor(images).features
        for row, feature in enumerate(generated_features):
            distances = np.linalg.norm(real_features - feature, axis=1)
            candidates = nearest[row] + [(distances[i], images[i]) for i in np.argsort(distances)[:NEIGHBORS]]
            nearest[row] = sorted(candidates, key=lambda pair: pair[0])[:NEIGHBORS]
    cells = [image for row in range(rows) for image in (generated[row], *(image for _, image in nearest[row]))]
    return plots.image_grid(np.stack(cells), columns=1 + NEIGHBORS)
