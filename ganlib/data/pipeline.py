"""From a `Source` to endless batches. What batch number k holds is a function of (seed, k) alone.

Batch k holds the positions ``k * batch_size`` to ``(k + 1) * batch_size`` of the epochs laid end to end, and each
epoch is a random permutation by (seed, stream, epoch). So a resumed run sees what it would have seen, no image is
dropped at an epoch's end, and starting at step k costs no more than the permutation of one epoch, which takes 24 ms for
1.3 million images. Images stay uint8; the model rescales them on its device.
"""

import tensorflow as tf

from ganlib.errors import UserError
from ganlib.seeds import ALGORITHM, Purpose, derive

UNLABELED = 1
"""The stream of the unlabeled images' order, where there are labeled ones too."""


def batches(source, batch_size, seed=0, start_step=0, with_labels=True, stream=0):
    """Endless batches of a source.

    Args:
        source: a `ganlib.data.Source`.
        batch_size: images a batch, from 1 to the source's number of images.
        seed: an integer from which, with the epoch, the order follows.
        start_step: the number of the first batch.
        with_labels: give labels where the source has them.
        stream: an integer. Orders of one seed in several streams are independent, as for datasets that are joined.

    Returns:
        A `tf.data.Dataset` of ``images`` or of ``(images, labels)``: ``(batch_size, height, width, channels)`` uint8
        and ``(batch_size,)`` int64.

    Raises:
        UserError: for a batch size of 0 or larger than the source.
    """
    _check_batch_size(source, batch_size)
    with_labels = with_labels and bool(source.class_names)
    if source.read is None:
        dataset = _streamed(source, batch_size, seed, start_step, stream, with_labels)
        return _finish(dataset if with_labels else dataset.map(lambda images, labels: images))

    def read(indices):
        images = source.read(indices)
        return (images, tf.gather(source.labels, indices)) if with_labels else images

    indices = _shuffled_indices(source.num_examples, batch_size, seed, start_step, stream)
    parallel = None if source.images is not None else tf.data.AUTOTUNE
    return _finish(indices.map(read, num_parallel_calls=parallel))


def semi_supervised_batches(labeled, unlabeled, batch_size, seed=0, start_step=0, labeled_batch_size=None):
    """Endless batches for a semi-supervised GAN.

    Args:
        labeled: the source whose labels may be used; it may be smaller than a batch, and then repeats within it.
        unlabeled: the source of images whose labels, if there are any, are not read.
        batch_size: unlabeled images a batch.
        seed: an integer from which both orders follow.
        start_step: the number of the first batch.
        labeled_batch_size: labeled images a batch; None takes ``batch_size``.

    Returns:
        A `tf.data.Dataset` of ``(labeled_images, labels, unlabeled_images)``.

    Raises:
        UserError: for a bad batch size, and a labeled source that is streamed or has no labels.
    """
    labeled.check_not_streamed("its labeled images cannot be repeated")
    if labeled.labels is None:
        raise UserError(f"{labeled.name} has no labels to learn from")

    def read(indices):
        return labeled.read(indices), tf.gather(labeled.labels, indices)

    indices = _shuffled_indices(labeled.num_examples, labeled_batch_size or batch_size, seed, start_step)
    unlabeled = batches(unlabeled, batch_size, seed, start_step, with_labels=False, stream=UNLABELED)
    dataset = tf.data.Dataset.zip(indices.map(read), unlabeled)
    return _finish(dataset.map(lambda labeled, unlabeled: (*labeled, unlabeled)))


def neighbor_batches(source, features, neighbors, batch_size, seed=0, start_step=0):
    """Endless batches for an instance-conditioned GAN: images, each a neighbor of an instance, and the instances' features.

    Args:
        source: the images, not streamed.
        features: ``(num_examples, F)`` float32, of each image as an instance.
        neighbors: ``(num_examples, k)`` integers, the numbers of its neighbors, one of which is taken at random.
        batch_size: images a batch.
        seed: an integer from which, with the epoch and the step, all follows.
        start_step: the number of the first batch.

    Returns:
        A `tf.data.Dataset` of ``(images, features)``: ``(batch_size, height, width, channels)`` uint8 and
        ``(batch_size, F)`` float32.

    Raises:
        UserError: for a batch size of 0 or larger than the source, and a source that is streamed.
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
    return _finish(tf.data.Dataset.zip(steps, indices).map(read, num_parallel_calls=tf.data.AUTOTUNE))


def joined_batches(first, second):
    """Batches that hold those of two datasets, one after the other.

    Args:
        first: a `tf.data.Dataset` of ``(images, labels)``, from `batches`.
        second: another one, of images of the same shape.
    """

    def join(first, second):
        return tuple(tf.concat(parts, axis=0) for parts in zip(first, second, strict=True))

    return _finish(tf.data.Dataset.zip(first, second).map(join))


def _check_batch_size(source, batch_size):
    if batch_size < 1:
        raise UserError(f"batch_size must be at least 1, got {batch_size}")
    if batch_size > source.num_examples:
        raise UserError(f"batch_size {batch_size} is larger than {source.name}, which has {source.num_examples} images")


def _shuffled_indices(num_examples, batch_size, seed, start_step, stream=0):
    """Endless ``(batch_size,)`` int64 indices. An epoch's permutation is made while the one before it is read."""
    first_epoch, skipped = divmod(start_step * batch_size, num_examples)

    def rest_of(epoch):
        return _permutation(num_examples, seed, stream, epoch)[tf.where(epoch == first_epoch, skipped, 0) :]

    epochs = tf.data.Dataset.counter(first_epoch).map(rest_of).prefetch(1)
    return epochs.rebatch(batch_size, drop_remainder=True)


def _permutation(num_examples, seed, stream, epoch):
    """``(num_examples,)`` int64. TensorFlow's `index_shuffle` would need no memory, but it knows 256 orders by the epoch."""
    derived = derive(seed, Purpose.ORDER, stream, epoch)
    return tf.random.experimental.stateless_shuffle(tf.range(num_examples, dtype=tf.int64), derived, alg=ALGORITHM)


def _streamed(source, batch_size, seed, start_step, stream, with_labels):
    """Batches of a stream: each epoch is shuffled anew by (seed, stream, epoch), and a start inside an epoch reads up to it."""
    first_epoch, skipped = divmod(start_step * batch_size, source.num_examples)

    def epochs():
        epoch = first_epoch
        while True:
            dataset = source.stream(_number(derive(seed, Purpose.ORDER, stream, epoch)))
            for image, label in dataset.skip(skipped) if epoch == first_epoch else dataset:
                if with_labels and not 0 <= int(label) < len(source.class_names):
                    raise UserError(f"{source.name} has an image with the label {int(label)}: open it without labels")
                yield image, label
            epoch += 1

    signature = (tf.TensorSpec(source.image_shape, tf.uint8), tf.TensorSpec((), tf.int64))
    return tf.data.Dataset.from_generator(epochs, output_signature=signature).batch(batch_size, drop_remainder=True)


def _number(derived):
    """A derived seed as one integer from 0, for operations that take no pair."""
    return int(tf.random.stateless_uniform((), derived, 0, tf.int64.max, tf.int64, alg=ALGORITHM))


def _finish(dataset):
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
