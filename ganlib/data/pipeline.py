"""Endless batches of a `Source`. Batch k depends only on (seed, k).

Batch k contains the positions ``k * batch_size`` to ``(k + 1) * batch_size`` of the concatenated epochs, and each epoch is a
random permutation determined by (seed, stream, epoch). A resumed run therefore receives the same batches, no image is dropped
at the end of an epoch, and starting at step k costs only the permutation of one epoch, which takes 24 ms for 1.3 million
images. Images remain uint8; the model rescales them on its device.

Each of several workers reads only its `Share` of every batch.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from ganlib.errors import UserError
from ganlib.seeds import ALGORITHM, Purpose, derive

UNLABELED = 1
"""The stream of the order of unlabeled images in a semi-supervised dataset."""

OF_GENERATOR = 2
"""The stream of the order of the unlabeled images for the update of the generator, if they are others."""

PREFETCHED = 8
"""The number of batches that are read ahead. TensorFlow's automatic choice grows up to half of the memory."""


@dataclasses.dataclass(frozen=True)
class Share:
    """One of several equal parts of every batch.

    Attributes:
        index: The index of the part, from 0. Defaults to 0.
        count: The number of parts, which must divide the batch size. Defaults to 1.
    """

    index: int = 0
    count: int = 1

    def of(self, rows):
        """Returns the part of a tensor whose first dimension is the batch."""
        size = rows.shape[0] // self.count
        return rows[self.index * size : (self.index + 1) * size]


ALL = Share()
"""The share of a single worker: whole batches."""


