import io
import json

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import ganlib
from ganlib import data
from ganlib.data import prepared, preparing
from ganlib.data import source as source_module


def write_photos(folder, count=6, size=(16, 16), ending="png", **arguments):
    """Writes images of two classes."""
    for index in range(count):
        path = folder / ("cat", "dog")[index % 2] / f"{index}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(index).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).save(path, **arguments)


def open_prepared(folder, **arguments):
    return data.open(f"prepared:{folder}", **arguments)


@pytest.fixture
def shards(monkeypatch):
    monkeypatch.setattr(preparing, "SHARD", 100)
    monkeypatch.setattr(preparing, "BLOCK", 7)


def test_a_dataset_is_divided_into_shards(shards, tmp_path):
    folder = preparing.prepare("digits", tmp_path / "My digits, 8x8")
    names = sorted(path.name for path in folder.glob("*test*array_record*"))
    assert names == [f"my_digits_8x8-test.array_record-0000{k}-of-00005" for k in range(5)]
    assert tfds.builder_from_directory(folder).info.splits["test"].shard_lengths == [100] * 5
    np.testing.assert_array_equal(open_prepared(tmp_path / "My digits, 8x8").images, data.open("digits").images)


@pytest.mark.parametrize("failing", [0, 1, 250, 499, 1600])
def test_an_interrupted_preparation_continues_with_the_first_missing_shard(shards, tmp_path, monkeypatch, failing):
    serialized, real = [], preparing._encoded

    def encoded(*arguments):
        serialized.append(arguments)
        if len(serialized) == failing + 1:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(preparing, "_encoded", encoded)
    with pytest.raises(KeyboardInterrupt):
        preparing.prepare("digits", tmp_path / "x")
    with pytest.raises(ganlib.UserError, match="not completely prepared"):
        open_prepared(tmp_path / "x")
    done = len(serialized)
    (tmp_path / "x" / prepared.UNFINISHED / "x-train.01234567.partial.array_record-00001-of-00013").touch()  # as after kill -9
    preparing.prepare("digits", tmp_path / "x")
    assert len(serialized) - done <= 1797 - failing + 100 + 7  # what was complete is not written again
    for split in ("train", "test"):
        original = data.open("digits", split)
        np.testing.assert_array_equal(open_prepared(tmp_path / "x", split=split).images, original.images)
        np.testing.assert_array_equal(open_prepared(tmp_path / "x", split=split).labels, original.labels)
    assert not list((tmp_path / "x").rglob("*partial*"))


def test_a_finished_preparation_writes_nothing_again(tmp_path):
    folder = preparing.prepare("digits", tmp_path / "x")
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert preparing.prepare("digits", tmp_path / "x") == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == times


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"image_size": 9}, r"with image_shape \[8, 8, 1\], not \[9, 9, 1\]"),
     ({"encoding": "png"}, 'with encoding "raw", not "png"'),
     ({"splits": ["train"]}, "with 1297 images in train, 500 images in test, not 1297 images in train")],
)  # fmt: skip
def test_another_dataset_in_the_folder_is_refused(tmp_path, arguments, message):
    preparing.prepare("digits", tmp_path / "x")
    with pytest.raises(ganlib.UserError, match=f"was prepared {message}.*choose another --output, or delete it"):
        preparing.prepare("digits", tmp_path / "x", **arguments)


def test_changed_files_are_refused(tmp_path):
    write_photos(tmp_path / "photos")
    preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x")
    write_photos(tmp_path / "photos", count=7)
    with pytest.raises(ganlib.UserError, match="was prepared with 6 images in train, not 7 images in train: choose"):
        preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x")
    (tmp_path / "photos/cat/6.png").rename(tmp_path / "photos/dog/5.png")
    with pytest.raises(ganlib.UserError, match="was prepared from other images or labels, or with other arguments"):
        preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x")
    (tmp_path / "x" / prepared.VERSION / prepared.FACTS).write_text("{")
    with pytest.raises(ganlib.UserError, match=r"prepared.json' is damaged: choose another --output, or delete '.*x'"):
        preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x")


