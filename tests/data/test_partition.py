import dataclasses

import numpy as np
import pytest

import ganlib
from ganlib import data
from ganlib.data import partition
from ganlib.data import source as source_module


def image_set(source):
    return {bytes(image) for image in source.images}


def test_the_parts_of_the_digits():
    source = data.open("digits")
    parts = data.few_labels(source, per_class=5, seed=1, validation_per_class=10)
    assert np.bincount(parts.labeled.labels).tolist() == [5] * 10
    assert np.bincount(parts.validation.labels).tolist() == [10] * 10
    assert parts.unlabeled.num_examples == source.num_examples - 100
    assert image_set(parts.labeled) <= image_set(parts.unlabeled)
    assert not image_set(parts.validation) & image_set(parts.unlabeled)
    lookup = {bytes(image): label for image, label in zip(source.images, source.labels, strict=True)}
    for part in (parts.labeled, parts.validation):
        assert [lookup[bytes(image)] for image in part.images] == part.labels.tolist()


def test_the_held_out_images_do_not_depend_on_the_number_of_labels():
    source = data.open("digits")
    few, more, all_labels = (data.few_labels(source, count, seed=2, validation_per_class=10) for count in (1, 20, None))
    assert image_set(few.validation) == image_set(more.validation) == image_set(all_labels.validation)
    assert all_labels.labeled.num_examples == source.num_examples - 100
    other = data.few_labels(source, 1, seed=3, validation_per_class=10)
    assert image_set(few.validation) != image_set(other.validation)


def test_without_validation_nothing_is_held_out():
    source = data.open("digits")
    parts = data.few_labels(source, per_class=5)
    assert parts.validation is None
    assert parts.unlabeled is source


def test_separate_unlabeled_images():
    source = data.open("digits")
    other = data.from_arrays("more", 255 - source.images[:50])
    parts = data.few_labels(source, 5, unlabeled=other)
    np.testing.assert_array_equal(parts.unlabeled.images, np.concatenate([parts.labeled.images, other.images]))
    assert parts.unlabeled.labels is None
    larger = data.from_arrays("larger", np.zeros((3, 16, 16, 1), np.uint8))
    with pytest.raises(ganlib.UserError, match=r"images of \(8, 8, 1\), the unlabeled larger of \(16, 16, 1\)"):
        data.few_labels(source, 5, unlabeled=larger)


def test_separate_unlabeled_images_that_are_all_copies_are_an_error():
    source = data.open("digits")
    copies = data.from_arrays("copies", source.images[:50])
    with pytest.raises(ganlib.UserError, match="copies: all 50 unlabeled images equal a labeled or a held-out image of digits"):
        data.few_labels(source, validation_per_class=1, unlabeled=copies)


def test_separate_unlabeled_images_with_labels_of_their_own_and_with_copies():
    """Their labels are not used. Copies of held-out images would be training images, and those of labeled ones count twice."""
    source = data.open("digits").subset(np.arange(200))
    other = data.from_arrays("dates", source.images, np.arange(200) % 30, [f"day {i}" for i in range(30)])
    parts = data.few_labels(source, 2, seed=1, validation_per_class=3, unlabeled=other)
    assert parts.unlabeled.labels is None
    assert parts.unlabeled.class_names == ()
    assert not image_set(parts.validation) & image_set(parts.unlabeled)
    assert parts.unlabeled.num_examples == len(image_set(parts.unlabeled)) == 200 - 30
    np.testing.assert_array_equal(parts.unlabeled.images[:20], parts.labeled.images)
    candidates = partition.without_label(source, 2, seed=1, validation_per_class=3, unlabeled=other)
    assert image_set(other.subset(candidates)) == image_set(other) - image_set(parts.labeled) - image_set(parts.validation)
    held_out = np.flatnonzero([bytes(image) in image_set(parts.validation) for image in other.images])
    added = partition.AddedLabels(held_out[:1], np.array([0]))
    with pytest.raises(ganlib.UserError, match="is of a held-out image"):
        data.few_labels(source, 2, seed=1, validation_per_class=3, unlabeled=other, added=added)


def test_invalid_input_is_rejected():
    source = data.open("digits")
    with pytest.raises(ganlib.UserError, match="mine has no labels"):
        data.few_labels(data.from_arrays("mine", source.images), 5)
    with pytest.raises(ganlib.UserError, match="2000 labels per class requested, but class 0 has only"):
        data.few_labels(source, 5, validation_per_class=2000)
    with pytest.raises(
        ganlib.UserError, match="has 4 labels besides the 120 that are held out: set labels_per_class to at most 4"
    ):
        data.few_labels(source, 20, validation_per_class=120)
    colored = data.from_arrays("colored", np.zeros((3, 8, 8, 3), np.uint8))
    with pytest.raises(ganlib.UserError, match="convert both to gray or to color"):
        data.few_labels(source, 5, unlabeled=colored)
    gap = data.from_arrays("gap", source.images[:4], [0, 0, 2, 2], ("cat", "cow", "dog"))
    with pytest.raises(ganlib.UserError, match="class 'cow' of gap has no labeled image"):
        data.few_labels(gap)


