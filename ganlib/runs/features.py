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
        count = min(STATISTICS_IMAGES, source.num_examples)
        chosen = np.random.default_rng(0).choice(source.num_examples, count, replace=False)
        source = source.subset(np.sort(chosen))
    encoder.adapt(_pooled(encoder.pooled, source))
    for target, value in zip(model.classifier.body.encoder.weights, encoder.get_weights(), strict=True):
        target.assign(value)


def encoded(model, source):
    """Returns what the classifier of a model takes in training: a source of features if it has a frozen encoder, or the source.

    Args:
        model: A model with a classifier.
        source: A `ganlib.data.Source` of images, or None, which is returned.
    """
    encoder = encoder_of(model)
    if encoder is None or source is None:
        return source
    if _fits_cache(encoder.pooled, source):
        features = np.asarray(encoder.from_pooled(_pooled(encoder.pooled, source)))
    else:
        features = computed(encoder, source)
    return _source(source, features)


def encoded_parts(model, parts):
    """Returns the parts that a classifier is trained on: see `encoded`.

    Args:
        model: A model with a classifier.
        parts: The `ganlib.data.FewLabels` of images.
    """
    if encoder_of(model) is None:
        return parts
    names = [field.name for field in dataclasses.fields(parts)]
    return dataclasses.replace(parts, **{name: encoded(model, getattr(parts, name)) for name in names})


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
    shape = "x".join(map(str, source.image_shape))
    key = "pooled features", source.name, shape, versions.of_model(pooled), versions.of_code("networks/backbone.py")
    starts = range(0, source.num_examples, BATCH)
    images = (source.pick(np.arange(start, min(start + BATCH, source.num_examples))) for start in starts)
    return cache.rows(None, key, images, lambda indices: computed(pooled, source.subset(indices)))


def computed(layer, source):
    """Returns the outputs of a layer for all images of a source. Shows the progress.

    Args:
        layer: A layer from ``(n, height, width, channels)`` float images in ``[-1, 1]`` to ``(n, F)`` features.
        source: A `ganlib.data.Source` of images.

    Returns:
        ``(n, F)`` float32, numpy.
    """
    compute = tf.function(lambda images: layer(rescale(images)), reduce_retracing=True)
    with tqdm.tqdm(total=source.num_examples, desc=f"features of {source.name}", unit=" images", mininterval=1.0) as bar:
        outputs = []
        for start in range(0, source.num_examples, BATCH):
            outputs.append(compute(source.pick(np.arange(start, min(start + BATCH, source.num_examples)))).numpy())
            bar.update(len(outputs[-1]))
    return np.concatenate(outputs).astype(np.float32)