def batches(source, batch_size, seed=0, start_step=0, with_labels=True, stream=0, mirror=False, share=ALL, balanced=False):
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
        share: The `Share` of each batch to read. Defaults to all of it.
        balanced: Whether each batch has equally many images of each class, or one more of some classes if the batch size is
            not a multiple of the number of classes. Images of rare classes then repeat more often. Defaults to False.

    Returns:
        A `tf.data.Dataset` of ``images`` or of ``(images, labels)``: ``(batch_size, height, width, channels)`` uint8 and
        ``(batch_size,)`` int64.

    Raises:
        UserError: If the batch size is less than 1 or larger than the source, or the source of balanced batches is streamed or
            has no labels.
    """
    _check_batch_size(source, batch_size)
    if balanced:
        _check_labels_by_index(source)
    with_labels = with_labels and bool(source.class_names)
    if source.fetch is None:
        dataset = _streamed(source, batch_size, seed, start_step, stream, with_labels, share)
    else:

        def fetch(indices):
            indices = share.of(indices)
            return (source.fetch(indices), tf.gather(source.labels, indices)) if with_labels else (source.fetch(indices),)

        dataset = _decoded(source, _indices_of(source, batch_size, seed, start_step, stream, balanced), fetch)
    if mirror:
        dataset = _mirrored(dataset, seed, start_step, stream, share)
    return _finish(dataset if with_labels else dataset.map(lambda images: images))


def semi_supervised_batches(
    labeled, unlabeled, batch_size, seed=0, start_step=0, labeled_batch_size=None, share=ALL, balanced=False, fresh=False
):
    """Returns endless batches for a semi-supervised GAN.

    Args:
        labeled: The source of labeled images. If it is smaller than a batch, images repeat within a batch.
        unlabeled: The source of unlabeled images; its labels, if any, are not read.
        batch_size: The number of unlabeled images in a batch.
        seed: An integer that determines both orders. Defaults to 0.
        start_step: The index of the first batch. Defaults to 0.
        labeled_batch_size: The number of labeled images in a batch; None uses ``batch_size``. Defaults to None.
        share: The `Share` of each batch to read. Defaults to all of it.
        balanced: Whether the labeled part of each batch is balanced, as in `batches`. Defaults to False.
        fresh: Whether each batch also has as many unlabeled images in an order of their own, for the update of the generator.
            Defaults to False.

    Returns:
        A `tf.data.Dataset` of ``(labeled_images, labels, unlabeled_images)``. With ``fresh``, other unlabeled images follow.

    Raises:
        UserError: If a batch size is invalid, or the labeled source is streamed or has no labels.
    """
    _check_labels_by_index(labeled)

    def fetch(indices):
        indices = share.of(indices)
        return labeled.fetch(indices), tf.gather(labeled.labels, indices)

    indices = _indices_of(labeled, labeled_batch_size or batch_size, seed, start_step, 0, balanced)
    streams = (UNLABELED, OF_GENERATOR) if fresh else (UNLABELED,)
    others = [batches(unlabeled, batch_size, seed, start_step, False, stream, share=share) for stream in streams]
    dataset = tf.data.Dataset.zip(_decoded(labeled, indices, fetch), *others)
    return _finish(dataset.map(lambda labeled, *others: (*labeled, *others)))


def neighbor_batches(source, features, neighbors, batch_size, seed=0, start_step=0, mirror=False, share=ALL):
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
        share: The `Share` of each batch to read. Defaults to all of it.

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

    def fetch(step, indices):
        derived = derive(seed, Purpose.NEIGHBORS, step)
        column = tf.random.stateless_uniform((batch_size,), derived, 0, neighbors.shape[1], tf.int64, alg=ALGORITHM)
        indices, column = share.of(indices), share.of(column)
        return source.fetch(tf.gather_nd(neighbors, tf.stack([indices, column], axis=1))), tf.gather(features, indices)

    steps = tf.data.Dataset.counter(start_step)
    indices = _shuffled_indices(source.num_examples, batch_size, seed, start_step)
    dataset = _decoded(source, tf.data.Dataset.zip(steps, indices), fetch)
    return _finish(_mirrored(dataset, seed, start_step, share=share) if mirror else dataset)


def joined_batches(first, second):
    """Concatenates the batches of two datasets.

    Args:
        first: A `tf.data.Dataset` of ``(images, labels)``, from `batches`.
        second: A second dataset with images of the same shape.
    """

    def join(first, second):
        return tuple(tf.concat(pair, axis=0) for pair in zip(first, second, strict=True))

    return _finish(tf.data.Dataset.zip(first, second).map(join))


def _decoded(source, dataset, fetch):
    """Returns a dataset of batches ``(images, ...)``.

    Args:
        source: A `ganlib.data.Source`.
        dataset: A dataset of batches of indices.
        fetch: A function from an element of ``dataset`` to a tuple: what ``source.fetch`` returns, and further tensors.
    """
    dataset = dataset.map(fetch, num_parallel_calls=None if source.images is not None else tf.data.AUTOTUNE)
    if source.decode is None:
        return dataset
    (size,) = {spec.shape[0] for spec in tf.nest.flatten(dataset.element_spec)}

    def decode(fetched, *others):
        return source.decode(fetched), *others

    return dataset.unbatch().map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(size, drop_remainder=True)


def _mirrored(dataset, seed, start_step, stream=0, share=ALL):
    """Mirrors each image of a dataset of batches with a probability of one half, determined by (seed, stream, step)."""

    def mirror(step, batch):
        images, *others = batch
        derived, shape = derive(seed, Purpose.MIRROR, stream, step), (images.shape[0] * share.count, 1, 1, 1)
        is_mirrored = share.of(tf.random.stateless_uniform(shape, derived, 0, 2, tf.int32, alg=ALGORITHM)) == 1
        return tf.where(is_mirrored, tf.reverse(images, axis=[2]), images), *others

    steps = tf.data.Dataset.counter(start_step)
    return tf.data.Dataset.zip(steps, dataset).map(mirror, num_parallel_calls=tf.data.AUTOTUNE)


def _check_batch_size(source, batch_size):
    if batch_size < 1:
        raise UserError(f"batch_size must be at least 1, got {batch_size}")
    if batch_size > source.num_examples:
        raise UserError(
            f"batch_size {batch_size} is larger than {source.name}, which has {source.num_examples} images: set it lower"
        )


def _check_labels_by_index(source):
    source.check_not_streamed("its labeled images cannot be repeated")
    if source.labels is None:
        raise UserError(f"{source.name} has no labels: choose a labeled dataset")


def _indices_of(source, batch_size, seed, start_step, stream, balanced):
    """Returns endless ``(batch_size,)`` int64 indices of a source's images in the order of their epochs."""
    if balanced:
        return _endless(*_balanced_order(source.labels, seed, stream), batch_size, start_step)
    return _shuffled_indices(source.num_examples, batch_size, seed, start_step, stream)


