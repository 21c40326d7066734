"""Endless batches of a `Source`. Batch k depends only on (seed, k).

Batch k contains the positions ``k * batch_size`` to ``(k + 1) * batch_size`` of the concatenated epochs, and each epoch is a
random permutation determined by (seed, stream, epoch). A resumed run therefore receives the same batches, no image is dropped
at the end of an epoch, and starting at step k costs only the permutation of one epoch, which takes 24 ms for 1.3 million
images. Images remain uint8; the model rescales them on its device.
"""

import tensorflow as tf

from ganlib.errors import UserError
from ganlib.seeds import ALGORITHM, Purpose, derive

UNLABELED = 1
"""The stream of the order of unlabeled images in a semi-supervised dataset."""


def batches(source, batch_size, seed=0, start_step=0, with_labels=True, stream=0, mirror=False):
    """Returns endless batches of a source.

    Args:
        source: A `ganlib.data.Source`.
        batch_size: The number of images in a batch, from 1 to the number of images of the source.
        seed: An integer that, with the epoch, determines the order. Defaults to 0.
        start_step: The index of the first batch. Defaults to 0.
        with_labels: Whether to return labels if the source has them. Defaults to True.
        stream: An integer. Different streams have independent orders for the same seed. Use them for datasets that are
            combined. Defaults to 0.
        mirror: Whether to mirror each image left to right with a probability of one half. Defaults to False.

    Returns:
        A `tf.data.Dataset` of ``images`` or of ``(images, labels)``: ``(batch_size, height, width, channels)`` uint8 and
        ``(batch_size,)`` int64.

    Raises:
        UserError: If the batch size is less than 1 or larger than the source.
    """
    _check_batch_size(source, batch_size)
    with_labels = with_labels and bool(source.class_names)
    if source.read is None:
        dataset = _streamed(source, batch_size, seed, start_step, stream, with_labels)
        dataset = dataset if with_labels else dataset.map(lambda images, labels: images)
        return _finish(_mirrored(dataset, seed, start_step, stream) if mirror else dataset)

    def read(indices):
        images = source.read(indices)
        return (images, tf.gather(source.labels, indices)) if with_labels else images

    indices = _shuffled_indices(source.num_examples, batch_size, seed, start_step, stream)
    parallel = None if source.images is not None else tf.data.AUTOTUNE
    dataset = indices.map(read, num_parallel_calls=parallel)
    return _finish(_mirrored(dataset, seed, start_step, stream) if mirror else dataset)


def semi_supervised_batches(labeled, unlabeled, batch_size, seed=0, start_step=0, labeled_batch_size=None):
    """Returns endless batches for a semi-supervised GAN.

    Args:
        labeled: The source of labeled images. If it is smaller than a batch, images repeat within a batch.
        unlabeled: The source of unlabeled images; its labels, if any, are not read.
        batch_size: The number of unlabeled images in a batch.
        seed: An integer that determines both orders. Defaults to 0.
        start_step: The index of the first batch. Defaults to 0.
        labeled_batch_size: The number of labeled images in a batch; None uses ``batch_size``. Defaults to None.

    Returns:
        A `tf.data.Dataset` of ``(labeled_images, labels, unlabeled_images)``.

    Raises:
        UserError: If a batch size is invalid, or the labeled source is streamed or has no labels.
    """
    labeled.check_not_streamed("its labeled images cannot be repeated")
    if labeled.labels is None:
        raise UserError(f"{labeled.name} has no labels: choose a labeled dataset")

    def read(indices):
        return labeled.read(indices), tf.gather(labeled.labels, indices)

    indices = _shuffled_indices(labeled.num_examples, labeled_batch_size or batch_size, seed, start_step)
    unlabeled = batches(unlabeled, batch_size, seed, start_step, with_labels=False, stream=UNLABELED)
    dataset = tf.data.Dataset.zip(indices.map(read), unlabeled)
    return _finish(dataset.map(lambda labeled, unlabeled: (*labeled, unlabeled)))


