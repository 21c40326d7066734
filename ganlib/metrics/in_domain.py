"""A small classifier trained on the real images, whose features evaluate images unlike those of ImageNet.

ImageNet features are of little use for MNIST-like data. Numbers computed with this classifier are comparable between runs on
one dataset, but not with papers.
"""

import os

import keras
import numpy as np
import tqdm

from ganlib import versions
from ganlib.errors import UserError
from ganlib.files import written_whole
from ganlib.metrics import cache
from ganlib.metrics.arrays import check_labels, log

NUM_FEATURES = 128
EPOCHS = 4
MIN_STEPS = 600
BATCH_SIZE = 128
SIZE = 64
"""The classifier averages the pixels of larger images to no less than this height and width."""


def load(source, cache_dir=None):
    """Returns the classifier of a source's images, from the cache, or trains and stores it.

    Args:
        source: A `ganlib.data.Source` with the real training images and their labels. If they are larger than memory, the
            classifier is trained on a random subset.
        cache_dir: The folder of the classifiers; None uses `ganlib.metrics.cache.default_folder`. Defaults to None.

    Returns:
        A Keras model from ``(n, height, width, channels)`` pixel values in ``[0, 255]`` to a dict of ``"features"``,
        ``(n, 128)``, and ``"probabilities"``, ``(n, num_classes)``.

    Raises:
        UserError: If the images have no labels, or are streamed, or the classifier cannot be written.
    """
    if source.labels is None:
        remedy = "set other features, such as efficientnet_lite:0, or compute no metrics (metrics='')"
        if source.fetch is None:
            remedy = f"write it once with python -m experiments.prepare, {remedy}"
        raise UserError(f"in_domain features require labels of all images by index, which {source.name} lacks: {remedy}")
    path = path_of(source, cache_dir)
    if os.path.exists(path):
        try:
            return keras.saving.load_model(path, compile=False)
        except Exception as error:  # a damaged file can fail to load in any way
            log.warning("classifier %s is damaged (%s) and is retrained", path, error)
    print(f"training a classifier of {source.name} for its features, cached as {path}", flush=True)
    training = source.in_memory()
    model = train(training.images, training.labels, training.num_classes, progress=True)
    store(model, source, cache_dir)
    return model


def store(model, source, cache_dir=None):
    """Writes the classifier of a source's images to the cache: see `load`.

    Raises:
        UserError: If it cannot be written. Other processes read it there, so that all of them have the same one.
    """
    path = path_of(source, cache_dir)
    try:
        with written_whole(path) as partial:
            model.save(partial)
    except OSError as error:
        raise UserError(f"cannot write {path} ({error}): set GANLIB_CACHE to a folder that can be written") from None


def untrained(source):
    """Returns the classifier of a source's images before training, whose weights can be set."""
    return _network(source.image_shape, source.num_classes)


def path_of(source, cache_dir=None):
    """Returns the path at which the cache stores the classifier of a source's images, whether it exists or not.

    Args:
        source: A `ganlib.data.Source`.
        cache_dir: The folder of the classifiers; None uses `ganlib.metrics.cache.default_folder`. Defaults to None.
    """
    return cache.path_of(cache_dir, ("in_domain", *cache.key_of(source), version(source.image_shape)), ".keras")


def version(image_shape):
    """Returns a hash of everything besides the images that determines the classifier: the code and constants of this module."""
    constants = NUM_FEATURES, EPOCHS, MIN_STEPS, BATCH_SIZE, *([SIZE] if _factor(image_shape) > 1 else [])
    return versions.of(versions.of_code("metrics/in_domain.py"), *constants)


def train(images, labels, num_classes, seed=0, progress=False):
    """Trains the classifier: see `load`.

    Args:
        images: ``(n, height, width, channels)`` uint8.
        labels: ``(n,)`` integers in ``[0, num_classes)``.
        num_classes: The number of classes.
        seed: An integer that determines the weights, up to the rounding of the hardware. Defaults to 0.
        progress: Whether to show a progress bar. Defaults to False.

    Raises:
        UserError: If images have another dtype or shape, or labels are not integers in range.
    """
    images, labels = np.asarray(images), np.asarray(labels)
    if images.dtype != np.uint8 or images.ndim != 4 or labels.shape != images.shape[:1] or not len(images):
        raise UserError(
            f"expected uint8 images (n, height, width, channels) and (n,) labels, got {images.dtype} "
            f"{images.shape} and {labels.shape}"
        )
    check_labels(labels, num_classes)
    absent = np.flatnonzero(np.bincount(labels, minlength=num_classes) == 0)
    if len(absent) or num_classes == 1:
        log.warning("a classifier is trained on images of only %d of %d classes", num_classes - len(absent), num_classes)
    keras.utils.set_random_seed(seed)
    model = _network(images.shape[1:], num_classes)
    classifier = keras.Model(model.input, model.output["probabilities"])
    epochs = max(EPOCHS, int(np.ceil(MIN_STEPS * BATCH_SIZE / max(len(images), BATCH_SIZE))))
    steps = epochs * int(np.ceil(len(images) / BATCH_SIZE))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    classifier.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    with tqdm.tqdm(total=epochs, desc="training", unit="epoch", disable=not progress) as bar:
        after_epoch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: bar.update())
        classifier.fit(images, labels, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, callbacks=[after_epoch])
    return model


def _factor(image_shape):
    """Returns the height and width of the squares of pixels that are averaged."""
    return max(1, min(image_shape[:2]) // SIZE)


def _network(image_shape, num_classes):
    inputs = keras.layers.Input(image_shape)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    if _factor(image_shape) > 1:  # otherwise an epoch of 2,000 images of 300x300 takes minutes
        x = keras.layers.AveragePooling2D(_factor(image_shape))(x)
    x = keras.layers.RandomTranslation(0.07, 0.07, fill_mode="nearest")(x)
    for width in (32, 64, 128):
        x = keras.layers.Conv2D(width, 4, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Flatten()(x)
    features = keras.layers.Dense(NUM_FEATURES, activation="relu", name="features")(keras.layers.Dropout(0.25)(x))
    probabilities = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")(features)
    return keras.Model(inputs, {"features": features, "probabilities": probabilities})