def _shuffled_indices(num_examples, batch_size, seed, start_step, stream=0):
    """Returns endless ``(batch_size,)`` int64 indices, each epoch a permutation of all."""
    return _endless(num_examples, lambda epoch: _permutation(num_examples, seed, stream, epoch), batch_size, start_step)


def _endless(size, order, batch_size, start_step):
    """Returns endless ``(batch_size,)`` int64 indices. The next epoch's order is computed while the current one is read.

    Args:
        size: The number of indices in an epoch.
        order: A function from the number of an epoch to its ``(size,)`` indices.
        batch_size: The number of indices in a batch.
        start_step: The index of the first batch.
    """
    first_epoch, skipped = divmod(start_step * batch_size, size)

    def remaining_indices(epoch):
        return order(epoch)[tf.where(epoch == first_epoch, skipped, 0) :]

    epochs = tf.data.Dataset.counter(first_epoch).map(remaining_indices).prefetch(1)
    return epochs.rebatch(batch_size, drop_remainder=True)


def _permutation(num_examples, seed, stream, epoch):
    """Returns a ``(num_examples,)`` int64 permutation. TensorFlow's `index_shuffle` needs no memory, but supports only 256
    orders per epoch.
    """
    derived = derive(seed, Purpose.ORDER, stream, epoch)
    return tf.random.experimental.stateless_shuffle(tf.range(num_examples, dtype=tf.int64), derived, alg=ALGORITHM)


def _balanced_order(labels, seed, stream):
    """Returns the size of an epoch in which the classes take turns, and a function from its number to its order.

    An epoch has each image of the largest class once, and equally many of every other class: these images repeat, each as often
    as the others of its class, or once more. Each repetition is another permutation.
    """
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    count = max(map(len, members))
    rounds = [np.arange(-(-count // len(indices)) * len(indices)) // len(indices) for indices in members]
    indices = tf.constant(np.concatenate([np.resize(m, len(r)) for m, r in zip(members, rounds, strict=True)]))
    # Sorting by (class, round, random number) permutes each round of each class.
    groups = np.concatenate([k * (count + 1) + r for k, r in enumerate(rounds)]).astype(np.float64)
    starts = np.cumsum([0, *map(len, rounds[:-1])])
    in_turns = tf.constant((starts[None, :] + np.arange(count)[:, None]).reshape(-1))

    def order(epoch):
        derived = derive(seed, Purpose.ORDER, stream, epoch)
        random = tf.random.stateless_uniform(groups.shape, derived, dtype=tf.float64, alg=ALGORITHM)
        return tf.gather(indices, tf.gather(tf.argsort(groups + random), in_turns))

    return count * len(members), order


def _streamed(source, batch_size, seed, start_step, stream, with_labels, share):
    """Returns batches ``(images, labels)``, or ``(images,)``, of a stream. Each epoch is shuffled by (seed, stream, epoch);
    starting inside an epoch reads and skips its beginning.
    """
    first_epoch, skipped = divmod(start_step * batch_size, source.num_examples)

    def epoch(number):
        derived = derive(seed, Purpose.ORDER, stream, number)
        shuffle_seed = tf.random.stateless_uniform((), derived, 0, tf.int64.max, tf.int64, alg=ALGORITHM)
        return source.stream(shuffle_seed, tf.where(number == first_epoch, tf.constant(skipped, tf.int64), 0))

    def share_of(images, labels):
        if not with_labels:
            return (share.of(images),)
        with tf.control_dependencies([_label_assertion(source, labels)]):
            return share.of(images), share.of(tf.identity(labels))

    examples = tf.data.Dataset.counter(first_epoch).flat_map(epoch)
    return examples.batch(batch_size, drop_remainder=True).map(share_of)


def _label_assertion(source, labels):
    """Returns an operation that fails if a label of a stream is not that of a class."""
    low, high = tf.reduce_min(labels), tf.reduce_max(labels)
    label = tf.strings.as_string(tf.where(low < 0, low, high))
    message = [f"UserError: {source.name} has an image with the label ", label, ": open it without labels"]
    return tf.debugging.Assert((low >= 0) & (high < len(source.class_names)), [tf.strings.join(message)])


def _finish(dataset):
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options).prefetch(PREFETCHED)
