import numpy as np
import pytest
from PIL import Image

import ganlib
from ganlib import data
from ganlib.data import listing


def write_images(root, *paths):
    """Writes an image of its own color for each path."""
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 100, 200)).save(root / path)
    return root


def opened(root, split="train"):
    """Returns ``(numbers, labels, class_names)`` of the images of a folder that `write_images` wrote."""
    source = data.open(f"folder:{root}", split)
    return source.images[:, 0, 0, 0].tolist(), None if source.labels is None else source.labels.tolist(), source.class_names


@pytest.mark.parametrize(
    ("paths", "train", "test"),
    [
        (["train/cat/0.png", "train/dog/1.png", "test/dog/2.png"], ([0, 1], [0, 1]), ([2], [1])),
        (["train/cat/0.png", "train/dog/1.png"], ([0, 1], [0, 1]), None),
        (["images/train/cat/0.png", "images/train/dog/1.png", "images/test/cat/2.png"], ([0, 1], [0, 1]), ([2], [0])),
        (["train/images/0.png", "train/images/1.png", "test/images/2.png"], ([0, 1], None), ([2], None)),
        (["images/0.png", "images/1.png"], ([0, 1], None), None),
        (["train/0.png", "test/1.png"], ([0], None), ([1], None)),
    ],
)
def test_splits_and_classes_of_a_layout(tmp_path, paths, train, test):
    write_images(tmp_path, *paths)
    assert opened(tmp_path)[:2] == train
    if test:
        assert opened(tmp_path, "test")[:2] == test
    else:
        with pytest.raises(ganlib.UserError, match="has no split 'test'"):
            opened(tmp_path, "test")


def test_all_images_of_any_layout_are_listed_without_labels(tmp_path):
    write_images(tmp_path, "0.png", "cat/train/0.png", "cat/val/0.png", "train/0.png", "dog/0.png")
    found = listing.scan(tmp_path, None, 8)
    assert found.labels is None
    assert found.relative_paths == ("0.png", "cat/train/0.png", "cat/val/0.png", "dog/0.png", "train/0.png")


def test_paths_are_relative_to_the_folder_of_the_split(tmp_path):
    write_images(tmp_path, "train/cat/0.png", "train/dog/1.png")
    found = listing.scan(tmp_path)
    assert found.relative_paths == ("cat/0.png", "dog/1.png")
    assert [header.format for header in found.headers] == ["PNG", "PNG"]


def test_what_is_not_an_image_is_passed_over_and_said_in_one_line(tmp_path, caplog):
    write_images(tmp_path, "cat/0.png", "dog/1.png")
    for path in (
        "README.md",
        "LICENSE",
        "cat/0.txt",
        "cat/0.json",
        "dog/1.txt",
        "notes/a.docx",
        "cat/.DS_Store",
        "dog/Thumbs.db",
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("words")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    assert opened(tmp_path) == ([0, 1], [0, 1], ("cat", "dog"))
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith(f"{tmp_path}: passed over 6 files that are not images: 2 .txt, 1 ")
    assert "1 LICENSE" in message
    assert "; 4 hidden files and folders: 1 " in message


def test_a_damaged_image_is_not_passed_over(tmp_path, caplog):
    write_images(tmp_path, "0.png", "1.png")
    content = (tmp_path / "1.png").read_bytes()
    for name, damaged in (
        ("2.jpg", b""),
        ("3.PNG", b"words"),
        ("4", content[:20]),
        ("5.txt", content[:40]),
        ("6.heic", b"words"),
    ):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(ganlib.UserError, match=f"{name}': .*; remove it, or set skip_corrupt to skip such files"):
            opened(tmp_path)
        assert data.open(f"folder:{tmp_path}", skip_corrupt=True).num_examples == 2
        (tmp_path / name).unlink()
    assert all("passed over" not in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "is empty: put images, or one subfolder of images per class, into it"),
        (["a.txt", "b.txt"], "contains no images, but 2 .txt: put image files into it"),
        (["a.txt", "b.tar.gz"], "contains no images, but archives such as 'b.tar.gz': unpack them"),
    ],
)
def test_a_folder_without_images_is_rejected(tmp_path, names, message):
    for name in names:
        (tmp_path / name).write_text("words")
    with pytest.raises(ganlib.UserError, match=message):
        data.open(f"folder:{tmp_path}")


def test_a_file_in_two_classes_is_rejected(tmp_path):
    write_images(tmp_path, "cat/0.png", "dog/1.png")
    (tmp_path / "dog/2.png").symlink_to(tmp_path / "cat/0.png")
    with pytest.raises(ganlib.UserError, match="cat/0.png' and '.*dog/2.png' are the same file in two classes"):
        data.open(f"folder:{tmp_path}")


def test_left_images_must_be_of_every_class(tmp_path):
    found = listing.scan(write_images(tmp_path, "cat/0.png", "dog/1.png", "dog/2.png"))
    np.testing.assert_array_equal(found.only([0, 2]).labels, [0, 1])
    with pytest.raises(ganlib.UserError, match="no image of class 'cat' can be read: fix or remove the class"):
        found.only([1, 2])
    with pytest.raises(ganlib.UserError, match="none of the 3 images, such as .*cat/0.png', can be read"):
        found.only([])
