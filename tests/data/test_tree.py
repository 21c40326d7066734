import numpy as np
import pytest

import ganlib
from ganlib.data import tree


def grown(*paths):
    """Returns the root of a tree with these images. Paths that end with "/" are folders; those with ".txt" other files."""
    folders = set()
    for path in paths:
        parts = path.split("/")
        folders |= {"/".join(parts[: depth + 1]) for depth in range(len(parts) - 1)}
    kept, others = ([p for p in paths if not p.endswith("/") and p.endswith(".txt") == is_text] for is_text in (False, True))
    return tree.grow(*(sorted(group, key=lambda path: path.split("/")) for group in (folders, kept, others)))


def where(path):
    return f"/root/{path}"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train", "test"], ["train", "test"]),
        (["train", "val"], ["train", "validation"]),
        (["Training", "VALID", "eval"], ["train", "validation", "test"]),
        (["train", "dev", "testing"], ["train", "validation", "test"]),
        (["TRAIN", "Validation", "Evaluation"], ["train", "validation", "test"]),
        (["train"], ["train"]),
        (["validation"], ["validation"]),
        (["cat", "dog"], []),
    ],
)
def test_splits_are_recognized_by_folder_names(names, expected):
    folders = tree.splits(grown(*(f"{name}/cat/1.png" for name in names), "README.txt", "notes/1.txt"), where)
    assert {split: folder.name for split, folder in folders.items()} == dict(zip(expected, names, strict=False))


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["train/1.png", "cats/1.png"], "contains 'train', the name of a split, next to 'cats'"),
        (["train/1.png", "test/1.png", "1.JPG"], "contains 'test', the name of a split, next to '1.JPG'"),
        (["val/1.png", "dev/1.png"], "contains 'dev' and 'val', both names of the validation split: keep one"),
    ],
)
def test_ambiguous_splits_are_rejected(paths, message):
    with pytest.raises(ganlib.UserError, match=f"folder '/root/' {message}"):
        tree.splits(grown(*paths), where)


def test_images_are_sorted_and_labeled_by_class_folder():
    root = grown("cat/b/2.png", "cat/a.png", "dog/1.png", "cat/a-b/1.png", "cat/notes.txt")
    files, labels, class_names = tree.files(root, where)
    assert files == ["cat/a-b/1.png", "cat/a.png", "cat/b/2.png", "dog/1.png"]
    np.testing.assert_array_equal(labels, [0, 0, 0, 1])
    assert class_names == ("cat", "dog")
    assert tree.files(root.folders[1], where) == (["dog/1.png"], None, ())


def test_classes_are_numbered_in_the_given_order():
    root = grown("dog/1.png", "fox/1.png")
    np.testing.assert_array_equal(tree.files(root, where, ("cat", "dog", "fox"))[1], [1, 2])
    with pytest.raises(ganlib.UserError, match="fox' is not a class of the train split: rename it to one of cat, dog"):
        tree.files(root, where, ("cat", "dog"))


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["cat/1.png", "Cat/1.png"], "'Cat' and 'cat' differ only in case"),
        (["caf\u00e9/1.png", "cafe\u0301/1.png"], "differ only in case or in the encoding of accents"),
        (["cat/train/1.png", "dog/train/1.png"], "cat' contains 'train', the name of a split"),
        (["cat/1.png", "dog/1.png", "dog/val/1.png"], "dog' contains 'val', the name of a split"),
        (["pets/cat/1.png", "pets/dog/1.png"], "'pets' contains no images, but folders such as 'cat'"),
        (["a/cat/1.png", "a/dog/1.png", "b/cat/1.png", "b/dog/1.png"], "'a' contains no images, but folders such as 'cat'"),
        (["cat/1.png", "dog/"], "class folder '.*dog' is empty: put images into it or remove it"),
        (["cat/1.png", "1.png"], "contains both files .such as '1.png'. and class folders .such as 'cat'."),
        (["train2017/1.png"], "look like splits, not classes: rename them to 'train'"),
        (["train_images/1.png", "train_masks/1.png"], "look like splits, not classes"),
        (["images/1.png", "masks/1.png"], "'images' and 'masks' in .* look like images and their annotations, not classes"),
        (["a.txt"], "contains no images"),
        ([], "is empty"),
    ],
)
def test_folders_that_may_not_be_classes_are_rejected(paths, message):
    with pytest.raises(ganlib.UserError, match=message):
        tree.files(grown(*paths), where)


def test_a_folder_without_images_is_no_class():
    assert tree.files(grown("cat/1.png", "dog/1.png", "labels/1.txt"), where)[2] == ("cat", "dog")
    assert tree.files(grown("1.png", "labels/1.txt"), where)[1] is None


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["images/1.png"], "images"), (["images/1.png", "labels/1.txt"], "images"), (["Images/train/1.png"], "Images"),
        (["data/images/1.png"], "data/images"), (["images/1.png", "cat/1.png"], ""), (["images/1.png", "1.png"], ""),
        (["images/1.png", "labels/"], ""), (["cat/1.png"], ""),
    ],
)  # fmt: skip
def test_a_folder_for_all_images_is_no_class(paths, expected):
    assert tree.inside_containers(grown(*paths)).path == expected


@pytest.mark.parametrize("paths", [["cat/1.png"], ["pets/cat/1.png", "pets/dog/1.png", "cars/1.png"]])
def test_classes_that_may_surprise_are_said(paths, caplog):
    assert tree.files(grown(*paths), where)[2] == tuple(sorted({path.split("/")[0] for path in paths}))
    (record,) = caplog.records
    assert record.getMessage().startswith("the classes are the folders directly in /root/, such as ca")


def test_a_file_is_in_one_class_only():
    identities = {"a": 1, "b": 2, "c": 1, "gone": None, "gone too": None}
    tree.check_in_one_class(list(identities), [0, 1, 0, 0, 1], identities.get)
    with pytest.raises(ganlib.UserError, match="'a' and 'c' are the same file in two classes: remove one of them"):
        tree.check_in_one_class(["a", "b", "c"], [0, 0, 1], identities.get)


@pytest.mark.parametrize(
    "names", [("train_set", "test_set"), ("train2017", "val2017"), ("trainset", "testset"), ("imgs_train", "imgs_test"),
              ("train-images", "test-images"), ("Training Set", "Test Set"), ("training_data", "testing_data"),
              ("train_64x64", "valid_64x64"), ("train_32x32", "test_32x32", "extra_32x32"), ("x_train", "x_test"),
              ("trainA", "trainB", "testA", "testB"), ("toys_train", "toys_test"), ("TRAIN_1", "VAL_1", "more")]
)  # fmt: skip
def test_folders_that_look_like_splits_are_rejected_as_classes(names):
    with pytest.raises(ganlib.UserError, match="look like splits, not classes: rename them to '"):
        tree.files(grown(*(f"{name}/1.png" for name in names)), where)


@pytest.mark.parametrize("names", [("car_toy", "images", "test_tube", "train_toy"), ("freight_train", "toyTrain")])
def test_a_class_name_may_contain_the_name_of_a_split(names):
    assert tree.files(grown(*(f"{name}/1.png" for name in names)), where)[2] == names
