import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import ganlib
from ganlib import data
from ganlib.data import fitting, folders, pipeline
from ganlib.data import source as source_module


def write(path, array, **arguments):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **arguments)
    return path


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_every_format_and_mode_becomes_rgb_of_one_size(tmp_path):
    write(tmp_path / "a.png", noise(20, 20, 3))
    write(tmp_path / "b.jpg", noise(30, 20, 3))
    write(tmp_path / "c.bmp", noise(16, 40, 3))
    write(tmp_path / "d.gif", noise(20, 20))
    write(tmp_path / "e.png", noise(20, 20, 4))
    Image.fromarray(noise(20, 20, 3)).convert("P").save(tmp_path / "f.png")
    Image.fromarray(noise(20, 20)).convert("1").save(tmp_path / "g.png")
    write(tmp_path / "h.png", noise(20, 20).astype(np.uint16) * 257)
    (tmp_path / ".DS_Store").write_bytes(b"ignored")
    source = data.open(f"folder:{tmp_path}", image_size=16)
    assert source.images.shape == (8, 16, 16, 3)
    assert source.images.dtype == np.uint8
    assert source.labels is None
    assert source.num_classes is None


def test_gray_images_stay_gray_and_16_bits_become_8(tmp_path):
    gray = noise(8, 8)
    write(tmp_path / "a.png", gray)
    write(tmp_path / "b.png", gray.astype(np.uint16) * 257)
    source = data.open(f"folder:{tmp_path}")
    assert source.images.shape == (2, 8, 8, 1)
    np.testing.assert_array_equal(source.images[0, ..., 0], gray)
    np.testing.assert_array_equal(source.images[1, ..., 0], gray)


@pytest.mark.parametrize(("background", "expected"), [("white", (255, 255, 255)), ("#0000ff", (0, 0, 255))])
def test_transparent_pixels_show_the_background(tmp_path, background, expected):
    image = noise(8, 8, 4)
    image[..., 3] = 0
    image[0, 0] = (10, 20, 30, 255)
    write(tmp_path / "a.png", image)
    pixels = data.open(f"folder:{tmp_path}", background=background).images[0]
    assert tuple(pixels[5, 5]) == expected
    assert tuple(pixels[0, 0]) == (10, 20, 30)


def test_transparent_palette_shows_the_background(tmp_path):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([200, 0, 0, 0, 200, 0])
    image.putpixel((3, 3), 1)
    image.save(tmp_path / "a.png", transparency=0)
    pixels = data.open(f"folder:{tmp_path}").images[0]
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    assert tuple(pixels[3, 3]) == (0, 200, 0)