@pytest.mark.parametrize("name", [" cat", "cat ", "c\nat", "c\rat", "c\udce9"])
def test_names_of_classes_that_tfds_would_change_are_refused(tmp_path, name):
    write_photos(tmp_path / "photos")
    (tmp_path / "photos/cat").rename(tmp_path / "photos" / name)
    with pytest.raises(ganlib.UserError, match=r"the class '.* cannot be written: remove spaces"):
        preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x")


@pytest.mark.parametrize("limit", [10, 2 << 30])
def test_a_prepared_dataset_is_prepared_in_another_size_with_its_images_without_a_label(tmp_path, monkeypatch, limit, caplog):
    write_photos(tmp_path / "photos", count=7)
    (tmp_path / "photos/labels.csv").write_text("file,label\n5.png,a\n1.png,b\n2.png,a\n")
    preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x")
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", limit)
    preparing.prepare(f"prepared:{tmp_path / 'x'}", tmp_path / "smaller", image_size=8)
    expected, opened = open_prepared(tmp_path / "x", image_size=8), open_prepared(tmp_path / "smaller")
    assert (opened.num_examples, opened.all_images.num_examples) == (3, 7)
    assert "smaller/train: 4 of 7 images have no label and are used only without labels" in caplog.text
    np.testing.assert_array_equal(opened.positions, expected.positions)
    np.testing.assert_array_equal(opened.labels, expected.labels)
    np.testing.assert_array_equal(opened.all_images.pick(np.arange(7)), expected.all_images.pick(np.arange(7)))