def test_a_streamed_training_set_is_rejected_as_streamed():
    streamed = data.Source("big", (8, 8, 1), 100, class_names=("cat", "dog"), stream=lambda seed: None)
    with pytest.raises(ganlib.UserError, match="big is streamed .* so labeled images cannot be selected"):
        data.few_labels(streamed, 5)


@pytest.mark.parametrize(
    ("size", "labels", "names", "message"),
    [
        (8, None, (), "other has no labels: choose another test split"),
        (9, [0, 1], ("cat", "dog"), r"images of \(8, 8, 1\), other of \(9, 9, 1\)"),
        (8, [0, 1], ("dog", "cat"), "has the classes cat, dog, other dog, cat: use the same classes for both"),
        (8, [0, 1], ("cat", "dog", "fox"), "other cat, dog, fox: use the same classes for both"),
    ],
)
def test_a_test_set_must_have_the_same_image_shape_and_classes(size, labels, names, message):
    pets = data.from_arrays("pets", np.zeros((2, 8, 8, 1), np.uint8), [0, 1], ("cat", "dog"))
    other = data.from_arrays("other", np.zeros((2, size, size, 1), np.uint8), labels, names)
    data.partition.check_test_set(pets, pets)
    with pytest.raises(ganlib.UserError, match=message):
        data.partition.check_test_set(pets, other)


def partly_labeled():
    """Returns a source of 12 images, of which every third has no label, and the images."""
    images = np.arange(12, dtype=np.uint8).repeat(16).reshape(12, 4, 4, 1)
    labels = np.array([0, 1, -1] * 4)
    return source_module.with_labels(data.from_arrays("some", images), labels, ("a", "b")), images


def numbers(source):
    return source.images[:, 0, 0, 0].tolist()


def test_images_without_a_label_are_only_in_the_unlabeled_part():
    source, _ = partly_labeled()
    assert numbers(source) == [0, 1, 3, 4, 6, 7, 9, 10]
    parts = data.few_labels(source, 1, seed=0, validation_per_class=2)
    assert set(numbers(parts.unlabeled)) == set(range(12)) - set(numbers(parts.validation))
    assert {2, 5, 8, 11} <= set(numbers(parts.unlabeled))
    assert not {2, 5, 8, 11} & {*numbers(parts.labeled), *numbers(parts.validation)}
    assert [number % 3 for number in numbers(parts.labeled)] == parts.labeled.labels.tolist()
    assert data.few_labels(source).unlabeled is source.all_images


def test_a_part_of_a_source_has_no_images_without_labels(caplog):
    source, _ = partly_labeled()
    assert source.subset([0, 1]).all_images is None
    assert numbers(source.of_classes(["b"])) == [1, 4, 7, 10]
    assert "some: the 4 images without a label are not used, because only some classes are" in caplog.text


def test_all_images_are_read_on_demand_too():
    whole, images = partly_labeled()
    on_demand = dataclasses.replace(whole.all_images, images=None)
    source = source_module.with_labels(on_demand, np.array([0, 1, -1] * 4), ("a", "b"))
    np.testing.assert_array_equal(source.read(np.arange(3)), images[[0, 1, 3]])
    unlabeled = data.few_labels(source, validation_per_class=1).unlabeled
    assert unlabeled.num_examples == 10
    assert {2, 5, 8, 11} <= set(unlabeled.read(np.arange(10)).numpy()[:, 0, 0, 0].tolist())


def test_joined_sources_are_read_by_index_also_if_one_is_not_in_memory():
    first = data.from_arrays("a", np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1), [0, 1, 0], ("cat", "dog"))
    second = data.from_arrays("b", np.arange(10, 12, dtype=np.uint8).reshape(2, 1, 1, 1), [1, 1], ("cat", "dog"))
    on_demand = dataclasses.replace(
        second, images=None, decode=lambda image: image + 0, origin="files", files=("x.png", "y.png")
    )
    for other in (second, on_demand):
        both = source_module.joined(first, other)
        assert both.labels.tolist() == [0, 1, 0, 1, 1]
        assert both.pick(np.array([4, 0, 2, 3])).ravel().tolist() == [11, 0, 2, 10]
        assert both.pick(np.array([1])).ravel().tolist() == [1]
        assert both.subset([3, 1]).pick(np.arange(2)).ravel().tolist() == [10, 1]
        images, labels = next(iter(data.batches(both, 5, seed=0)))
        expected = {0: 0, 1: 1, 2: 0, 10: 1, 11: 1}
        assert dict(zip(images.numpy().ravel().tolist(), labels.numpy().tolist(), strict=True)) == expected
        assert both.files is None
    assert source_module.joined(first, second).fingerprint != source_module.joined(second, first).fingerprint
    assert source_module.joined(first, dataclasses.replace(second, labels=None, class_names=())).labels is None
