import numpy as np
import pytest
import tensorflow as tf

import ganlib
from ganlib.data import pipeline, sources


@pytest.fixture
def numbered():
    """20 images, each filled with its own number, labelled by number modulo 3."""
    images = np.broadcast_to(np.arange(20, dtype=np.uint8)[:, None, None, None], (20, 4, 4, 1))
    return sources.from_arrays("numbered", images, np.arange(20) % 3)


def order(dataset, steps):
    return [batch[0].numpy()[:, 0, 0, 0].tolist() for batch in dataset.take(steps)]


def test_every_epoch_is_another_permutation(numbered):
    flat = np.concatenate(order(pipeline.batches(numbered, 5), 8))
    assert sorted(flat[:20]) == list(range(20))
    assert sorted(flat[20:]) == list(range(20))
    assert flat[:20].tolist() != flat[20:].tolist()


def test_epochs_follow_each_other_inside_a_batch(numbered):
    flat = np.concatenate(order(pipeline.batches(numbered, 8), 5))
    assert sorted(flat[:20]) == sorted(flat[20:]) == list(range(20))


def test_order_follows_from_the_seed_and_the_step(numbered):
    whole = order(pipeline.batches(numbered, 8, seed=1), 10)
    assert order(pipeline.batches(numbered, 8, seed=1, start_step=6), 4) == whole[6:]
    assert order(pipeline.batches(numbered, 8, seed=2), 10) != whole


def test_shuffling_looks_random():
    # Over 64 epochs of 1,297 images: no correlation with the images' own order, or between epochs, beyond chance.
    indices = pipeline._shuffled_indices(1297, 1297, seed=0, start_step=0)
    epochs = np.stack([batch.numpy() for batch in indices.take(64)])
    assert all(len(set(epoch)) == 1297 for epoch in epochs)
    correlations = np.corrcoef(np.concatenate([np.arange(1297)[None], epochs]))[~np.eye(65, dtype=bool)]
    assert abs(correlations.std() * np.sqrt(1297) - 1) < 0.1
    assert abs(correlations.mean()) < 4 / np.sqrt(1297 * correlations.size)


def test_labels_belong_to_their_images(numbered):
    for images, labels in pipeline.batches(numbered, 5).take(4):
        np.testing.assert_array_equal(images[:, 0, 0, 0].numpy() % 3, labels)
        assert images.dtype == tf.uint8


def test_without_labels_a_batch_is_images_alone(numbered):
    batch = next(iter(pipeline.batches(numbered, 5, with_labels=False)))
    assert batch.shape == (5, 4, 4, 1)


@pytest.mark.parametrize(("size", "message"), [(0, "at least 1, got 0"), (21, "21 is larger than numbered, which has 20")])
def test_bad_batch_sizes(numbered, size, message):
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


def test_joined_batches_are_those_of_both():
    source = sources.open("digits")
    first, second = (pipeline.batches(source.subset(range(100)), 4, seed=s) for s in (1, 2))
    images, labels = next(iter(pipeline.joined_batches(first, second)))
    for part, dataset in ((slice(0, 4), first), (slice(4, 8), second)):
        expected = next(iter(dataset))
        np.testing.assert_array_equal(images[part], expected[0])
        np.testing.assert_array_equal(labels[part], expected[1])


def test_neighbor_batches_pair_an_instances_features_with_its_neighbours(numbered):
    features = np.arange(20, dtype=np.float32)[:, None] * [1, 10]
    neighbors = np.stack([np.arange(20), (np.arange(20) + 1) % 20], axis=1)
    dataset = pipeline.neighbor_batches(numbered, features, neighbors, 8, seed=3)
    seen = [(images[:, 0, 0, 0].numpy(), told.numpy()) for images, told in dataset.take(5)]
    instances = np.concatenate([told[:, 0] for _, told in seen]).astype(int)
    steps = (np.concatenate([numbers for numbers, _ in seen]) - instances) % 20
    assert sorted(instances[:20]) == list(range(20))  # each is an instance once in an epoch
    assert set(steps) == {0, 1}
    assert 0.2 < np.mean(steps) < 0.8
    resumed = next(iter(pipeline.neighbor_batches(numbered, features, neighbors, 8, seed=3, start_step=4)))
    np.testing.assert_array_equal(resumed[0][:, 0, 0, 0], seen[4][0])
    np.testing.assert_array_equal(resumed[1], seen[4][1])
