import pytest

from ganlib.files import written_whole


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
