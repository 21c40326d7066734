"""The permitted differences between two starts of a run: the tables of `ganlib.runs.resuming`, entry by entry."""

import json
import re
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import ganlib
from experiments.configs import base
from ganlib import data, runs
from ganlib.runs import resuming
from ganlib.runs.resuming import REFUSES, REPORTS, RESUMES
from tests.helpers import replicas, same, weights


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)).save(path)


def config_of(folder):
    config = base.gan()
    config.update(dataset=f"folder:{folder}", networks="mlp", conditional=True, batch_size=4, steps=2, log_every=2)
    config.update(checkpoint_every=0, sample_every=0, evaluate_every=0)
    config.generator.update(width=8, latent_dim=4, normalization=None)
    config.discriminator.width = 8
    return config


def start(workdir, config, accept_new_config=False, strategy=None, **facts):
    return runs.start(workdir, config, runs.open_data(config), accept_new_config, strategy, **facts)


def train(workdir, config, **arguments):
    run, source = start(workdir, config, **arguments), runs.open_data(config)
    model = runs.build(run)
    runs.fit(run, model, lambda step: data.batches(source, config.batch_size, config.seed, step), samples=False)
    return model


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder with images of two classes and a run of 2 steps on them, and the weights after 4 uninterrupted steps."""
    folder = tmp_path_factory.mktemp("resuming")
    for seed in range(12):
        picture(folder / "images" / "ab"[seed % 2] / f"{seed}.png", seed)
    config = config_of(folder / "images")
    train(folder / "run", config)
    config.steps = 4
    return folder, weights(train(folder / "uninterrupted", config))


@pytest.fixture
def copy(original, tmp_path):
    """A copy of that run and of its images, and a config with 4 steps."""
    shutil.copytree(original[0], tmp_path, dirs_exist_ok=True)
    config = config_of(tmp_path / "images")
    config.steps = 4
    return tmp_path, config


def version(module):
    return lambda folder, config, monkeypatch: monkeypatch.setattr(module, "__version__", "99.0")


def images(change):
    return lambda folder, config, monkeypatch: change(folder / "images")


def black(path):
    Image.new("L", (8, 8)).save(path)


CASES = [
    ({"steps": 4}, RESUMES, ""),
    ({"log_every": 1, "checkpoint_every": 3, "sample_every": 1, "evaluate_every": 1}, RESUMES, ""),
    ({"metrics": "fid", "features": "inception_v3", "evaluation_samples": 9, "data_dir": "elsewhere"}, RESUMES, ""),
    ({"steps_per_execution": 2}, RESUMES, ""),
    (images(lambda folder: None), RESUMES, ""),  # the images are in another place
    (version(ganlib), REPORTS, r"ganlib \".*\" -> \"99.0\"; the weights may differ by rounding"),
    (version(keras), REPORTS, r"keras \".*\" -> \"99.0\""),
    ({"replicas": 2}, REPORTS, "replicas 1 -> 2"),
    ({"batch_size": 6}, REFUSES, "another config: batch_size 4 -> 6"),
    ({"seed": 1}, REFUSES, "another config: seed 0 -> 1"),
    ({"precision": "mixed_bfloat16"}, REFUSES, 'another config: precision "float32" -> "mixed_bfloat16"'),
    ({"labels_per_class": 2}, REFUSES, "another config: labels_per_class null -> 2"),
    ({"labels_per_class": 2, "label_seed": 2}, REFUSES, "another config: label_seed 0 -> 2; labels_per_class null -> 2"),
    ({"image_size": [8, 8]}, REFUSES, r"another config: image_size null -> \[8, 8\]. "),
    ({"image_size": (4, 8)}, REFUSES, r"image_size null -> \[4, 8\] and other data: image_shape \[8, 8, 1\] -> \[4, 8, 1\]"),
    ({"image_size": 4}, REFUSES, r"image_size null -> 4 and other data: image_shape \[8, 8, 1\] -> \[4, 4, 1\]"),
    ({"classes": "b,a"}, REFUSES, r'classes null -> "b,a".* and other data: class_names \["a", "b"\] -> \["b", "a"\]'),
    (
        {"generator_optimizer": {"linear_decay": 1.0}},
        REFUSES,
        "steps 2 -> 4, which changes the schedule of generator_optimizer.linear_decay",
    ),
    (images(lambda folder: (folder / "a").rename(folder / "c")), REFUSES, r'class_names \["a", "b"\] -> \["b", "c"\]'),
    (images(lambda folder: picture(folder / "a/new.png", 50)), REFUSES, r"class_counts \[6, 6\] -> \[7, 6\]"),
    (images(lambda folder: (folder / "b/1.png").unlink()), REFUSES, r"class_counts \[6, 6\] -> \[6, 5\]"),
    (images(lambda folder: (folder / "b/1.png").rename(folder / "a/1.png")), REFUSES, r"class_counts \[6, 6\] -> \[7, 5\]"),
    (images(lambda folder: black(folder / "a/0.png")), REFUSES, "files were replaced or renamed; their number is unchanged"),
]


@pytest.mark.parametrize(("change", "outcome", "message"), CASES)
def test_permitted_differences_between_two_starts(original, copy, monkeypatch, capsys, change, outcome, message):
    folder, config = copy
    strategy = None
    if callable(change):
        change(folder, config, monkeypatch)
    else:
        strategy = replicas(change.pop("replicas", 1))
        config.update(change)
    before = [(folder / "run" / name).read_bytes() for name in ("config.json", "run.json")]
    if outcome == REFUSES:
        with pytest.raises(ganlib.UserError, match=f"{message}.* --accept_new_config"):
            start(folder / "run", config)
        start(folder / "run", config, accept_new_config=True)
        assert [(folder / "run" / name).read_bytes() for name in ("config.json", "run.json")] == before
        return
    resumed = weights(train(folder / "run", config, strategy=strategy))
    if strategy is None or strategy.num_replicas_in_sync == 1:
        assert same(resumed, original[1])
    else:
        assert max(np.abs(a - b).mean() for a, b in zip(resumed, original[1], strict=True)) < 2e-5  # the learning rate is 2e-4
    output = capsys.readouterr().out
    assert "from step 2" in output
    if outcome == REPORTS:
        assert re.search(message, output)
    else:
        assert "changed since the last start" not in output


def test_every_entry_of_the_tables_is_tested():
    tested = {key for change, outcome, _ in CASES if isinstance(change, dict) and outcome == RESUMES for key in change}
    assert tested == resuming.CONFIG
    assert set(resuming.FACTS.values()) == {RESUMES, REPORTS, REFUSES}


@pytest.mark.parametrize(("fact", "outcome"), resuming.FACTS.items())
def test_each_fact_has_the_effect_in_the_table(copy, fact, outcome):
    folder, config = copy
    facts = json.loads((folder / "run/run.json").read_text())
    (folder / "run/run.json").write_text(json.dumps(facts | {fact: "before"}))
    changes = {} if fact in facts else {fact: "after"}
    if outcome == REFUSES:
        message = "files were replaced or renamed" if fact == "fingerprint" else f'other data: {fact} "before" -> '
        with pytest.raises(ganlib.UserError, match=message):
            start(folder / "run", config, **changes)
        return
    reported = start(folder / "run", config, **changes).differences.reported
    assert [line.split()[0] for line in reported] == ([fact] if outcome == REPORTS else [])


def test_fact_that_is_not_in_the_table_raises(copy):
    with pytest.raises(ValueError, match="new_fact"):
        start(copy[0] / "run", copy[1], new_fact=1)


def test_run_of_an_older_version_with_fewer_facts_resumes(original, copy):
    folder, config = copy
    facts = json.loads((folder / "run/run.json").read_text())
    old = {key: facts[key] for key in ("image_shape", "class_names", "data", "num_examples", "ganlib")}
    (folder / "run/run.json").write_text(json.dumps(old))
    config.dataset = config_of(original[0] / "images").dataset  # the only fact about the images in older versions
    assert same(weights(train(folder / "run", config)), original[1])


@pytest.mark.parametrize("forms", [(8, "8", (8, 8), [8, 8], "8x8"), ((4, 8), [4, 8], "4x8", "(4, 8)")])
def test_all_forms_of_one_image_size_resume(original, tmp_path, forms):
    config = config_of(original[0] / "images")
    config.image_size = forms[0]
    start(tmp_path, config).write()
    for form in forms:
        config.image_size = form
        assert start(tmp_path, config).differences == resuming.Differences()
    config.image_size = (8, 4)
    with pytest.raises(ganlib.UserError, match=r"image_size .* -> \[8, 4\] and other data"):
        start(tmp_path, config)


def test_changed_config_of_a_complete_run_is_refused(copy):
    folder, config = copy
    config.update(steps=2, seed=1)
    before = (folder / "run/config.json").read_bytes()
    with pytest.raises(
        ganlib.UserError, match="is complete: it has 2 steps, trained with another config: seed 0 -> 1. Increase"
    ):
        train(folder / "run", config, accept_new_config=True)
    assert (folder / "run/config.json").read_bytes() == before


def test_remaining_steps_must_be_a_multiple_of_steps_per_execution(copy):
    folder, config = copy
    config.update(steps=6, steps_per_execution=3)
    with pytest.raises(
        ganlib.UserError, match="from step 2, and the 4 steps up to 6 are not a multiple of steps_per_execution=3"
    ):
        train(folder / "run", config)


def test_schedules_that_depend_on_the_number_of_steps():
    config = {
        "generator_optimizer": {"learning_rate": {"cosine": {"start": 1.0, "end": 0.0, "share": 0.5}}},
        "discriminator_optimizer": {"linear_decay": 0.5},
        "top_k": {"linear": {"start": 1.0, "end": 0.5, "steps": 100}},
        "penalties": {"r1": {"weight": {"linear": {"start": 1.0, "end": 0.5, "share": 1.0}}}},
        "ada": {"probability": 0.5},
    }
    names = ["generator_optimizer.learning_rate", "discriminator_optimizer.linear_decay", "penalties.r1.weight"]
    assert resuming.schedules_of_all_steps(config) == names


def test_only_the_first_different_class_of_many_is_shown():
    names = [str(number) for number in range(100)]
    before, after = {"class_names": names}, {"class_names": [*names[:50], "fifty", *names[51:]]}
    assert resuming.differences(({}, before), ({}, after)).refusal == 'other data: class_names [50] "50" -> "fifty"'