def neighbor_batches(source, features, neighbors, batch_size, seed=0, start_step=0, mirror=False):
    """Returns endless batches for an instance-conditioned GAN: images, each a neighbor of an instance, and the instances'
    features.

    Args:
        source: The images; they must not be streamed.
        features: ``(num_examples, F)`` float32, the features of each image as an instance.
        neighbors: ``(num_examples, k)`` integers, the indices of each image's neighbors, one of which is drawn at random.
        batch_size: The number of images in a batch.
        seed: An integer that, with the epoch and the step, determines all random choices. Defaults to 0.
        start_step: The index of the first batch. Defaults to 0.
        mirror: Whether to mirror each image left to right with a probability of one half. Defaults to False.

    Returns:
        A `tf.data.Dataset` of ``(images, features)``: ``(batch_size, height, width, channels)`` uint8 and ``(batch_size, F)``
        float32.

    Raises:
        UserError: If the batch size is less than 1 or larger than the source, or the source is streamed.
    """
    source.check_not_streamed("neighbors of its images cannot be read")
    _check_batch_size(source, batch_size)
    with tf.device("CPU:0"):
        features, neighbors = tf.constant(features), tf.constant(neighbors, tf.int64)

    def read(step, indices):
        derived = derive(seed, Purpose.NEIGHBORS, step)
        column = tf.random.stateless_uniform((batch_size,), derived, 0, neighbors.shape[1], tf.int64, alg=ALGORITHM)
        return source.read(tf.gather_nd(neighbors, tf.stack([indices, column], axis=1))), tf.gather(features, indices)

    steps = tf.data.Dataset.counter(start_step)
    indices = _shuffled_indices(source.num_examples, batch_size, seed, start_step)
    dataset = tf.data.Dataset.zip(steps, indices).map(read, num_parallel_calls=tf.data.AUTOTUNE)
    return _finish(_mirrored(dataset, seed, start_step) if mirror else dataset)


def joined_batches(first, second):
    """Concatenates the batches of two datasets.

    Args:
        first: A `tf.data.Dataset` of ``(images, labels)``, from `batches`.
        second: A second dataset with images of the same shape.
    """

    def join(first, second):
        return tuple(tf.concat(pair, axis=0) for pair in zip(first, second, strict=True))

    return _finish(tf.data.Dataset.zip(first, second).map(join))


def _mirrored(dataset, seed, start_step, stream=0):
    """Mirrors each image of a dataset of batches with a probability of one half, determined by (seed, stream, step)."""

    def mirror(step, batch):
        images, *others = batch if isinstance(batch, tuple) else (batch,)
        derived = derive(seed, Purpose.MIRROR, stream, step)
        is_mirrored = tf.random.stateless_uniform((images.shape[0], 1, 1, 1), derived, 0, 2, tf.int32, alg=ALGORITHM) == 1
        images = tf.where(is_mirrored, tf.reverse(images, axis=[2]), images)
        return (images, *others) if others else images

    steps = tf.data.Dataset.counter(start_step)
    return tf.data.Dataset.zip(steps, dataset).map(mirror, num_parallel_calls=tf.data.AUTOTUNE)


def _check_batch_size(source, batch_size):
    if batch_size < 1:
        raise UserError(f"batch_size must be at least 1, got {batch_size}")
    if batch_size > source.num_examples:
        raise UserError(f"batch_size {batch_size} is larger than {source.name}, which has {source.num_examples} images")


def _shuffled_indices(num_examples, batch_size, seed, start_step, stream=0):
    """Returns endless ``(batch_size,)`` int64 indices. The next epoch's permutation is computed while the current one is
    read.
    """
    first_epoch, skipped = divmod(start_step * batch_size, num_examples)

    def remaining_indices(epoch):
        return _permutation(num_examples, seed, stream, epoch)[tf.where(epoch == first_epoch, skipped, 0) :]

    epochs = tf.data.Dataset.counter(first_epoch).map(remaining_indices).prefetch(1)
    return epochs.rebatch(batch_size, drop_remainder=True)


def _permutation(num_examples, seed, stream, epoch):
    """Returns a ``(num_examples,)`` int64 permutation. TensorFlow's `index_shuffle` needs no memory, but supports only 256
    orders per epoch.
    """
    derived = derive(seed, Purpose.ORDER, stream, epoch)
    return tf.random.experimental.stateless_shuffle(tf.range(num_examples, dtype=tf.int64), derived, alg=ALGORITHM)


def _streamed(source, batch_size, seed, start_step, stream, with_labels):
    """Returns batches of a stream. Each epoch is shuffled by (seed, stream, epoch); starting inside an epoch reads and skips
    its beginning.
    """
    first_epoch, skipped = divmod(start_step * batch_size, source.num_examples)

    def epochs():
        epoch = first_epoch
        while True:
            dataset = source.stream(_seed_as_integer(derive(seed, Purpose.ORDER, stream, epoch)))
            for image, label in dataset.skip(skipped) if epoch == first_epoch else dataset:
                if with_labels and not 0 <= int(label) < len(source.class_names):
                    raise UserError(f"{source.name} has an image with the label {int(label)}: open it without labels")
                yield image, label
            epoch += 1

    signature = (tf.TensorSpec(source.image_shape, tf.uint8), tf.TensorSpec((), tf.int64))
    return tf.data.Dataset.from_generator(epochs, output_signature=signature).batch(batch_size, drop_remainder=True)


def _seed_as_integer(derived):
    """Converts a derived seed to one nonnegative integer, for operations that do not take a pair."""
    return int(tf.random.stateless_uniform((), derived, 0, tf.int64.max, tf.int64, alg=ALGORITHM))


def _finish(dataset):
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
