import json
import types

import ml_collections
import pytest

import ganlib
from ganlib.export import card


def a_run(folder, class_names=("a", "b")):
    facts = {"data": "digits/train", "image_shape": [8, 8, 1], "num_examples": 5}
    config = ml_collections.ConfigDict({"background": "red"})
    return types.SimpleNamespace(folder=folder, config=config, facts=facts, image_shape=(8, 8, 1), class_names=class_names)


def written(folder, run, step=7):
    card.write(folder, run, [], step, format="onnx")
    (folder / "network.onnx").write_bytes(b"")
    return card.read(folder)


def test_what_a_card_says_of_the_run(tmp_path):
    run = a_run(tmp_path / "one")
    run.folder.mkdir()
    for name, step in (("evaluation", 7), ("classification", 6)):  # the second is of another checkpoint
        (run.folder / f"{name}.json").write_text(json.dumps({"step": step, "confusion_matrix": [[1]]}))
    found = written(tmp_path / "exported", run)
    assert (found["name"], found["step"], found["background"], found["class_names"]) == ("one", 7, "red", ["a", "b"])
    assert found["measured"] == {"evaluation": {"step": 7}}
    del found["background"]
    (tmp_path / "exported/model_card.json").write_text(json.dumps(found))
    assert card.read(tmp_path / "exported")["background"] == "red"  # an older card has it in its config alone


def test_damaged_measures_are_left_out(tmp_path):
    run = a_run(tmp_path / "one")
    run.folder.mkdir()
    (run.folder / "evaluation.json").write_text('{"step": 7,')
    (run.folder / "classification.json").write_text("[]")
    assert written(tmp_path / "exported", run)["measured"] == {}


def test_a_folder_is_for_one_model_in_one_format(tmp_path):
    run, folder = a_run(tmp_path / "one"), tmp_path / "exported"
    run.folder.mkdir()
    card.check_free(folder, run, "onnx")
    folder.mkdir()
    card.check_free(folder, run, "onnx")
    written(folder, run)
    card.check_free(folder, run, "onnx")
    for other, form, message in (
        (run, "saved_model", "holds another export, whose format is 'onnx', not 'saved_model': give an empty or a new folder"),
        (a_run(tmp_path / "two"), "onnx", "whose name is 'one', not 'two'"),
        (a_run(tmp_path / "one", ("b", "a")), "onnx", "whose class_names is .'a', 'b'., not .'b', 'a'."),
    ):
        with pytest.raises(ganlib.UserError, match=message):
            card.check_free(folder, other, form)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ganlib.UserError, match="also holds 'notes.txt', which is no part of an export"):
        card.check_free(folder, run, "onnx")
    (folder / "model_card.json").unlink()
    with pytest.raises(ganlib.UserError, match="is not empty and holds no export"):
        card.check_free(folder, run, "onnx")


def test_a_damaged_card_is_one_line(tmp_path):
    (tmp_path / "model_card.json").write_text("{")
    with pytest.raises(ganlib.UserError, match="model_card.json' is damaged: write the export again"):
        card.read(tmp_path)
