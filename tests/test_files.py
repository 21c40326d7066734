import pytest

from ganlib.files import append_row, folder_written_whole, read_measures, read_rows, written_whole


def test_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "a.npz"
    with written_whole(path) as partial:
        partial.write_text("half")
        assert partial.suffix == ".npz"  # some writers choose the format by the suffix
        assert not path.exists()
    assert [p.name for p in path.parent.iterdir()] == ["a.npz"]
    assert path.read_text() == "half"


def test_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
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


def test_folder_replaces_the_old_one_when_it_is_complete(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("old", "new"):
        with folder_written_whole("a/b") as partial:
            (partial / name).write_text(name)
            assert (tmp_path / "a/b").exists() == (name == "new")
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
        assert [path.name for path in (tmp_path / "a/b").iterdir()] == [name]


def test_failed_write_keeps_the_old_folder_and_leaves_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/old").write_text("old")

    def fail():
        with folder_written_whole(tmp_path / "a") as partial:
            (partial / "new").write_text("ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["a", "a/old"]


def test_damaged_rows_are_skipped_and_counted(tmp_path, caplog):
    path = tmp_path / "rows.jsonl"
    append_row(path, {"step": 1, "a": 0.1})
    with path.open("ab") as file:
        file.write(b'{"step": 2, "a"\n3\n{"a": 1.0}\n\xff\xfe\n{"step": 5, "a": NaN}\n{"step": 6, "')
    rows = read_rows(path)
    assert [row["step"] for row in rows] == [1, 5]
    assert "4 damaged lines were skipped" in caplog.text
    assert read_rows(tmp_path / "none") == []


def test_damaged_results_are_skipped_with_a_warning(tmp_path, caplog):
    path = tmp_path / "evaluation.json"
    assert read_measures(path) == {}
    assert not caplog.text
    path.write_text('{"fid": 1.0}')
    assert read_measures(path) == {"fid": 1.0}
    for content in (b"", b'{"fid"', b"[1]", b"null", b"\xff\xfe"):
        caplog.clear()
        path.write_bytes(content)
        assert read_measures(path) == {}
        assert "evaluation.json is damaged and was skipped: run the evaluation again" in caplog.text
