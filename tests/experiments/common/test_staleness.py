"""A result in a comparison's folder is reused only if nothing that it depends on has changed."""

import json
import types

import keras
import pytest

import ganlib
from experiments import configs
from experiments.common import classifier_comparison, gan_comparison, processes, staleness
from ganlib import versions

DATA = {"train": "aaa", "test": "bbb"}


@pytest.fixture(autouse=True)
def state(monkeypatch):
    """The flags of `compare` and the versions of the data, the features and the code. Tests may change them."""
    state = types.SimpleNamespace(
        flags=types.SimpleNamespace(samples=300, metrics="fid,cas", features=[], set=[], accept_other_code=False),
        data=dict(DATA),
        features="fff",
        code="ccc",
    )
    for module in (gan_comparison, classifier_comparison):
        monkeypatch.setattr(module, "FLAGS", state.flags)
    monkeypatch.setattr(staleness, "images_of", lambda config, split="train": state.data[split])
    monkeypatch.setattr(staleness, "features_of", lambda config, network: network and state.features)
    monkeypatch.setattr(versions, "of_code", lambda *files: state.code)
    return state


def gan(folder, *overrides, seed="0"):
    return gan_comparison.GanTrial("digits_dcgan", seed, configs.load("digits_dcgan", overrides), folder)


def floor(folder, *overrides, seed="0"):
    return gan_comparison.Floor(configs.load("digits_dcgan", overrides), folder / "floor.json")


def classifier(folder, *overrides, seed="0"):
    return classifier_comparison.ClassifierTrial("digits_cnn", "5", seed, configs.load("digits_cnn", overrides), folder)


def change(state, **changes):
    for path, value in changes.items():
        target, _, key = path.rpartition("__")
        if target == "data":
            state.data[key] = value
        else:
            setattr(getattr(state, target) if target else state, key, value)


