"""The classification accuracy score of generated images, beside that of the same number of real images."""

import keras
import numpy as np
import tensorflow as tf

from ganlib import metrics, versions
from ganlib.metrics import cache, in_domain


def compute(source, test, images, labels, seed, cache_dir=None):
    """Computes ``cas`` and ``cas_real``, on as many generated as real images.

    Args:
        source: The real training images, a labeled `ganlib.data.Source` in memory.
        test: The real test images.
        images: ``(n, height, width, channels)`` uint8 generated images. If there are more than real ones, the first are used.
        labels: ``(n,)`` integers.
        seed: An integer that determines the real images and the weights of the classifiers.
        cache_dir: The folder that keeps ``cas_real``, which is the same for all models. Defaults to None, the default folder.

    Returns:
        A dict of floats in ``[0, 1]`` and of ``cas_images``, the number of images that each classifier is trained on.
    """
    count = min(len(images), source.num_examples)
    accuracy = metrics.classification_accuracy_score(
        images[:count], labels[:count], test.images, test.labels, source.num_classes, seed
    )
    return {"cas": accuracy, "cas_real": of_real_images(source, test, count, seed, cache_dir), "cas_images": count}


def of_real_images(source, test, count, seed, cache_dir=None):
    """Computes the test accuracy after training on ``count`` real images, from the cache if it is there."""
    files = versions.of_code("metrics/classification_accuracy.py", "evaluation/accuracy_score.py")
    code = versions.of(in_domain.version(source.image_shape), files, tf.__version__, keras.__version__)
    key = ("cas", *cache.key_of(source), *cache.key_of(test), code, count, seed)

    def train():
        indices = np.random.default_rng(seed).permutation(source.num_examples)[:count]
        return {
            "accuracy": np.array(
                metrics.classification_accuracy_score(
                    source.pick(indices), source.labels[indices], test.images, test.labels, source.num_classes, seed
                )
            )
        }

    return float(cache.arrays(cache_dir, key, train)["accuracy"])
