import json
import types

import ml_collections
import pytest

import ganlib
from ganlib.export import card


def make_run(folder, class_names=("a", "b")):
    facts = {"data": "digits/train", "image_shape": [8, 8, 1], "num_examples": 5}
    config = ml_collections.ConfigDict({"background": "red", "fit": "pad"})
    return types.SimpleNamespace(folder=folder, config=config, facts=facts, image_shape=(8, 8, 1), class_names=class_names)


def written(folder, run, step=7):
    card.write(folder, run, [], step, format="onnx")
    (folder / "network.onnx").write_bytes(b"")
    return card.read(folder)


def test_card_describes_the_run(tmp_path):
    run = make_run(tmp_path / "one")
    run.folder.mkdir()
    for name, step in (("evaluation", 7), ("classification", 6)):  # the second belongs to another checkpoint
        (run.folder / f"{name}.json").write_text(json.dumps({"step": step, "confusion_matrix": [[1]]}))
    content = written(tmp_path / "exported", run)
    assert (content["name"], content["step"], content["background"]) == ("one", 7, "red")
    assert content["class_names"] == ["a", "b"]
    assert content["measured"] == {"evaluation": {"step": 7}}
    assert content["fit"] == "pad"
    del content["background"], content["fit"]
    (tmp_path / "exported/model_card.json").write_text(json.dumps(content))
    older = card.read(tmp_path / "exported")
    assert (older["background"], older["fit"]) == ("red", "pad")  # older cards have them only in the config


def test_damaged_results_are_skipped_with_a_warning(tmp_path, caplog):
    run = make_run(tmp_path)
    (tmp_path / "evaluation.json").write_text('{"step": 7, "resu')
    assert written(tmp_path / "exported", run)["measured"] == {}
    assert "evaluation.json is damaged and was skipped" in caplog.text


def test_folder_holds_one_model_in_one_format(tmp_path):
    run, folder = make_run(tmp_path / "one"), tmp_path / "exported"
    run.folder.mkdir()
    card.check_free(folder, run, "onnx")
    folder.mkdir()
    card.check_free(folder, run, "onnx")
    written(folder, run)
    card.check_free(folder, run, "onnx")
    for other, form, message in (
        (run, "saved_model", "holds another export, whose format is 'onnx', not 'saved_model': pass a new or empty folder"),
        (make_run(tmp_path / "two"), "onnx", "whose name is 'one', not 'two'"),
        (make_run(tmp_path / "one", ("b", "a")), "onnx", "whose class_names is .'a', 'b'., not .'b', 'a'."),
    ):
        with pytest.raises(ganlib.UserError, match=message):
            card.check_free(folder, other, form)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ganlib.UserError, match="also holds 'notes.txt', which is not part of an export"):
        card.check_free(folder, run, "onnx")
    (folder / "model_card.json").unlink()
    with pytest.raises(ganlib.UserError, match="is not empty and holds no export"):
        card.check_free(folder, run, "onnx")


def test_damaged_card_is_reported(tmp_path):
    (tmp_path / "model_card.json").write_text("{")
    with pytest.raises(ganlib.UserError, match="model_card.json' is damaged: run experiments.export again"):
        card.read(tmp_path)
