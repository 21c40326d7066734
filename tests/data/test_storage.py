import pytest

import ganlib
from ganlib.data import storage


def write_files(root, *paths):
    """Creates files below the folder ``root``, whose contents are their paths."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def test_files_are_sorted_folder_by_folder_and_hidden_ones_are_counted(tmp_path):
    write_files(tmp_path, "b/2.png", "b-c/1.png", "b.png", "b/c/3.png")
    write_files(tmp_path, "__MACOSX/b/._2.png", ".ipynb_checkpoints/1.png", "b/@eaDir/2.png", "b/Thumbs.db", "b/c/.DS_Store")
    write_files(tmp_path, ".DS_Store", "._b.png", "$RECYCLE.BIN/1.png")
    (tmp_path / "empty").mkdir()
    directory = storage.Directory(tmp_path)
    assert directory.files == ("b/2.png", "b/c/3.png", "b-c/1.png", "b.png")
    assert directory.folders == ("b", "b/c", "b-c", "empty")
    assert directory.hidden == {
        "__MACOSX": 1, ".ipynb_checkpoints": 1, "@eaDir": 1, "Thumbs.db": 1, ".DS_Store": 2, "._b.png": 1, "$RECYCLE.BIN": 1,
    }  # fmt: skip
    with directory.open(directory.path("b/c/3.png")) as file:
        assert file.read() == b"b/c/3.png"


def test_links_are_followed_without_cycles(tmp_path):
    write_files(tmp_path / "there", "1.png", "2.png")
    write_files(tmp_path / "here", "cat/0.png")
    (tmp_path / "here/cat/more").symlink_to(tmp_path / "there")
    (tmp_path / "here/gone.png").symlink_to(tmp_path / "nowhere.png")
    directory = storage.Directory(tmp_path / "here")
    assert directory.files == ("cat/0.png", "cat/more/1.png", "cat/more/2.png", "gone.png")
    assert directory.identity(directory.path("cat/more/1.png")) == directory.identity(str(tmp_path / "there/1.png"))
    assert directory.identity(directory.path("cat/more/2.png")) != directory.identity(str(tmp_path / "there/1.png"))
    assert directory.identity(directory.path("gone.png")) is None
    (tmp_path / "here/cat/back").symlink_to(tmp_path / "here")
    with pytest.raises(ganlib.UserError, match="cat/back' is a link to a folder that contains it"):
        storage.Directory(tmp_path / "here")


def test_the_checksum_is_of_the_beginning_and_the_end(tmp_path):
    contents = [b"0" * 5000, b"1" + b"0" * 4999, b"0" * 4999 + b"1", b"0" * 4999, b"0" * 2500 + b"1" + b"0" * 2499]
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.png").write_bytes(content)
    directory = storage.Directory(tmp_path)
    sums = [directory.summed(directory.path(name)) for name in directory.files]
    assert len(set(sums)) == 4
    assert sums[0] == sums[4]


def test_an_empty_path_is_not_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ganlib.UserError, match="the path of a folder is empty: write it after 'folder:'"):
        storage.Directory("")
