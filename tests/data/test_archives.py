import os
import pathlib
import shutil
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

import ganlib
from ganlib import data
from ganlib.data import archives, listing, pipeline
from ganlib.data import source as source_module
from tests.data.test_listing import opened, write_images


def zipped(path, contents):
    """Writes a zip file with these contents, a dict from names to bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def zip_of(folder, top=""):
    """Packs a folder; the paths in the zip file begin with ``top``."""
    return pathlib.Path(shutil.make_archive(str(folder), "zip", *((folder.parent, folder.name) if top else (folder,))))


@pytest.mark.parametrize("top", ["", "a"])
@pytest.mark.parametrize(
    "paths",
    [
        ["1.png", "0.png", "b.png"], ["cat/0.png", "dog/a/1.png", "dog/2.png"], ["images/0.png", "images/1.png"],
        ["train/cat/0.png", "train/dog/1.png", "val/cat/2.png"], ["train/cat/0.png", "train/dog/1.png"],
    ],
)  # fmt: skip
def test_a_zip_file_is_like_its_folder(tmp_path, caplog, paths, top):
    root = write_images(tmp_path / "a", *paths)
    for path in ("notes.txt", ".DS_Store"):
        (root / path).write_text("words")
    archive = zip_of(root, top)
    for split in ("train", "val") if "val/cat/2.png" in paths else ("train",):
        folder, inside = (data.open(f"folder:{path}", split) for path in (root, archive))
        np.testing.assert_array_equal(inside.images, folder.images)
        np.testing.assert_array_equal(inside.labels, folder.labels)
        assert inside.class_names == folder.class_names
    said = [record.getMessage().split("passed over ")[1] for record in caplog.records if "passed over" in record.getMessage()]
    assert set(said) == {"1 file that is not an image: 1 .txt; 1 hidden file or folder: 1 .DS_Store"}


def test_left_behind_folders_do_not_hide_the_single_folder(tmp_path):
    root = write_images(tmp_path / "a", "pets/cat/0.png", "pets/dog/1.png", "__MACOSX/pets/cat/._0.png")
    assert opened(zip_of(root)) == ([0, 1], [0, 1], ("cat", "dog"))


@pytest.mark.parametrize("limit", [10, 2 << 30])
def test_the_fingerprint_depends_on_the_contents_and_not_on_the_place(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", limit)
    archive = zip_of(write_images(tmp_path / "a", "cat/0.png", "dog/1.png"))
    first = data.open(f"folder:{archive}").fingerprint
    assert data.open(f"folder:{shutil.copy(archive, tmp_path / 'b.zip')}").fingerprint == first
    write_images(tmp_path / "a", "dog/1.png")
    assert data.open(f"folder:{zip_of(tmp_path / 'a')}").fingerprint != first


def test_a_large_zip_file_is_read_on_demand(tmp_path, monkeypatch):
    archive = zip_of(write_images(tmp_path / "a", *(f"{number}.png" for number in range(10))))
    in_memory = data.open(f"folder:{archive}")
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 10)
    on_demand = data.open(f"folder:{archive}")
    assert on_demand.images is None
    for first, second in zip(pipeline.batches(in_memory, 4).take(5), pipeline.batches(on_demand, 4).take(5), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_member_with_another_checksum_is_damaged(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    (tmp_path / "a").mkdir()
    for name in ("0", "1"):
        Image.fromarray(pixels).save(tmp_path / f"a/{name}.bmp")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("0.bmp", "1.bmp"):
            archive.write(tmp_path / "a" / name, name)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[500] ^= 255
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ganlib.UserError, match="a.zip/0.bmp': corrupt image .Bad CRC-32"):
        data.open(f"folder:{tmp_path}/a.zip")
    assert data.open(f"folder:{tmp_path}/a.zip", skip_corrupt=True).num_examples == 1


def test_an_unknown_compression_is_refused(tmp_path):
    path = zip_of(write_images(tmp_path / "a", "0.png", "1.png"))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = content.index(signature) + offset
        content[place : place + 2] = struct.pack("<H", 97)
    path.write_bytes(content)
    with pytest.raises(ganlib.UserError, match="a.zip/0.png': corrupt image .That compression method is not supported."):
        data.open(f"folder:{path}")


def test_an_encrypted_zip_file_is_refused(tmp_path):
    path = zip_of(write_images(tmp_path / "a", "0.png"))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(ganlib.UserError, match="a.zip' is encrypted: unpack it, and pass the path of the folder"):
        data.open(f"folder:{path}")


@pytest.mark.parametrize("name", ["../0.png", "/etc/0.png", "a/../../0.png", "..\\0.png"])
def test_paths_that_lead_outside_are_refused(tmp_path, name):
    with pytest.raises(ganlib.UserError, match="a path outside of it: create the zip file again"):
        archives.Archive(zipped(tmp_path / "a.zip", {name: b""}))


def test_a_name_that_appears_twice_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"0.png": b"", "1.png": b""})
    path.write_bytes(path.read_bytes().replace(b"1.png", b"0.png"))
    with pytest.raises(ganlib.UserError, match="contains '0.png' twice"):
        archives.Archive(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("name", "expected", "is_misread"),
    [(b"caf\xc3\xa9", "caf\u00e9", False), (b"caf\x82!", "caf\u00e9!", True)],  # UTF-8 without a mark, and DOS
)
def test_names_of_other_encodings_and_with_backslashes(tmp_path, caplog, name, expected, is_misread):
    write_images(tmp_path, "0.png", "1.png")
    contents = {"cafes/0.png": (tmp_path / "0.png").read_bytes(), "dogs\\1.png": (tmp_path / "1.png").read_bytes()}
    path = zipped(tmp_path / "a.zip", contents)
    path.write_bytes(path.read_bytes().replace(b"cafes/", name + b"/"))
    assert opened(path) == ([0, 1], [0, 1], (expected, "dogs"))
    assert [record.getMessage().split(": ")[-1] for record in caplog.records] == [f"{expected}/0.png"] * is_misread


def test_other_files_are_refused(tmp_path):
    for name, content, message in (
        ("a.zip", b"words", "is not a zip file, or is damaged: create or download it again"),
        ("a.tar.gz", b"words", "is an archive of a kind that is not read: unpack it, and pass the path of the folder"),
        ("a.png", b"words", "is a file: pass the path of a folder or a zip file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ganlib.UserError, match=f"{name}' {message}"):
            data.open(f"folder:{tmp_path / name}")
    path = zip_of(write_images(tmp_path / "b", "0.png", "1.png"))
    os.truncate(path, os.path.getsize(path) - 30)
    with pytest.raises(ganlib.UserError, match="b.zip' is damaged or incomplete .* create or download it again"):
        data.open(f"folder:{path}")


def test_archives_in_archives_are_refused(tmp_path):
    zipped(tmp_path / "a.zip", {"b.zip": b"words"})
    with pytest.raises(ganlib.UserError, match="contains no images, but archives such as 'b.zip': unpack them"):
        listing.scan(tmp_path / "a.zip")


def test_pictures_are_read_from_a_zip_file(tmp_path):
    path = zip_of(write_images(tmp_path / "a", "train/cat/0.png", "1.png"))
    assert len(data.folders.pictures(path, (8, 8, 3))) == 2
