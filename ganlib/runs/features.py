"""Features of a run's images, computed once, for classifiers that are trained on features instead of images."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
import tqdm

from ganlib import data, versions
from ganlib.metrics import cache
from ganlib.networks.base import rescale

BATCH = 32
CACHED_BYTES = 1 << 30
"""The largest size of pooled features that are kept in the cache on disk."""
STATISTICS_IMAGES = 20_000
"""The number of images whose features determine an encoder's statistics if there are too many for the cache."""


def encoder_of(model):
    """Returns the frozen `ganlib.networks.feature_space.Encoder` on whose features a classifier is trained, or None if it is
    trained on images.

    Args:
        model: A model with a classifier, such as a `ganlib.SemiSupervisedGAN`.
    """
    body = model.network.body
    shape = getattr(body, "training_shape", model.network.image_shape)
    return None if shape == model.network.image_shape else body.encoder


def adapt(model, source):
    """Sets the statistics of a model's encoder, also in its averaged classifier, to those of a source's images.

    Args:
        model: A model with a classifier. Nothing happens if it has no `ganlib.networks.feature_space.Encoder`.
        source: A `ganlib.data.Source` of training images.
    """
    encoder = getattr(model.network.body, "encoder", None)
    if encoder is None:
        return
    if not _fits_cache(encoder.pooled, source):
        chosen = np.random.default_rng(0).choice(source.num_examples, STATISTICS_IMAGES, replace=False)
        source = source.subset(np.sort(chosen))
    encoder.adapt(_pooled(encoder.pooled, source))
    for target, value in zip(model.classifier.body.encoder.weights, encoder.get_weights(), strict=True):
        target.assign(value)


def of_images(model, images):
    """Returns what the classifier of a model is trained on for some images: their features if it has an encoder, or the images.

    Args:
        model: A model with a classifier.
        images: ``(n, height, width, channels)`` images, uint8 or float in ``[-1, 1]``.
    """
    encoder = encoder_of(model)
    if encoder is None:
        return images
    return tf.concat([encoder(rescale(images[start : start + BATCH])) for start in range(0, len(images), BATCH)], axis=0)


def encoded(model, parts):
    """Returns the parts that a classifier is trained on: with features in place of images if it has an encoder.

    Args:
        model: A model with a classifier.
        parts: The `ganlib.data.FewLabels` of images. The held-out images are not encoded.
    """
    encoder = encoder_of(model)
    if encoder is None:
        return parts
    labeled = _computed(encoder, parts.labeled)
    if _fits_cache(encoder.pooled, parts.unlabeled):
        unlabeled = np.asarray(encoder.from_pooled(_pooled(encoder.pooled, parts.unlabeled)))
    else:
        unlabeled = _computed(encoder, parts.unlabeled)
    return dataclasses.replace(parts, labeled=_source(parts.labeled, labeled), unlabeled=_source(parts.unlabeled, unlabeled))


def _source(source, features):
    """Returns a source with ``(n, F)`` features in place of images."""
    with tf.device("CPU:0"):
        rows = tf.constant(features)
    return data.Source(
        f"features of {source.name}",
        features.shape[1:],
        len(features),
        source.labels,
        source.class_names,
        features,
        fetch=lambda indices: tf.gather(rows, indices),
    )


def _fits_cache(pooled, source):
    return 4 * source.num_examples * _num_features(pooled, source) <= CACHED_BYTES


def _num_features(pooled, source):
    return pooled.compute_output_spec(keras.KerasTensor((None, *source.image_shape))).shape[-1]


def _pooled(pooled, source):
    """Returns the ``(n, F)`` pooled features of all images of a source, from the cache if it has them."""
    key = ("pooled features", *cache.key_of(source), versions.of_model(pooled), versions.of_code("networks/backbone.py"))
    return cache.arrays(None, key, lambda: {"features": _computed(pooled, source)})["features"]


def _computed(layer, source):
    """Returns the outputs of a layer for all images of a source: float32 numpy. Shows the progress."""
    compute = tf.function(lambda images: layer(rescale(images)), reduce_retracing=True)
    with tqdm.tqdm(total=source.num_examples, desc=f"features of {source.name}", unit=" images", mininterval=1.0) as bar:
        outputs = []
        for start in range(0, source.num_examples, BATCH):
            outputs.append(compute(source.pick(np.arange(start, min(start + BATCH, source.num_examples)))).numpy())
            bar.update(len(outputs[-1]))
    return np.concatenate(outputs).astype(np.float32)
