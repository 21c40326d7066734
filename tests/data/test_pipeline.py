import dataclasses

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import ganlib
from ganlib import data
from ganlib.data import pipeline


@pytest.fixture
def numbered():
    """20 images, each filled with its index and labeled by the index modulo 3."""
    images = np.broadcast_to(np.arange(20, dtype=np.uint8)[:, None, None, None], (20, 4, 4, 1))
    return data.from_arrays("numbered", images, np.arange(20) % 3)


def order(dataset, steps):
    return [batch[0].numpy()[:, 0, 0, 0].tolist() for batch in dataset.take(steps)]


def test_every_epoch_is_another_permutation(numbered):
    flat = np.concatenate(order(pipeline.batches(numbered, 5), 8))
    assert sorted(flat[:20]) == list(range(20))
    assert sorted(flat[20:]) == list(range(20))
    assert flat[:20].tolist() != flat[20:].tolist()


def test_a_batch_can_span_two_epochs(numbered):
    flat = np.concatenate(order(pipeline.batches(numbered, 8), 5))
    assert sorted(flat[:20]) == sorted(flat[20:]) == list(range(20))


def test_the_order_is_determined_by_the_seed_and_the_step(numbered):
    expected = order(pipeline.batches(numbered, 8, seed=1), 10)
    assert order(pipeline.batches(numbered, 8, seed=1, start_step=6), 4) == expected[6:]
    assert order(pipeline.batches(numbered, 8, seed=2), 10) != expected


def epochs_of(num_examples, count, seed=0):
    """Returns the orders of the first epochs: ``(count, num_examples)``."""
    indices = pipeline._shuffled_indices(num_examples, num_examples * count, seed, start_step=0)
    return next(iter(indices)).numpy().reshape(count, num_examples)


def plausible(statistic, freedom):
    """Returns whether a statistic fits a chi-squared distribution; it fails by chance twice in 10,000 times."""
    return 1e-4 < scipy.stats.chi2.sf(statistic, freedom) < 1 - 1e-4


SIZES = pytest.mark.parametrize(("size", "epochs"), [(10, 3000), (100, 1500), (297, 600), (2000, 300)])


