import numpy as np
import pytest

import ganlib
from ganlib.data import tree


def write_files(root, *paths):
    """Creates files below the folder ``root``, whose contents are their paths."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train", "test"], ["test", "train"]),
        (["train", "val"], ["train", "validation"]),
        (["Training", "VALID", "eval"], ["test", "train", "validation"]),
        (["train", "dev", "testing"], ["test", "train", "validation"]),
        (["train"], ["train"]),
        (["validation"], ["validation"]),
        (["cat", "dog"], []),
    ],
)
def test_splits_are_recognized_by_folder_names(tmp_path, names, expected):
    folders = tree.splits(write_files(tmp_path, *(f"{name}/cat/1.png" for name in names), "README.md"))
    assert sorted(folders) == expected
    assert sorted(path.name for path in folders.values()) == (sorted(names) if expected else [])


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["train/1.png", "cats/1.png"], "contains 'train', the name of a split, next to 'cats'"),
        (["train/1.png", "test/1.png", "1.JPG"], "contains 'test', the name of a split, next to '1.JPG'"),
        (["val/1.png", "dev/1.png"], "contains 'dev' and 'val', both names of the validation split: keep one"),
    ],
)
def test_ambiguous_splits_are_rejected(tmp_path, paths, message):
    with pytest.raises(ganlib.UserError, match=message):
        tree.splits(write_files(tmp_path, *paths))


def test_files_are_sorted_and_labeled_by_class_folder_without_system_files(tmp_path):
    write_files(tmp_path, "cat/b/2.png", "cat/a.png", "dog/1.png", "__MACOSX/cat/._1.png", ".ipynb_checkpoints/1.png")
    write_files(tmp_path, "cat/.ipynb_checkpoints/a.png", "cat/@eaDir/a.png", "dog/Thumbs.db", ".DS_Store")
    files, labels, class_names = tree.files(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in files] == ["cat/a.png", "cat/b/2.png", "dog/1.png"]
    np.testing.assert_array_equal(labels, [0, 0, 1])
    assert class_names == ("cat", "dog")
    assert tree.files(tmp_path / "dog") == ([tmp_path / "dog/1.png"], None, ())


def test_classes_are_numbered_in_the_given_order(tmp_path):
    write_files(tmp_path, "dog/1.png", "fox/1.png")
    np.testing.assert_array_equal(tree.files(tmp_path, ("cat", "dog", "fox"))[1], [1, 2])
    with pytest.raises(ganlib.UserError, match="fox' is not a class of the train split: rename it to one of cat, dog"):
        tree.files(tmp_path, ("cat", "dog"))


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["cat/1.png", "Cat/1.png"], "'Cat' and 'cat' in .* differ only in case"),
        (["caf\u00e9/1.png", "cafe\u0301/1.png"], "differ only in case or in the encoding of accents"),
        (["cat/train/1.png", "dog/train/1.png"], "cat' contains 'train', the name of a split"),
        (["pets/cat/1.png", "pets/dog/1.png"], "'pets' contains no images, but folders such as 'cat'"),
        (["a/cat/1.png", "a/dog/1.png", "b/cat/1.png", "b/dog/1.png"], "'a' contains no images, but folders such as 'cat'"),
        (["cat/1.png", "dog/.keep"], "class folder '.*dog' is empty"),
    ],
)
def test_folders_that_may_not_be_classes_are_rejected(tmp_path, paths, message):
    write_files(tmp_path, *paths)
    if len(list(tmp_path.iterdir())) < len({path.split("/")[0] for path in paths}):
        pytest.skip("this file system cannot hold both names")
    with pytest.raises(ganlib.UserError, match=message):
        tree.files(tmp_path)


def test_links_are_followed_without_cycles_and_into_one_class_only(tmp_path):
    write_files(tmp_path / "there", "1.png", "2.png")
    write_files(tmp_path / "here", "cat/0.png", "dog/0.png")
    (tmp_path / "here/cat/more").symlink_to(tmp_path / "there")
    (tmp_path / "here/dog/gone.png").symlink_to(tmp_path / "nowhere.png")
    names = [path.name for path in tree.files(tmp_path / "here")[0]]
    assert names == ["0.png", "1.png", "2.png", "0.png", "gone.png"]  # gone.png is reported when it is read
    (tmp_path / "here/dog/2.png").symlink_to(tmp_path / "there/2.png")
    with pytest.raises(ganlib.UserError, match="cat/more/2.png' and '.*dog/2.png' are the same file in two classes"):
        tree.files(tmp_path / "here")
    (tmp_path / "here/cat/more").unlink()
    (tmp_path / "here/cat/back").symlink_to(tmp_path / "here")
    with pytest.raises(ganlib.UserError, match="cat/back' is a link to a folder that contains it"):
        tree.files(tmp_path / "here")


@pytest.mark.parametrize(
    "names", [("train_set", "test_set"), ("train2017", "val2017"), ("trainset", "testset"), ("imgs_train", "imgs_test"),
              ("train-images", "test-images"), ("Training Set", "Test Set"), ("training_data", "testing_data")]
)  # fmt: skip
def test_folders_that_look_like_splits_are_rejected_as_classes(tmp_path, names):
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    with pytest.raises(ganlib.UserError, match="look like splits, not classes: rename them to '"):
        tree.files(tmp_path)


def test_a_class_name_may_contain_the_name_of_a_split(tmp_path):
    for name in ("train_toy", "car_toy", "test_tube", "images"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").touch()
    assert tree.files(tmp_path)[2] == ("car_toy", "images", "test_tube", "train_toy")