@pytest.mark.parametrize(
    ("trial", "changes"),
    [
        *[(gan, {path: value}) for path, value in [
            ("flags__samples", 400), ("flags__metrics", "fid"), ("data__train", "x"), ("data__test", "x"), ("features", "x"),
            ("features", None), ("code", "x"), ("overrides", "steps=7"), ("seed", "1"),
            ("flags__features", ["in_domain", "efficientnet_lite:0"]),
        ]],
        *[(floor, {path: value}) for path, value in [
            ("flags__metrics", "kid"), ("flags__samples", 400), ("data__train", "x"), ("data__test", "x"), ("features", "x"),
            ("code", "x"),
        ]],
        *[(classifier, {path: value}) for path, value in [("data__test", "x"), ("code", "x"), ("overrides", "steps=7")]],
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)  # fmt: skip
def test_outdated_result_is_evaluated_again(trial, changes, state, tmp_path):
    first = trial(tmp_path)
    assert first.commands(), "there is no result yet"
    first.result.write_text(json.dumps({"results": {"fid": 1.0}, **first.expected}))
    assert not trial(tmp_path).commands(), "nothing has changed"
    overrides = [changes.pop("overrides")] if "overrides" in changes else []
    seed = changes.pop("seed", "0")
    change(state, **changes)
    assert trial(tmp_path, *overrides, seed=seed).commands()


@pytest.mark.parametrize("trial", [gan, classifier])
@pytest.mark.parametrize(
    ("changes", "overrides", "line"),
    [
        ({}, ["batch_size=8"], "batch_size .* -> 8"),
        ({}, ["discriminator.width=9"], "discriminator.width .* -> 9"),
        ({"data__train": "x"}, [], "data aaa -> x"),
        ({"code": "x"}, [], "code ccc -> x"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_run_with_other_training_is_refused(trial, changes, overrides, line, state, tmp_path):
    staleness.claim_all([trial(tmp_path)])
    (tmp_path / "config.json").write_text("{}")  # training writes it
    staleness.claim_all([trial(tmp_path), trial(tmp_path, "steps=7")])
    change(state, **changes)
    with pytest.raises(ganlib.UserError, match=f"holds a different run: {line}. Choose another --workdir"):
        staleness.claim_all([trial(tmp_path, *overrides)])
    if "code" in changes:
        staleness.claim_all([trial(tmp_path, *overrides)], accept_other_code=True)
    else:
        with pytest.raises(ganlib.UserError, match=line):
            staleness.claim_all([trial(tmp_path, *overrides)], accept_other_code=True)


def test_run_without_a_record(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ganlib.UserError, match="data None -> aaa; code None -> ccc"):
        staleness.claim_all([gan(tmp_path)])
    staleness.claim_all([gan(tmp_path)], accept_other_code=True)


def test_config_of_a_gan_for_a_classifier_is_part_of_the_record(tmp_path, monkeypatch):
    config = configs.load("digits_cnn", ["features_from=config:digits_dcgan"])
    trial = classifier_comparison.ClassifierTrial("digits_cnn", "5", "0", config, tmp_path)
    before = trial.requested
    other = configs.load("digits_dcgan", ["batch_size=8"])
    monkeypatch.setattr(classifier_comparison.configs, "load", lambda name: other)
    assert trial.requested != before


def test_table_with_outdated_results_is_refused(state, tmp_path):
    trial = gan(tmp_path)
    trial.result.write_text(json.dumps(trial.expected))
    assert staleness.still_different([trial]) == []
    trial.result.write_text(json.dumps(trial.expected | {"step": 8000, "features_version": "old"}))
    (line,) = staleness.still_different([trial])
    assert line.startswith("digits_dcgan, seed 0 has an outdated result: step 8000 -> ")
    assert line.endswith("features_version old -> fff")
    trial.result.unlink()
    assert staleness.still_different([trial])[0].endswith("evaluation.json' is missing")


@pytest.mark.parametrize(
    "settings", [{"pairs": 20}, {"precision": "mixed_bfloat16"}, {"selected_by": {"metric": "fid"}}, {"seed": 5}], ids=str
)
def test_result_of_other_settings_is_evaluated_again(settings, tmp_path):
    """`experiments.evaluate` may have been called by hand."""
    trial = gan(tmp_path)
    trial.result.write_text(json.dumps(trial.expected | settings))
    assert trial.commands()


@pytest.mark.parametrize(
    ("metrics", "overrides", "message"),
    [
        (
            "fid,cas",
            ["conditional=False"],
            "digits_dcgan is not conditional, and cas requires labels: pass --metrics without cas",
        ),
        ("fid,ppl", ["precision=mixed_bfloat16"], "digits_dcgan has mixed_bfloat16, and ppl requires float32"),
        ("fid,flx", [], "unknown metric 'flx'"),
        ("is", ["features=model:{path}"], "is requires class probabilities, which the feature network model:.* lacks"),
        ("precision_recall", [], "precision_recall requires at least 4 generated images, got 3"),
    ],
)
def test_metric_that_a_config_does_not_support_is_refused_before_training(
    metrics, overrides, message, state, tmp_path, monkeypatch
):
    path = tmp_path / "features.keras"
    keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten()]).save(path)
    state.flags.metrics, state.flags.samples, state.flags.seeds = metrics, 3 if "recall" in metrics else 300, ["0"]
    monkeypatch.setattr(processes, "run_all", None)
    config = configs.load("digits_dcgan", [override.format(path=path) for override in overrides])
    with pytest.raises(ganlib.UserError, match=message):
        gan_comparison.compare(tmp_path, {"digits_dcgan": config})


@pytest.mark.parametrize("metrics", ["ppl", "fid_test", "ppl,fid_test"])
def test_there_is_no_floor_without_a_metric_of_test_images(metrics, state, tmp_path):
    state.flags.metrics = metrics
    assert gan_comparison.floors_of([configs.load("digits_dcgan")], tmp_path) == []


def test_floor_depends_on_the_images_and_features_of_the_config(tmp_path):
    config = configs.load("digits_dcgan", ["classes=3,7", "image_size=16", "features=inception_v3"])
    (command,) = gan_comparison.Floor.of(config, tmp_path).commands()
    assert {"--classes=3,7", "--image_size=16", "--features=inception_v3", "--real=digits"} <= set(command)
    (command,) = gan_comparison.Floor.of(configs.load("digits_dcgan", ["image_size=[16, 24]"]), tmp_path).commands()
    assert "--image_size=[16, 24]" in command
    others = [configs.load("digits_dcgan", [pair]) for pair in ("classes=3,7", "image_size=16", "steps=7", "seed=1")]
    plain = configs.load("digits_dcgan")
    assert len({gan_comparison.data_of(other) for other in (*others, plain, config)}) == 4


def test_a_key_that_is_newer_than_the_run_counts_with_its_default(tmp_path):
    staleness.claim_all([classifier(tmp_path)])
    (tmp_path / "config.json").write_text("{}")
    path = tmp_path / staleness.ASKED
    recorded = json.loads(path.read_text())
    del recorded["config"]["initial_head"]
    path.write_text(json.dumps(recorded))
    staleness.claim_all([classifier(tmp_path)])
    with pytest.raises(ganlib.UserError, match='initial_head "" -> "linear_probe"'):
        staleness.claim_all([classifier(tmp_path, "initial_head=linear_probe")])