def test_resizing_is_a_center_crop_and_pillows_lanczos(tmp_path):
    wide = noise(20, 40, 3)
    write(tmp_path / "a.png", wide)
    expected = Image.fromarray(wide[:, 10:30]).resize((8, 8), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(data.open(f"folder:{tmp_path}", image_size=8).images[0], np.asarray(expected))


@pytest.mark.parametrize(
    ("shape", "size", "rows", "columns"),
    [
        ((40, 30), (8, 12), (10, 30), (0, 30)),  # too tall
        ((30, 60), (12, 8), (0, 30), (20, 40)),  # too wide
        ((32, 48), (8, 12), (0, 32), (0, 48)),
        ((31, 60), (8, 12), (0, 31), (6, 53)),  # 46.5 columns, rounded up
    ],
)
def test_rectangles_are_central_crops_of_the_aspect_ratio(tmp_path, shape, size, rows, columns):
    image = noise(*shape, 3)
    write(tmp_path / "a.png", image)
    expected = Image.fromarray(image[slice(*rows), slice(*columns)]).resize(size[::-1], Image.Resampling.LANCZOS)
    source = data.open(f"folder:{tmp_path}", image_size=size)
    assert source.image_shape == (*size, 3)
    np.testing.assert_array_equal(source.images[0], np.asarray(expected))


def test_an_extreme_crop_keeps_a_row():
    assert fitting.fit_array(noise(3, 2, 3), (1, 16)).shape == (1, 16, 3)


def test_rectangles_of_one_size_keep_their_size(tmp_path):
    """An image that its EXIF tag turns counts as upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    write(tmp_path / "a.png", noise(6, 9, 3))
    write(tmp_path / "b.jpg", noise(9, 6, 3), exif=exif)
    write(tmp_path / "c.png", noise(9, 6, 3), exif=exif)
    source = data.open(f"folder:{tmp_path}")
    assert source.image_shape == (6, 9, 3)
    np.testing.assert_array_equal(source.images[0], noise(6, 9, 3))
    np.testing.assert_array_equal(source.images[2], np.rot90(noise(9, 6, 3), -1))


def test_a_square_has_the_fingerprint_of_earlier_versions(tmp_path, monkeypatch):
    """Otherwise, an older run could not be resumed."""
    monkeypatch.setattr("ganlib.data.source.MEMORY_LIMIT", 0)
    write(tmp_path / "a.png", noise(8, 8, 3))
    source = data.open(f"folder:{tmp_path}", image_size=4)
    listing = folders.scan(tmp_path, image_size=(4, 4))
    assert source.origin == source_module.digest(listing.relative_paths, listing.file_sums, 4, 3, "white")
    assert data.open(f"folder:{tmp_path}", image_size="4x4").fingerprint == source.fingerprint


def test_images_are_rotated_by_exif(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image = noise(8, 8, 3)
    write(tmp_path / "a.png", image, exif=exif)
    np.testing.assert_array_equal(data.open(f"folder:{tmp_path}").images[0], image[::-1, ::-1])


def test_class_folders_and_splits(tmp_path):
    for split, count in (("train", 3), ("test", 1)):
        for name in ("cat", "dog"):
            for index in range(count):
                write(tmp_path / split / name / f"{index}.png", noise(8, 8, 3, seed=index))
    train, test = data.open(f"folder:{tmp_path}"), data.open(f"folder:{tmp_path}", "test")
    assert train.class_names == ("cat", "dog")
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert (train.num_examples, test.num_examples) == (6, 2)


def test_invalid_folders_are_rejected(tmp_path):
    with pytest.raises(ganlib.UserError, match="no folder at '/nowhere'"):
        data.open("folder:/nowhere")
    with pytest.raises(ganlib.UserError, match="is empty"):
        data.open(f"folder:{tmp_path}")
    write(tmp_path / "a.png", noise(8, 8))
    with pytest.raises(ganlib.UserError, match="has no split 'test'"):
        data.open(f"folder:{tmp_path}", "test")
    with pytest.raises(ganlib.UserError, match="unknown background color 'whit'"):
        data.open(f"folder:{tmp_path}", background="whit")
    write(tmp_path / "b.png", noise(9, 8))
    with pytest.raises(ganlib.UserError, match=r"not all of the same size \(height x width: 8x8, 9x8 ...\): set image_size"):
        data.open(f"folder:{tmp_path}")
    (tmp_path / "cat").mkdir()
    with pytest.raises(ganlib.UserError, match="both files"):
        data.open(f"folder:{tmp_path}", image_size=8)


def write_corrupt_files(folder):
    """Writes a valid image, a truncated one and a text that is named like an image into a folder."""
    write(folder / "good.png", noise(64, 64, 3))
    content = write(folder / "truncated.jpg", noise(64, 64, 3)).read_bytes()
    (folder / "truncated.jpg").write_bytes(content[: len(content) // 2])
    (folder / "words.jpg").write_text("not an image")


def test_unreadable_files_are_named(tmp_path):
    write_corrupt_files(tmp_path)
    with pytest.raises(ganlib.UserError, match=r"words.jpg': not an image, or the image is damaged at its beginning"):
        data.open(f"folder:{tmp_path}", image_size=8)
    (tmp_path / "words.jpg").unlink()
    with pytest.raises(ganlib.UserError, match=r"truncated.jpg': corrupt image"):
        data.open(f"folder:{tmp_path}", image_size=8)


def test_unreadable_files_are_skipped_with_a_count(tmp_path, caplog):
    write_corrupt_files(tmp_path)
    source = data.open(f"folder:{tmp_path}", image_size=8, skip_corrupt=True)
    assert source.num_examples == 1
    assert [record.getMessage().split(",")[0] for record in caplog.records] == ["skipped 1 of 3 files", "skipped 1 of 2 files"]


def test_a_large_folder_is_read_on_demand(tmp_path, monkeypatch):
    for index in range(10):
        write(tmp_path / f"{index}.png", noise(12, 12, 3, seed=index))
    in_memory = data.open(f"folder:{tmp_path}", image_size=8)
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    on_demand = data.open(f"folder:{tmp_path}", image_size=8)
    assert on_demand.images is None
    for first, second in zip(pipeline.batches(in_memory, 4).take(5), pipeline.batches(on_demand, 4).take(5), strict=True):
        np.testing.assert_array_equal(first, second)
    subset = on_demand.subset([7, 2])
    np.testing.assert_array_equal(subset.read(tf.constant([0, 1])), in_memory.images[[7, 2]])


def test_a_large_folder_skips_unreadable_files(tmp_path, monkeypatch):
    write_corrupt_files(tmp_path)
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    assert data.open(f"folder:{tmp_path}", image_size=8, skip_corrupt=True).num_examples == 1


def test_splits_share_their_class_indices(tmp_path):
    for path in ("train/cat/0", "train/dog/1", "Val/dog/2"):
        write(tmp_path / f"{path}.png", np.full((8, 8, 3), int(path[-1]), np.uint8))
    train, validation = (data.open(f"folder:{tmp_path}", split) for split in ("train", "validation"))
    assert train.class_names == validation.class_names == ("cat", "dog")
    assert (train.images[:, 0, 0, 0].tolist(), train.labels.tolist()) == ([0, 1], [0, 1])
    assert (validation.images[:, 0, 0, 0].tolist(), validation.labels.tolist()) == ([2], [1])
    assert data.open(f"folder:{tmp_path}", "val").name == validation.name == f"folder:{tmp_path}/validation"
    with pytest.raises(ganlib.UserError, match="has no split 'test': choose one of validation, train"):
        data.open(f"folder:{tmp_path}", "test")
    assert len(folders.pictures(tmp_path, (8, 8, 3))) == 3


@pytest.mark.parametrize("limit", [10, 2 << 30])
def test_a_class_without_readable_images_is_rejected(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", limit)
    content = write(tmp_path / "cat/0.png", noise(8, 8)).read_bytes()
    for corrupt in (b"words", content[:-30]):  # the first fails at its header, the second when decoded
        (tmp_path / "dog").mkdir(exist_ok=True)
        (tmp_path / "dog/0.png").write_bytes(corrupt)
        with pytest.raises(ganlib.UserError, match="no image of class 'dog' can be read"):
            data.open(f"folder:{tmp_path}", skip_corrupt=True)
    (tmp_path / "dog/0.png").unlink()
    (tmp_path / "dog/0.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ganlib.UserError, match="dog/0.png': a broken link"):
        data.open(f"folder:{tmp_path}")


def test_identical_images_of_two_classes_are_counted(tmp_path, caplog):
    for path in ("cat/0", "cat/1", "dog/1"):
        write(tmp_path / f"{path}.png", noise(8, 8, seed=int(path[-1])))
    data.open(f"folder:{tmp_path}")
    (record,) = caplog.records
    assert "1 images are identical to an image of another class" in record.getMessage()


@pytest.mark.parametrize("limit", [10, 2 << 30])
def test_the_fingerprint_of_a_folder_depends_on_names_sizes_and_classes(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", limit)
    for name in ("cat", "dog"):
        for index in range(3):
            write(tmp_path / "a" / name / f"{index}.png", noise(8, 8, 3, seed=index))

    def fingerprint(folder, **arguments):
        return data.open(f"folder:{tmp_path / folder}", **arguments).fingerprint

    shutil.copytree(tmp_path / "a", tmp_path / "b")
    first = fingerprint("a")
    assert fingerprint("b") == first
    assert fingerprint("a", image_size=4) != first
    write(tmp_path / "b/dog/2.png", np.zeros((8, 8, 3), np.uint8))
    changed = fingerprint("b")
    (tmp_path / "b/dog").rename(tmp_path / "b/fox")
    renamed = fingerprint("b")
    (tmp_path / "b/fox/2.png").rename(tmp_path / "b/cat/3.png")
    assert len({first, changed, renamed, fingerprint("b")}) == 4


def test_images_are_loaded_block_by_block(tmp_path):
    write_corrupt_files(tmp_path)
    (tmp_path / "words.jpg").unlink()
    for index in range(4):
        write(tmp_path / f"more/{index}.png", np.full((8, 8, 3), index, np.uint8))
    parts = list(folders.blocks(folders.scan(tmp_path, None, (4, 4)), 2))
    assert [paths for paths, _, _ in parts] == [["good.png", "more/0.png"], ["more/1.png", "more/2.png"], ["more/3.png"]]
    assert [images.shape for _, images, _ in parts] == [(2, 4, 4, 3), (2, 4, 4, 3), (1, 4, 4, 3)]
    assert (parts[1][1][:, 0, 0, 0].tolist(), len(parts[1][2])) == ([1, 2], 0)
    assert "truncated.jpg': corrupt image" in str(parts[2][2][0])