@pytest.mark.parametrize("limit", [10, 2 << 30])
def test_the_images_and_labels_of_a_folder_are_those_of_opening_it(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", limit)
    write_photos(tmp_path / "photos", 10, (30, 20))
    for split in ("train", "val"):
        write_photos(tmp_path / "splits" / split, 4 if split == "val" else 8)
    original = data.open(f"folder:{tmp_path / 'photos'}", image_size=16)
    preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x", image_size=16)
    opened = open_prepared(tmp_path / "x")
    difference = opened.pick(np.arange(10)).astype(int) - original.pick(np.arange(10))
    assert np.abs(difference).max() <= (0 if limit > 10 else 1)  # rounding: TensorFlow and Pillow
    assert (opened.labels.tolist(), opened.class_names) == (original.labels.tolist(), ("cat", "dog"))
    preparing.prepare(f"folder:{tmp_path / 'splits'}", tmp_path / "y")
    assert [open_prepared(tmp_path / "y", split=split).num_examples for split in ("train", "validation")] == [8, 4]


def test_formats_that_tensorflow_does_not_decode_can_be_prepared(tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    Image.new("CMYK", (16, 16), (200, 0, 0, 0)).save(tmp_path / "photo.jpg")
    Image.new("RGB", (16, 16), (255, 0, 0)).save(tmp_path / "other.png")
    with pytest.raises(ganlib.UserError, match=r"1 of its 2 images, such as '.*photo.jpg', have a format that is not decoded"):
        data.open(f"folder:{tmp_path}")
    preparing.prepare(f"folder:{tmp_path}", tmp_path.parent / "cmyk")
    assert open_prepared(tmp_path.parent / "cmyk").pick([0])[0, 0, 0].tolist() == [255, 0, 0]


def test_the_bytes_of_jpegs_of_the_right_size_are_kept(tmp_path):
    write_photos(tmp_path / "photos", ending="jpg", quality=70)
    folder = preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x")
    assert json.loads((folder / prepared.FACTS).read_text())["encoding"] == "jpeg"
    original, opened = data.open(f"folder:{tmp_path / 'photos'}"), open_prepared(tmp_path / "x")
    np.testing.assert_array_equal(opened.images, original.images)
    content = b"".join(path.read_bytes() for path in folder.glob("*array_record*"))
    assert all(path.read_bytes() in content for path in (tmp_path / "photos").rglob("*.jpg"))


@pytest.mark.parametrize("damage", ["rotated", "other size", "truncated"])
def test_jpegs_that_need_conversion_are_converted(tmp_path, damage):
    write_photos(tmp_path / "photos", ending="jpg", quality=70)
    path = tmp_path / "photos/cat/0.jpg"
    if damage == "rotated":
        exif = Image.Exif()
        exif[0x0112] = 6
        pixels = np.zeros((16, 16, 3), np.uint8)
        pixels[:8] = 255
        Image.fromarray(pixels).save(path, exif=exif)
        preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x", encoding="jpeg")
        columns = open_prepared(tmp_path / "x").images[0].mean(axis=(0, 2))
        assert columns[:8].max() < 10
        assert columns[8:].min() > 245
    elif damage == "other size":
        write_photos(tmp_path / "photos", 1, (40, 30), "jpg")
        folder = preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x", image_size=16)
        assert json.loads((folder / prepared.FACTS).read_text())["encoding"] == "raw"
    else:
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(ganlib.UserError, match=r"cat/0.jpg': corrupt image"):
            preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x")


def test_auto_is_lossless_for_other_files(tmp_path):
    write_photos(tmp_path / "small", size=(64, 64))
    write_photos(tmp_path / "large", size=(72, 72))
    for name, encoding in (("small", "raw"), ("large", "png")):
        folder = preparing.prepare(f"folder:{tmp_path / name}", tmp_path / f"{name}_prepared")
        assert json.loads((folder / prepared.FACTS).read_text())["encoding"] == encoding
        original, opened = data.open(f"folder:{tmp_path / name}"), open_prepared(tmp_path / f"{name}_prepared")
        np.testing.assert_array_equal(opened.images, original.images)


def test_a_streamed_tfds_dataset_is_prepared_in_the_order_of_its_files(tfds_dir, tmp_path, monkeypatch, shards):
    monkeypatch.setattr(preparing, "SHARD", 3000)
    original = data.open("mnist", "test", data_dir=tfds_dir)
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    preparing.prepare("mnist", tmp_path / "x", splits=["test"], data_dir=tfds_dir)
    opened = open_prepared(tmp_path / "x", split="test")
    np.testing.assert_array_equal(opened.labels, original.labels)
    np.testing.assert_array_equal(opened.pick(np.arange(10_000)), original.images)


def test_unlabeled_images_have_no_feature_for_labels(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "0.png")
    folder = preparing.prepare(f"folder:{tmp_path}", tmp_path.parent / "unlabeled")
    assert list(tfds.builder_from_directory(folder).info.features) == ["image"]
    opened = open_prepared(tmp_path.parent / "unlabeled")
    assert (opened.labels, opened.class_names) == (None, ())


@pytest.mark.parametrize(("arguments", "message"), [
    ({"encoding": "webp"}, "unknown encoding 'webp': known are auto, jpeg, png, raw"),
    ({"splits": ["dev"]}, "digits has no split 'dev'"), ({"dataset": "mnits"}, "unknown dataset 'mnits'"),
])  # fmt: skip
def test_wrong_arguments_are_one_line(tmp_path, arguments, message):
    with pytest.raises(ganlib.UserError, match=message):
        preparing.prepare(**{"dataset": "digits", "output": tmp_path / "x", **arguments})


def test_splits_that_differ_are_refused(tmp_path):
    write_photos(tmp_path / "photos/train")
    write_photos(tmp_path / "photos/test", size=(12, 12))
    with pytest.raises(ganlib.UserError, match=r"has image_shape \(16, 16, 3\) in train, but \(12, 12, 3\) in test"):
        preparing.prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "x")


def test_encoders_produce_files_of_their_format():
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8)
    for name in ("png", "jpeg"):
        with Image.open(io.BytesIO(preparing.ENCODERS[name](image))) as opened:
            assert (opened.format, opened.mode, opened.size) == (name.upper(), "L", (8, 8))
