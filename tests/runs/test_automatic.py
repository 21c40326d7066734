import json
import types

import pytest
from PIL import Image

import ganlib
from experiments import configs, train_gan
from experiments.configs import base
from ganlib import data, runs
from ganlib.runs import automatic, keys
from ganlib.training import precision


@pytest.fixture(autouse=True)
def _without_bfloat16(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda: False)


def source(num_examples):
    return types.SimpleNamespace(num_examples=num_examples)


def test_values_for_a_gan_at_several_numbers_of_images():
    assert automatic.gan(10) == {"batch_size": 10, "steps": 400, "mirror": True, "precision": "float32"}
    assert automatic.gan(50) == {"batch_size": 16, "steps": 1250, "mirror": True, "precision": "float32"}
    assert automatic.gan(100) == {"batch_size": 16, "steps": 2000, "mirror": True, "precision": "float32"}
    assert automatic.gan(2000) == {"batch_size": 16, "steps": 2000, "mirror": True, "precision": "float32"}
    assert automatic.gan(10_000) == {"batch_size": 16, "steps": 4000, "mirror": True, "precision": "float32"}
    assert automatic.gan(50_000) == {"batch_size": 16, "steps": 20_000, "mirror": False, "precision": "float32"}


def test_values_for_a_gan_grow_with_the_number_of_images_and_are_bounded():
    values = [automatic.gan(count) for count in (1, 2, 10, 16, 17, 50, 95, 500, 4999, 5001, 20_000, 50_000, 10_000_000)]
    for key, low, high in (("steps", 400, 20_000), ("batch_size", 1, 16)):
        of_key = [value[key] for value in values]
        assert of_key == sorted(of_key)
        assert (of_key[0], of_key[-1]) == (low, high)
    assert all(value["steps"] % 50 == 0 for value in values)


def test_values_for_a_classifier_hold_out_labels_only_without_test_images():
    for splits, split in ((["test", "validation"], "test"), (["validation"], "validation")):
        assert automatic.classifier(1, splits) == {"test_split": split, "validation_per_class": 0}
    held_out = [automatic.classifier(count)["validation_per_class"] for count in (2, 9, 10, 100, 10_000)]
    assert held_out == [1, 1, 2, 20, 200]
    with pytest.raises(ganlib.UserError, match="a class has one labeled image"):
        automatic.classifier(1)


@pytest.mark.parametrize(("layout", "split"), [("test/a test/b", "test"), ("test", ""), ("val/a val/b", "validation")])
def test_a_classifier_is_tested_on_a_split_with_labels(tmp_path, layout, split):
    for folder in (*layout.split(), "train/a", "train/b"):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(5):
            Image.new("L", (8, 8), 50 * number + len(folder)).save(tmp_path / folder / f"{number}.png")
    config = configs.load("photos_classifier", [f"dataset=folder:{tmp_path}", "image_size=8"])
    completed = automatic.completed(config, runs.open_data(config))
    assert (completed.test_split, completed.validation_per_class) == (split, 0 if split else 1)


@pytest.mark.parametrize("method", automatic.KEYS)
def test_a_rule_sets_exactly_the_keys_that_may_be_unset(method):
    config = configs.load("digits_dcgan" if method == "gan" else "digits_sgan")
    assert tuple(automatic.RULES[method](config, data.open("digits"))) == automatic.KEYS[method]


def test_only_unset_keys_are_filled_in():
    config = configs.load("photos_gan", ["steps=70"])
    completed = automatic.completed(config, source(10))
    assert (completed.steps, completed.batch_size, completed.mirror) == (70, 10, True)
    assert config.batch_size is None, "the original is unchanged"
    complete = configs.load("digits_dcgan")
    assert automatic.completed(complete, source(10)) is complete


def test_a_run_records_the_values_and_a_resumed_run_keeps_them(tmp_path, monkeypatch):
    config = configs.load("digits_dcgan", ["steps=2", "generator.width=2", "discriminator.width=2", "sample_every=0"])
    config.batch_size, config.mirror, config.precision = None, None, None
    train_gan.train(config, tmp_path)
    recorded = json.loads((tmp_path / "config.json").read_text())
    assert (recorded["batch_size"], recorded["mirror"]) == (16, True)
    monkeypatch.setitem(automatic.RULES, "gan", lambda config, source: {"batch_size": 4, "steps": 9, "mirror": False})
    config.steps = 3
    train_gan.train(config, tmp_path)
    recorded = json.loads((tmp_path / "config.json").read_text())
    assert (recorded["batch_size"], recorded["steps"], recorded["mirror"]) == (16, 3, True)
    assert runs.open_run(tmp_path).facts["finished_step"] == 3


def test_a_key_without_a_rule_must_be_set():
    config = configs.load("digits_cnn")
    config.steps = None
    with pytest.raises(ganlib.UserError, match="steps must be at least 1, got None"):
        keys.check_values(config, base.classifier())
