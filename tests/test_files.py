import pytest

from ganlib.files import folder_written_whole, written_whole


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "a.npz"
    with written_whole(path) as partial:
        partial.write_text("half")
        assert partial.suffix == ".npz"  # writers that go by the suffix
        assert not path.exists()
    assert [p.name for p in path.parent.iterdir()] == ["a.npz"]
    assert path.read_text() == "half"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail():
        with written_whole(path) as partial:
            partial.write_text("ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "old"


def test_a_folder_takes_the_place_of_the_old_one_when_it_is_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("old", "new"):
        with folder_written_whole("a/b") as partial:
            (partial / name).write_text(name)
            assert (tmp_path / "a/b").exists() == (name == "new")
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
        assert [path.name for path in (tmp_path / "a/b").iterdir()] == [name]


def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/old").write_text("old")

    def fail():
        with folder_written_whole(tmp_path / "a") as partial:
            (partial / "new").write_text("ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["a", "a/old"]
