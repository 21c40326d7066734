import json

import pytest

import ganlib
from experiments.configs import base
from ganlib import data, runs
from ganlib.runs import named_runs


def run_of(folder, kind=base.gan, **changes):
    """Writes a run's folder with only its config and facts, as if it had been trained."""
    config = kind()
    config.update(changes)
    folder.mkdir()
    source = runs.open_data(config)
    facts = {"image_shape": source.image_shape, "class_names": source.class_names}
    (folder / "config.json").write_text(config.to_json_best_effort())
    (folder / "run.json").write_text(json.dumps(facts))
    return str(folder)


def classifier(**changes):
    config = base.classifier()
    config.update(changes)
    return config


def test_every_key_that_names_a_run_is_checked():
    keys = {*base.gan(), *base.classifier()}
    assert {key for key in keys if key.endswith("_from")} == set(named_runs.KEYS)


HELD_OUT = {"validation_per_class": 5, "label_seed": 1}


@pytest.mark.parametrize(
    ("changes", "overlap"),
    [
        ({}, 50),  # trained on all images
        (HELD_OUT, 0),
        (HELD_OUT | {"labels_per_class": 5}, 0),
        ({"labels_per_class": 5, "label_seed": 1}, 50),  # its labeled images are held out here
        ({"validation_per_class": 5, "label_seed": 2}, "some"),
        ({"validation_per_class": 4, "label_seed": 1}, "some"),
        ({"classes": "3,7"}, 0),  # runs on other images are not compared
    ],
)
@pytest.mark.parametrize("key", ["features_from", "weights_from"])
def test_run_trained_on_held_out_images_is_refused(tmp_path, changes, overlap, key):
    kind = classifier if key == "features_from" else base.gan
    config = kind()
    config.update(HELD_OUT | {key: run_of(tmp_path / "gan", **changes)})
    source = data.open("digits")
    if overlap == 0:
        named_runs.check(config, source)
        return
    count = r"\d+" if overlap == "some" else overlap
    message = (
        rf"gan' was trained on {count} of the 50 images that this run holds out: .*validation_per_class=5 and label_seed=1"
    )
    with pytest.raises(ganlib.UserError, match=message):
        named_runs.check(config, source)
    config.validation_per_class = 0
    named_runs.check(config, source)


def test_runs_named_by_a_named_run_are_checked(tmp_path):
    first = run_of(tmp_path / "first")
    second = run_of(tmp_path / "second", **HELD_OUT, weights_from=first)
    with pytest.raises(ganlib.UserError, match="first' was trained on 50 of the 50 images"):
        named_runs.check(classifier(**HELD_OUT, features_from=second), data.open("digits"))


def test_generated_images_have_the_classes_and_the_shape_of_the_real_ones(tmp_path):
    gan = run_of(tmp_path / "gan", classes="7,3", conditional=True)
    config = classifier(generated_from=gan, classes="3,7")
    message = "generates images of the classes 7, 3, but this data has 3, 7: use the same classes in the same order for both"
    with pytest.raises(ganlib.UserError, match=message):
        named_runs.check(config, runs.open_data(config))
    config.classes = "7,3"
    named_runs.check(config, runs.open_data(config))
    config.image_size = 16
    message = r"generates images of shape \(8, 8, 1\), but this data has shape \(16, 16, 1\): set image_size"
    with pytest.raises(ganlib.UserError, match=message):
        named_runs.check(config, runs.open_data(config))
