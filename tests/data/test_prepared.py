import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

import ganlib
from ganlib import data
from ganlib.data import prepared, preparing
from ganlib.data import source as source_module


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with the digits, prepared with every encoding."""
    folder = tmp_path_factory.mktemp("prepared")
    for encoding in ("raw", "png", "jpeg"):
        preparing.prepare("digits", folder / encoding, encoding=encoding)
    return folder


@pytest.fixture(params=["in memory", "on disk"])
def limit(request, monkeypatch):
    if request.param == "on disk":
        monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)


@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_lossless_encodings_keep_every_pixel_label_and_split(digits, limit, encoding):
    for split in ("train", "test"):
        original, opened = data.open("digits", split), data.open(f"prepared:{digits / encoding}", split)
        assert opened.class_names == original.class_names
        np.testing.assert_array_equal(opened.labels, original.labels)
        np.testing.assert_array_equal(opened.pick(np.arange(original.num_examples)), original.images)


def test_jpeg_is_close(digits, limit):
    original, opened = data.open("digits"), data.open(f"prepared:{digits / 'jpeg'}")
    images = opened.pick(np.arange(opened.num_examples)).astype(int)
    assert 0 < np.abs(images - original.images).mean() < 4
    np.testing.assert_array_equal(opened.labels, original.labels)


@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_batches_subsets_and_few_labels_are_those_of_images_in_memory(digits, limit, encoding):
    original, opened = data.open("digits"), data.open(f"prepared:{digits / encoding}")
    arguments = {"batch_size": 32, "seed": 3, "start_step": 38, "mirror": True}  # the batches cross the end of an epoch
    for first, second in zip(
        data.batches(original, **arguments).take(5), data.batches(opened, **arguments).take(5), strict=True
    ):
        for expected, found in zip(first, second, strict=True):
            np.testing.assert_array_equal(found, expected)
    parts, expected_parts = (data.few_labels(source, 3, 1, 2) for source in (opened, original))
    for name in ("labeled", "unlabeled", "validation"):
        part, expected = getattr(parts, name), getattr(expected_parts, name)
        np.testing.assert_array_equal(part.labels, expected.labels)
        np.testing.assert_array_equal(part.pick([5, 0, 7]), expected.pick([5, 0, 7]))
    both = [data.semi_supervised_batches(p.labeled, p.unlabeled, 16, 1).take(2) for p in (parts, expected_parts)]
    for first, second in zip(*both, strict=True):
        for found, expected in zip(first, second, strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("encoding", ["raw", "png"])
def test_images_of_another_size_are_resized_as_those_of_folders(digits, limit, encoding):
    original, opened = data.open("digits", image_size=5), data.open(f"prepared:{digits / encoding}", image_size=5)
    assert opened.image_shape == (5, 5, 1)
    difference = opened.pick(np.arange(50)).astype(int) - original.images[:50]
    assert np.abs(difference).max() <= 1  # rounding: TensorFlow and Pillow


def test_tfds_reads_the_dataset(digits):
    for encoding in ("raw", "png"):
        content = tfds.data_source(encoding, data_dir=digits, split="train")
        example, original = content[7], data.open("digits")
        np.testing.assert_array_equal(example["image"], original.images[7])
        assert example["label"] == original.labels[7]
        assert len(content) == original.num_examples


def test_a_dataset_that_tfds_has_written_as_array_records_is_read_by_index(tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    features = tfds.features.FeaturesDict(
        {"image": tfds.features.Image(shape=(8, 8, 3)), "label": tfds.features.ClassLabel(names=["cat", "dog"]),
         "id": tfds.features.Text()}
    )  # fmt: skip
    examples = [(k, {"image": image, "label": k % 2, "id": str(k)}) for k, image in enumerate(images)]
    tfds.dataset_builders.store_as_tfds_dataset(
        "pets", "1.2.3", features, {"train": examples}, data_dir=tmp_path, file_format="array_record", disable_shuffling=True
    )
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    opened = data.open(f"prepared:{tmp_path / 'pets/1.2.3'}")
    assert (opened.labels.tolist(), opened.class_names) == ([0, 1] * 10, ("cat", "dog"))
    np.testing.assert_array_equal(opened.pick(np.arange(20)), images)


def test_the_fingerprint_depends_on_the_images_and_not_on_the_place(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    fingerprint = data.open(f"prepared:{digits / 'raw'}").fingerprint
    shutil.copytree(digits / "raw", tmp_path / "raw")
    assert data.open(f"prepared:{tmp_path / 'raw'}").fingerprint == fingerprint
    preparing.prepare("digits", tmp_path / "other" / "raw", image_size=9)
    others = [data.open(f"prepared:{tmp_path / 'other/raw'}", image_size=8), data.open(f"prepared:{digits / 'raw'}", "test"),
              data.open(f"prepared:{digits / 'raw'}", image_size=7), data.open(f"prepared:{digits / 'png'}")]  # fmt: skip
    assert len({fingerprint, *(other.fingerprint for other in others)}) == 5


def test_missing_unfinished_and_incomplete_datasets_are_one_line(digits, tmp_path):
    with pytest.raises(ganlib.UserError, match=r"no prepared dataset at '.*nowhere': write one with python"):
        data.open(f"prepared:{tmp_path / 'nowhere'}")
    (tmp_path / "x" / prepared.UNFINISHED).mkdir(parents=True)
    with pytest.raises(ganlib.UserError, match="is not completely prepared: run experiments.prepare again, which continues"):
        data.open(f"prepared:{tmp_path / 'x'}")
    with pytest.raises(ganlib.UserError, match="has no split 'dev': choose one of train, test"):
        data.open(f"prepared:{digits / 'raw'}", "dev")
    shutil.copytree(digits / "raw", tmp_path / "y")
    (file,) = (tmp_path / "y" / prepared.VERSION).glob("*train.array_record*")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ganlib.UserError, match=r"records instead of 1297|not a complete"):
        data.open(f"prepared:{tmp_path / 'y'}")
    file.unlink()
    with pytest.raises(ganlib.UserError, match=r"lacks the file '.*train.array_record"):
        data.open(f"prepared:{tmp_path / 'y'}")
    (tmp_path / "y" / prepared.VERSION / "dataset_info.json").write_text("{")
    with pytest.raises(ganlib.UserError, match="is not a prepared dataset"):
        data.open(f"prepared:{tmp_path / 'y'}")


def test_a_start_at_a_late_step_reads_only_its_own_batches(digits, monkeypatch):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    from ganlib.data.records import Records

    opened = data.open(f"prepared:{digits / 'raw'}")
    before = Records.bytes_read
    next(iter(data.batches(opened, 32, start_step=1_000_000)))
    assert Records.bytes_read - before < 100 * 32 * 200  # a few batches that are read ahead, of records of about 100 bytes


def test_each_worker_reads_its_share_of_the_bytes(digits, monkeypatch):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    opened = data.open(f"prepared:{digits / 'png'}")
    fetched = []

    def count(indices):
        return tf.ensure_shape(tf.numpy_function(lambda i: fetched.extend(i) or i, [indices], tf.int64), indices.shape)

    counted = ganlib.data.Source(
        opened.name, opened.image_shape, opened.num_examples, opened.labels, opened.class_names, decode=opened.decode,
        fetch=lambda indices: opened.fetch(count(indices)),
    )  # fmt: skip
    whole = [images.numpy() for images, _ in data.batches(opened, 32).take(4)]
    for index in range(2):
        fetched.clear()
        shares = [images.numpy() for images, _ in data.batches(counted, 32, share=data.Share(index, 2)).take(4)]
        assert len(fetched) % 16 == 0
        for images, share in zip(whole, shares, strict=True):
            np.testing.assert_array_equal(share, images[16 * index : 16 * index + 16])


def test_gray_pngs_of_a_prepared_folder_stay_gray(tmp_path, limit):
    for index in range(3):
        Image.fromarray(np.full((8, 8), 40 * index, np.uint8)).save(tmp_path / f"{index}.png")
    preparing.prepare(f"folder:{tmp_path}", tmp_path.parent / "gray_prepared", encoding="png")
    opened = data.open(f"prepared:{tmp_path.parent / 'gray_prepared'}")
    assert opened.image_shape == (8, 8, 1)
    assert opened.pick([0, 1, 2])[:, 0, 0, 0].tolist() == [0, 40, 80]


@pytest.mark.parametrize(
    ("labels", "message"),
    [(np.zeros(1296, np.int64), "has 1296 labels from 0 to 0 for 1297 images of 10 classes"),
     (np.full(1297, 10), "has 1297 labels from 0 to 10 for"), (np.full(1297, -2), "has 1297 labels from -2 to 0 for"),
     (None, "is damaged: delete it, and the labels are read with the images")],
)  # fmt: skip
def test_damaged_labels_are_one_line(digits, tmp_path, labels, message):
    shutil.copytree(digits / "raw", tmp_path / "x")
    path = prepared.labels_path(tmp_path / "x" / prepared.VERSION, "train")
    if labels is None:
        path.write_bytes(path.read_bytes()[:-8])
    else:
        np.save(path, labels)
    with pytest.raises(ganlib.UserError, match=f"labels-train.npy' {message}"):
        data.open(f"prepared:{tmp_path / 'x'}")
    path.unlink()
    np.testing.assert_array_equal(data.open(f"prepared:{tmp_path / 'x'}").labels, data.open("digits").labels)


def test_damaged_facts_are_one_line(digits, tmp_path):
    shutil.copytree(digits / "raw", tmp_path / "x")
    (tmp_path / "x" / prepared.VERSION / prepared.FACTS).write_text("{")
    with pytest.raises(ganlib.UserError, match=r"prepared.json' is damaged: copy or prepare the dataset again"):
        data.open(f"prepared:{tmp_path / 'x'}")


def test_damaged_records_are_one_line(digits, tmp_path, limit):
    shutil.copytree(digits / "raw", tmp_path / "x")
    (file,) = (tmp_path / "x" / prepared.VERSION).glob("*train.array_record*")
    content = bytearray(file.read_bytes())
    content[20_000:24_000] = bytes(4_000)
    file.write_bytes(content)
    with pytest.raises(ganlib.UserError, match=r"^'.*train.array_record.*' is damaged \(.*\): copy or prepare"):
        data.open(f"prepared:{tmp_path / 'x'}").pick(np.arange(1297))