@SIZES
def test_images_are_uniformly_distributed_over_positions(size, epochs):
    """Compares tenths of the images with tenths of the positions.

    For permutations, the statistic is n / (n - 1) times too large.
    """
    tenths = np.stack([np.bincount(order[k * size // 10 : (k + 1) * size // 10] * 10 // size, minlength=10)
                       for order in epochs_of(size, epochs) for k in range(10)]).reshape(epochs, 10, 10)  # fmt: skip
    expected = tenths[0].sum(0, keepdims=True) * tenths[0].sum(1, keepdims=True) / size
    statistic = np.sum((tenths.sum(0) - epochs * expected) ** 2 / (epochs * expected))
    assert plausible(statistic * (size - 1) / size, 9 * 9)


@SIZES
def test_pairs_of_images_share_a_batch_equally_often(size, epochs):
    """Each pair shares a batch of a fifth of the images with probability p.

    For random permutations the counts, whose sum is fixed for each image, have equal variance in the remaining n (n - 3) / 2
    directions.
    """
    share, count = size // 5, 0
    batches = epochs_of(size, epochs)[:, : share * 5].reshape(-1, share)
    member = np.zeros((len(batches), size), np.float32)
    np.put_along_axis(member, batches, 1.0, axis=1)
    count = (member.T @ member)[np.triu_indices(size, 1)].astype(np.float64)
    p = np.mean(count) / epochs
    variance = epochs * p * (1 - p) * (size - 1) / (size - 3)
    assert size % 5 or p == pytest.approx((share - 1) / (size - 1))
    assert plausible(np.sum((count - epochs * p) ** 2) / variance, size * (size - 3) / 2)


@SIZES
def test_the_first_image_of_an_epoch_is_independent_of_the_previous_epoch(size, epochs):
    first = np.concatenate([epochs_of(size, epochs, seed)[:, 0] * 10 // size for seed in (0, 1, 2**40)])
    assert scipy.stats.chisquare(np.bincount(first, minlength=10), bins_of(size) * len(first)).pvalue > 1e-4
    pairs = np.bincount(first[::2] * 10 + first[1::2], minlength=100)
    expected = np.outer(bins_of(size), bins_of(size)).ravel()
    assert plausible(np.sum((pairs - expected * pairs.sum()) ** 2 / (expected * pairs.sum())), 99)


def bins_of(size):
    """Returns the share of the images in each tenth."""
    return np.bincount(np.arange(size) * 10 // size) / size


def test_all_seeds_streams_and_epochs_have_different_orders():
    """Checks 20,000 of them, including some that differ only in their high bits."""
    near = np.stack(np.meshgrid(range(-2, 3), range(2), range(1800)), axis=-1).reshape(-1, 3)
    numbers = [0, 1, 2, 255, 256, 257, 2**16, 2**31, 2**32, 2**32 + 1, 2**48, 2**62, -1, -256]
    far = np.stack(np.meshgrid(numbers, range(2), numbers), axis=-1).reshape(-1, 3)
    keys = tf.data.Dataset.from_tensor_slices(np.unique(np.concatenate([near, near[:, [2, 1, 0]], far]), axis=0))
    orders = keys.map(lambda key: pipeline._permutation(30, *tf.unstack(key))).batch(1000)
    orders = np.concatenate(list(orders.as_numpy_iterator())).astype(np.uint8)
    assert len(orders) == len(set(map(bytes, orders))) > 20_000


def test_labels_belong_to_their_images(numbered):
    for images, labels in pipeline.batches(numbered, 5).take(4):
        np.testing.assert_array_equal(images[:, 0, 0, 0].numpy() % 3, labels)
        assert images.dtype == tf.uint8


def test_a_batch_without_labels_contains_only_images(numbered):
    batch = next(iter(pipeline.batches(numbered, 5, with_labels=False)))
    assert batch.shape == (5, 4, 4, 1)


@pytest.mark.parametrize(("size", "message"), [(0, "at least 1, got 0"), (21, "21 is larger than numbered, which has 20")])
def test_invalid_batch_sizes_are_rejected(numbered, size, message):
    with pytest.raises(ganlib.UserError, match=message):
        pipeline.batches(numbered, size)


def test_semi_supervised_batches(numbered):
    labeled = numbered.subset([0, 1, 2])
    dataset = pipeline.semi_supervised_batches(labeled, numbered, batch_size=8, labeled_batch_size=6)
    for labeled_images, labels, unlabeled_images in dataset.take(3):
        assert sorted(labeled_images[:, 0, 0, 0].numpy()) == [0, 0, 1, 1, 2, 2]
        np.testing.assert_array_equal(labels, labeled_images[:, 0, 0, 0].numpy() % 3)
        assert unlabeled_images.shape == (8, 4, 4, 1)
    resumed = pipeline.semi_supervised_batches(labeled, numbered, 8, start_step=2, labeled_batch_size=6)
    for first, second in zip(next(iter(resumed)), list(dataset.take(3))[2], strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_generator_gets_other_unlabeled_images_in_an_order_of_their_own(numbered):
    arguments = {"batch_size": 4, "labeled_batch_size": 3}
    dataset = pipeline.semi_supervised_batches(numbered.subset([0, 1, 2]), numbered, fresh=True, **arguments)
    batches = [[tensor.numpy() for tensor in batch] for batch in dataset.take(10)]
    usual = pipeline.semi_supervised_batches(numbered.subset([0, 1, 2]), numbered, **arguments)
    for batch, three_parts in zip(batches, usual, strict=False):
        assert all(np.array_equal(a, b) for a, b in zip(batch, three_parts, strict=False))
    epochs = [np.concatenate([batch[part][:, 0, 0, 0] for batch in batches]).reshape(2, 20).tolist() for part in (2, 3)]
    assert all(sorted(epoch) == list(range(20)) for part in epochs for epoch in part)  # each image once in an epoch
    assert epochs[0] != epochs[1]
    resumed = pipeline.semi_supervised_batches(numbered.subset([0, 1, 2]), numbered, start_step=7, fresh=True, **arguments)
    assert all(np.array_equal(a, b) for a, b in zip(next(iter(resumed)), batches[7], strict=True))


def test_joined_batches_contain_both():
    source = data.open("digits")
    first, second = (pipeline.batches(source.subset(range(100)), 4, seed=s) for s in (1, 2))
    images, labels = next(iter(pipeline.joined_batches(first, second)))
    for rows, dataset in ((slice(0, 4), first), (slice(4, 8), second)):
        expected = next(iter(dataset))
        np.testing.assert_array_equal(images[rows], expected[0])
        np.testing.assert_array_equal(labels[rows], expected[1])


def test_neighbor_batches_pair_the_features_of_an_instance_with_a_neighbor(numbered):
    features = np.arange(20, dtype=np.float32)[:, None] * [1, 10]
    neighbors = np.stack([np.arange(20), (np.arange(20) + 1) % 20], axis=1)
    dataset = pipeline.neighbor_batches(numbered, features, neighbors, 8, seed=3)
    collected = [(images[:, 0, 0, 0].numpy(), rows.numpy()) for images, rows in dataset.take(5)]
    instances = np.concatenate([rows[:, 0] for _, rows in collected]).astype(int)
    steps = (np.concatenate([numbers for numbers, _ in collected]) - instances) % 20
    assert sorted(instances[:20]) == list(range(20))  # each image is an instance once per epoch
    assert set(steps) == {0, 1}
    assert 0.2 < np.mean(steps) < 0.8
    resumed = next(iter(pipeline.neighbor_batches(numbered, features, neighbors, 8, seed=3, start_step=4)))
    np.testing.assert_array_equal(resumed[0][:, 0, 0, 0], collected[4][0])
    np.testing.assert_array_equal(resumed[1], collected[4][1])


def stream_of(labels):
    """Creates a streamed source of identical images."""
    images = np.zeros((len(labels), 4, 4, 1), np.uint8)
    dataset = tf.data.Dataset.from_tensor_slices((images, np.array(labels, np.int64)))
    return data.Source(
        "big", (4, 4, 1), len(labels), class_names=("cat", "dog"), stream=lambda seed, start: dataset.skip(start)
    )


def test_unsupported_uses_of_a_stream_are_rejected(numbered):
    streamed = stream_of([0, 1, 1, 0])
    with pytest.raises(ganlib.UserError, match="big is streamed .* so its labeled images cannot be repeated"):
        pipeline.semi_supervised_batches(streamed, numbered, 4)
    with pytest.raises(ganlib.UserError, match="big is streamed .* so neighbors of its images cannot be read"):
        pipeline.neighbor_batches(streamed, np.zeros((4, 2), np.float32), np.zeros((4, 2), int), 4)
    with pytest.raises(ganlib.UserError, match="numbered has no labels: choose a labeled dataset"):
        pipeline.semi_supervised_batches(data.from_arrays("numbered", numbered.images), numbered, 4)


def test_images_without_a_label_are_rejected_in_a_labeled_stream():
    assert next(iter(pipeline.batches(stream_of([0, 1, 1, 0]), 4)))[1].numpy().tolist() == [0, 1, 1, 0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="UserError: big has an image with the label -1"):
        list(pipeline.batches(stream_of([0, 1, -1, 0]), 4).take(1))
    assert next(iter(pipeline.batches(stream_of([-1] * 4), 4, with_labels=False))).shape == (4, 4, 4, 1)


def test_the_order_of_a_stream_depends_on_seed_stream_and_epoch():
    def bytes_of_seed(seed, start):
        image = tf.reshape(tf.bitcast(seed, tf.uint8), (2, 4, 1))
        return tf.data.Dataset.from_tensors((image, tf.constant(-1, tf.int64))).repeat(2).skip(start)

    source, seeds = data.Source("seeds", (2, 4, 1), 2, stream=bytes_of_seed), []
    for seed, stream in ((0, 0), (1, 0), (0, 1), (2**32, 0)):
        for images in pipeline.batches(source, 2, seed, stream=stream).take(3):
            first, second = images.numpy().reshape(2, 8).view(np.int64)[:, 0]
            assert first == second
            seeds.append(first)
    assert len(seeds) == len(set(seeds)) == 12
    assert 0 <= min(seeds) < max(seeds) < 2**63
    assert max(seeds) > 2**32


def test_labeled_and_unlabeled_images_are_shuffled_independently(numbered):
    """Also those of the next seed, so that three runs with the seeds 0, 1 and 2 are independent."""
    batches = [
        [tensor.numpy() for tensor in next(iter(pipeline.semi_supervised_batches(numbered, numbered, 20, seed)))]
        for seed in (0, 1)
    ]
    orders = [bytes(images[:, 0, 0, 0]) for labeled, _, unlabeled in batches for images in (labeled, unlabeled)]
    assert len(set(orders)) == 4


@pytest.mark.parametrize("kind", ["arrays", "streamed", "neighbors"])
def test_mirror_reverses_about_half_of_the_images_and_nothing_else(kind):
    images = np.broadcast_to(np.arange(4, dtype=np.uint8)[None, None, :, None], (50, 4, 4, 1)).copy()
    images[:, :, :, 0] += 4 * np.arange(50, dtype=np.uint8)[:, None, None]
    source = data.from_arrays("columns", images, np.arange(50) % 3)

    def batches(**arguments):
        if kind == "neighbors":
            features, neighbors = np.arange(50, dtype=np.float32)[:, None], np.arange(50)[:, None]
            return pipeline.neighbor_batches(source, features, neighbors, 10, **arguments)
        if kind == "streamed":

            def stream(seed, start):
                return tf.data.Dataset.from_tensor_slices((images, source.labels)).skip(start)

            return pipeline.batches(dataclasses.replace(source, images=None, fetch=None, stream=stream), 10, **arguments)
        return pipeline.batches(source, 10, **arguments)

    def taken(steps, **arguments):
        return [np.stack(batch, axis=0) for batch in zip(*((i.numpy(), o.numpy()) for i, o in batches(**arguments).take(steps)),
                                                          strict=True)]  # fmt: skip

    (plain, others), (mirrored, same_others) = taken(20), taken(20, mirror=True)
    np.testing.assert_array_equal(others, same_others)
    is_reversed = np.all(mirrored == plain[..., ::-1, :], axis=(2, 3, 4))
    assert np.all(is_reversed | np.all(mirrored == plain, axis=(2, 3, 4)))
    assert 60 < is_reversed.sum() < 140  # of 200
    np.testing.assert_array_equal(taken(5, mirror=True, start_step=15)[0], mirrored[15:])
    assert not np.array_equal(taken(20, mirror=True, seed=1)[0], mirrored)


@pytest.fixture
def unequal():
    """13 images, each filled with its index: one of class 0, four of class 1 and eight of class 2."""
    images = np.broadcast_to(np.arange(13, dtype=np.uint8)[:, None, None, None], (13, 4, 4, 1))
    return data.from_arrays("unequal", images, np.repeat([0, 1, 2], [1, 4, 8]))


def test_balanced_batches_have_equally_many_images_of_each_class(unequal):
    for images, labels in pipeline.batches(unequal, 6, balanced=True).take(8):
        assert np.bincount(labels).tolist() == [2, 2, 2]
        np.testing.assert_array_equal(unequal.labels[images[:, 0, 0, 0].numpy()], labels)


def test_classes_take_turns_in_balanced_batches_of_another_size(unequal):
    labels = np.concatenate([labels for _, labels in pipeline.batches(unequal, 4, balanced=True).take(6)])
    np.testing.assert_array_equal(labels, np.arange(24) % 3)


def test_images_of_a_class_are_equally_frequent_in_a_balanced_epoch(unequal):
    flat = np.concatenate(order(pipeline.batches(unequal, 6, balanced=True), 8))
    for epoch in (flat[:24], flat[24:]):
        assert np.bincount(epoch).tolist() == [8] + [2] * 4 + [1] * 8
        of_class_1 = epoch[1::3]
        assert sorted(of_class_1[:4]) == sorted(of_class_1[4:]) == [1, 2, 3, 4]
    assert flat[:24].tolist() != flat[24:].tolist()


def test_balanced_batches_are_determined_by_the_seed_and_the_step(unequal):
    expected = order(pipeline.batches(unequal, 6, seed=1, balanced=True), 10)
    assert order(pipeline.batches(unequal, 6, seed=1, start_step=7, balanced=True), 3) == expected[7:]
    assert order(pipeline.batches(unequal, 6, seed=2, balanced=True), 10) != expected
    shares = [order(pipeline.batches(unequal, 6, 1, share=data.Share(k, 2), balanced=True), 10) for k in range(2)]
    assert [first + second for first, second in zip(*shares, strict=True)] == expected


def test_only_the_labeled_part_of_a_semi_supervised_batch_is_balanced(unequal):
    arguments = {"seed": 3, "labeled_batch_size": 3}
    balanced, as_is = (
        list(pipeline.semi_supervised_batches(unequal, unequal, 5, balanced=balanced, **arguments).take(6))
        for balanced in (True, False)
    )
    assert [sorted(labels.numpy()) for _, labels, _ in balanced] == [[0, 1, 2]] * 6
    for ours, others in zip(balanced, as_is, strict=True):
        np.testing.assert_array_equal(ours[2], others[2])


def test_balanced_batches_need_labels(unequal):
    unlabeled = data.from_arrays("plain", unequal.images)
    with pytest.raises(ganlib.UserError, match="plain has no labels: choose a labeled dataset"):
        pipeline.batches(unlabeled, 4, balanced=True)
