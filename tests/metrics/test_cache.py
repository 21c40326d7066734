import os

import numpy as np
import pytest
from PIL import Image

from ganlib import data
from ganlib.data import source
from ganlib.metrics import cache


class Counter:
    """A function that counts its calls and always computes the same arrays."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return {"a": np.arange(5), "b": np.ones((200, 3), np.float32)}


def test_arrays_are_computed_once(tmp_path):
    compute = Counter()
    for _ in range(2):
        arrays = cache.arrays(tmp_path / "new", ("mnist/train", "28x28x1", 7), compute)
        np.testing.assert_array_equal(arrays["a"], np.arange(5))
    assert compute.calls == 1
    cache.arrays(tmp_path / "new", ("mnist/train", "28x28x1", 8), compute)
    assert compute.calls == 2
    assert [p.suffix for p in (tmp_path / "new").iterdir()] == [".npz", ".npz"]
    assert all(p.name.startswith("mnist-train_28x28x1_") for p in (tmp_path / "new").iterdir())


def test_rows_are_computed_once_for_each_image(tmp_path):
    images, asked = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 1), np.uint8), []

    def rows(indices):
        def compute(missing):
            asked.append(missing.tolist())
            return images[indices][missing].reshape(len(missing), -1)[:, :2].astype(np.float32)

        batches = np.array_split(images[indices], 2)
        return cache.rows(tmp_path, ("rows", "digits"), batches, compute)

    for indices, expected in (([3, 1, 5], [[0, 1, 2]]), ([5, 3], []), ([8, 1, 2, 3], [[0, 2]]), ([2, 8, 5, 1, 3], [])):
        asked.clear()
        np.testing.assert_array_equal(rows(np.array(indices)), images[indices].reshape(len(indices), -1)[:, :2])
        assert asked == expected


def test_a_folder_that_cannot_be_written_costs_nothing_but_a_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    compute = Counter()
    for folder in (tmp_path / "file", tmp_path / "file" / "folder"):
        np.testing.assert_array_equal(cache.arrays(folder, ("x",), compute)["a"], np.arange(5))
    assert len(caplog.messages) == 2
    assert all(f"{tmp_path / 'file'}" in message and "set GANLIB_CACHE" in message for message in caplog.messages)


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty"])
def test_damaged_files_are_detected_and_recomputed(tmp_path, damage, caplog):
    compute = Counter()
    cache.arrays(tmp_path, ("x",), compute)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
    path.write_bytes({"flip": flipped, "truncate": content[:middle], "empty": b""}[damage])
    np.testing.assert_array_equal(cache.arrays(tmp_path, ("x",), compute)["b"], np.ones((200, 3)))
    assert compute.calls == 2
    assert "are damaged" in caplog.text
    cache.arrays(tmp_path, ("x",), compute)
    assert compute.calls == 2


def test_the_default_folder(monkeypatch):
    monkeypatch.setenv("GANLIB_CACHE", "/somewhere")
    assert str(cache.default_folder()) == "/somewhere"
    monkeypatch.delenv("GANLIB_CACHE")
    assert cache.default_folder().name == "ganlib"


def test_the_key_depends_on_images_read_from_disk(tmp_path, monkeypatch):
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
    monkeypatch.setattr(source, "MEMORY_LIMIT", 10)

    def open_folder(**arguments):
        return data.open(f"folder:{tmp_path}", image_size=8, **arguments)

    first = open_folder()
    assert first.images is None
    keys = [
        cache.key_of(source) for source in (first, open_folder(background="black"), first.subset([0, 1]), first.subset([1, 2]))
    ]
    assert cache.key_of(open_folder()) == keys[0]
    Image.new("RGB", (8, 8), (9, 0, 0)).save(tmp_path / "0.png")
    os.utime(tmp_path / "0.png", ns=(1, 1))
    keys.append(cache.key_of(open_folder()))
    assert len(set(keys)) == 5
