"""The step of a classifier that is tested and used."""

import json

import numpy as np
import pytest

import ganlib
from experiments import configs, train_classifier
from ganlib import runs
from ganlib.evaluation import classification

ACCURACIES = {1: 0.1, 2: 0.9, 3: 0.2, 4: 0.3, 5: 0.95, 6: 0.9}


@pytest.fixture
def train(tmp_path, monkeypatch):
    """A function that trains up to a step, with `ACCURACIES` on the held-out images, and returns the contents of
    classification.json."""
    monkeypatch.setattr(classification, "accuracy", lambda model, source: ACCURACIES[int(model.step)])

    def train(steps, *overrides):
        keys = [f"steps={steps}", "labels_per_class=2", "validation_per_class=2", "evaluate_every=1", "steps_per_execution=1"]
        config = configs.load("digits_cnn", [*keys, "discriminator.width=8", "selected_step=best", *overrides])
        train_classifier.train(config, tmp_path)
        return json.loads((tmp_path / "classification.json").read_text())

    return train


def test_best_step_is_tested_calibrated_and_loaded(train, tmp_path):
    result = train(4)
    assert result["step"] == 2
    model = runs.load(tmp_path)
    assert int(model.step) == 2
    assert float(model.classifier.temperature) == pytest.approx(result["temperature"]) != 1
    probabilities = model.classify(ganlib.data.open("digits", "test").images)
    labels = ganlib.data.open("digits", "test").labels
    assert np.mean(probabilities.argmax(axis=1) == labels) == pytest.approx(result["test_accuracy"])
    newest = runs.open_run(tmp_path).checkpoints(model)
    assert newest.restore() == 4

    assert train(4) == result, "a finished run is not changed"
    assert train(6)["step"] == 5, "the training continues after its last step"
    assert [row["step"] for row in ganlib.files.read_rows(tmp_path / "metrics.jsonl") if "validation_accuracy" in row] == [
        *range(1, 7)
    ]
    assert int(runs.load(tmp_path).step) == 5


def test_last_step_is_the_default(train, tmp_path):
    assert train(4, "selected_step=last")["step"] == 4
    assert not (tmp_path / "best_checkpoint").exists()
    assert int(runs.load(tmp_path).step) == 4


@pytest.mark.parametrize("overrides", [["validation_per_class=0"], ["evaluate_every=0"], ["evaluate_every=4"]])
def test_selection_without_a_choice_is_an_error(train, overrides):
    with pytest.raises(ganlib.UserError, match="selected_step='best' has no effect, because no step but the last is evaluated"):
        train(4, *overrides)


def test_other_evaluations_are_another_choice(train):
    train(4)
    with pytest.raises(ganlib.UserError, match="evaluate_every 1 -> 2"):
        train(4, "evaluate_every=2")
    with pytest.raises(ganlib.UserError, match='selected_step "best" -> "last"'):
        train(4, "selected_step=last")
